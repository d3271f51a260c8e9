"""The back-off: how long a failed event waits for its next attempt."""

FIRST_WAIT = 8
"""Seconds after the first failed attempt. Each further one doubles it."""

LONGEST_WAIT = 3600
"""Seconds. An endpoint that works again gets its events within the hour."""

RESPONSE_FACTOR = 4
"""A slow endpoint may be overloaded: it gets four times as long as it took to answer."""

_MOST_DOUBLINGS = 9
"""8 s * 2^9 is more than the longest wait. Without a bound, a large count makes a huge number."""


def wait_after(receive_count: int, response_time: float, age: float) -> float:
    """Seconds between the end of a failed attempt and the start of the next one.

    `receive_count` is SQS's, 1 for the first receive. `response_time` is how long the attempt took
    and `age` how old the event was when it ended, both in seconds.

    When every receive made an attempt, this is 8 s * 2^(n-1), an hour at most, and 20 attempts fit
    the 12 hours that a queue keeps an event. But SQS also counts receives without an attempt:
    throttled invocations, crashes, batches that were handed back. If those doubled the wait, a
    minute of throttling could cost an hour. An event that was attempted at each of n receives has
    waited 8 s * (2^(n-1) - 1) in all, so its next wait is never longer than its age + 8 s. That is
    the bound used here.
    """
    exponent = min(receive_count - 1, _MOST_DOUBLINGS)
    longest_by_age = max(age, 0) + FIRST_WAIT
    return max(
        RESPONSE_FACTOR * response_time,
        min(FIRST_WAIT * 2.0**exponent, longest_by_age, LONGEST_WAIT),
    )
