"""How the time of one invocation is divided among the steps of a batch."""

from collections.abc import Callable
from typing import NamedTuple, Self

from dataconnectors.aws.settings import DEADLINE_SLACK

RETURN_SECONDS = 0.5
"""Kept free at the very end. Lambda kills a function that outlasts its timeout, and then every
message of the batch is sent again."""

FINISH_SECONDS = 2.0
"""Kept free after the last attempt, for dead letters, records of expired events and one change of
visibility timeouts."""

VISIBILITY_SECONDS = 1.0
"""The part of `FINISH_SECONDS` that belongs to the change of visibility timeouts. Dead letters and
records of expired events come before it and must not use it up."""

COUNT_SECONDS = 1.0
"""For counting attempts when nothing else is left to do. SQS deletes delivered messages only after
the function has returned, so a slow count must not hold the answer up."""

LOG_SECONDS = 0.5
"""For the attempt log, after everything else and only if so much is left. A write takes some
milliseconds; while it waits, the batch holds a place of its connector's concurrency."""

READ_AGAIN_SECONDS = 3.0
"""For reading a connector again when an attempt is due and the first read is no longer fresh: one
try of one call takes so long at most (see `aws.clients`)."""


class Clocks(NamedTuple):
    """`monotonic` measures waits and deadlines in seconds, `wall` gives epoch seconds for ages."""

    monotonic: Callable[[], float]
    wall: Callable[[], float]


class Deadlines(NamedTuple):
    """When each step of a batch has to be over, in seconds of the monotonic clock.

    `last_start`: no attempt starts after it. `confirmed`: SQS and DynamoDB have confirmed dead
    letters and records of expired events by then, or those messages stay. `end`: visibility
    timeouts are changed by then.
    """

    last_start: float
    confirmed: float
    end: float

    @classmethod
    def of(cls, started: float, seconds_left: float, attempt_timeout: float) -> Self:
        """For a batch that started at `started`, in an invocation with `seconds_left`."""
        end = started + seconds_left - RETURN_SECONDS
        return cls(
            last_start=end - FINISH_SECONDS - longest_attempt(attempt_timeout),
            confirmed=end - VISIBILITY_SECONDS,
            end=end,
        )


def longest_attempt(timeout: float) -> float:
    """Seconds that an attempt may take in fact: threads wake late on a small function."""
    return timeout * DEADLINE_SLACK
