"""How long a failed event waits for its next attempt."""

FIRST_WAIT = 8
"""Seconds after the first failed attempt; each further one doubles it."""

LONGEST_WAIT = 3600
"""Seconds. An endpoint that comes back is found within the hour."""

RESPONSE_FACTOR = 4
"""A slow endpoint is given four times as long as it took to answer: it may be overloaded."""

_DOUBLINGS = 9
"""8 * 2^9 is past the longest wait; without a limit a large count would make a huge number."""


def wait_after(receive_count: int, response_time: float, age: float) -> float:
    """Seconds between the end of a failed attempt and the next one.

    `receive_count` is SQS's, 1 for the first receive; `response_time` how long the attempt took
    and `age` how old the event was when it ended, both in seconds.

    Where every receive was an attempt this is 8 * 2^(n-1), an hour at most: 20 attempts fit the
    12 hours that a queue keeps an event. SQS also counts receives without an attempt (throttled
    invocations, crashes, batches handed back). Were those to double the wait, a minute of
    throttling could cost an hour. But an event of which each receive was an attempt has waited
    8 * (2^(n-1) - 1) seconds already, so its age bounds the wait that it has come to: age + 8.
    """
    exponent = min(receive_count - 1, _DOUBLINGS)
    earned = max(age, 0) + FIRST_WAIT
    return max(
        RESPONSE_FACTOR * response_time,
        min(FIRST_WAIT * 2.0**exponent, earned, LONGEST_WAIT),
    )
