"""How old a read of a connector may be when an attempt starts.

A call that disables or deletes a connector may answer only when no attempt can start on a read from
before its change. So each attempt starts within `FRESH_SECONDS` of the start of a consistent read
that allowed it, and the call waits for `SETTLE_SECONDS` after its change is written. Neither side
has to ask the other.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from dataconnectors.kernel.errors import StaleError

FRESH_SECONDS = 0.5
"""By the sender's monotonic clock, from before the read was sent: the read cannot have missed a
change that is older. Long enough for a read, KMS and ten threads to start, and short enough for a
caller to wait."""

CLOCK_MARGIN = 0.1
"""Seconds. Monotonic clocks of two machines differ by 0.05 % at most (what NTP may slew). The rest
is for a busy process, between its decision to start and its first packet."""

SETTLE_SECONDS = FRESH_SECONDS + CLOCK_MARGIN
"""How long a disabling call waits after its change is written, before it answers."""

READS = 4
"""Reads in a row that took too long to be fresh. After them the messages are left for later."""

T = TypeVar("T")


class _Reading(NamedTuple, Generic[T]):
    value: T
    began: float


class FreshRead(Generic[T]):
    """Gives what `read` returns, never older than `FRESH_SECONDS`.

    Threads share it: one reads, the others wait for its result. When a read raises, it has failed
    for all of them and is not repeated.
    """

    def __init__(
        self, read: Callable[[], T], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._reading: _Reading[T] | None = None
        self._failure: Exception | None = None

    def get(self, until: float) -> T:
        """The result of a read that began at most `FRESH_SECONDS` before this returns.

        `until` is in seconds of the monotonic clock. Raises `StaleError` after it, or when every
        read took too long; otherwise whatever `read` has raised.
        """
        for reads_left in reversed(range(READS + 1)):
            if not self._lock.acquire(timeout=max(0.0, until - self._clock())):
                break
            try:
                now = self._clock()
                if now > until:
                    break
                if self._failure is not None:
                    raise self._failure
                reading = self._reading
                # At equality the disabling call is about to answer, a margin aside.
                if reading is not None and now - reading.began < FRESH_SECONDS:
                    return reading.value
                if reads_left:
                    self._reading = self._read_now(began=now)
            finally:
                self._lock.release()
        raise StaleError("the connector could not be read freshly in time")

    def _read_now(self, began: float) -> _Reading[T]:
        try:
            return _Reading(self._read(), began)
        except Exception as failure:
            self._failure = failure
            raise
