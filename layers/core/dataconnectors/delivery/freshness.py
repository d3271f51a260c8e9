"""How old what the sender knows of a connector may be when it decides to dial.

Whoever disables or deletes a connector is answered only when no attempt can begin any more on a
read that was older than their change. So an attempt begins within `FRESH_SECONDS` of the start of
a consistent read that allowed it, and the answer waits for `SETTLE_SECONDS` after the change is
written. Neither side asks the other anything.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from dataconnectors.kernel.errors import StaleError

FRESH_SECONDS = 0.5
"""By the sender's monotonic clock, from before the read was sent: it can have seen nothing that
was older. Long enough for a read, KMS and ten threads to start; short enough to wait for."""

CLOCK_MARGIN = 0.1
"""Seconds. Monotonic clocks of two machines differ by 0.05 % at most (what NTP may slew), the rest
is what a busy process takes from the decision to the dial."""

SETTLE_SECONDS = FRESH_SECONDS + CLOCK_MARGIN
"""How long a disabling call waits, from when its change is written, before it answers."""

READS = 4
"""In a row that were too slow to be of use, before the messages are left for later."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    value: T
    began: float


class FreshRead(Generic[T]):
    """What `read` gives, never older than `FRESH_SECONDS`.

    For threads that share it: one reads, the others wait for what it finds. When a read raises,
    it has failed for all of them and is not repeated.
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
        """What a read shows that began at most `FRESH_SECONDS` ago, as this returns.

        `until` is by the clock. Raises `StaleError` after it, or when every read took too long;
        else what `read` has raised.
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
                # At equality the disabling call has begun to answer, a margin aside.
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
