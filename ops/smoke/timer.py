"""The time that a run may take, and how it waits for something."""

import time
from collections.abc import Callable
from typing import TypeVar

from ops.smoke.report import SmokeError

RUN_S = 240.0
"""Seconds for all checks. Cleaning up takes less than the minute that is left of five."""

ARRIVAL_S = 60.0
"""Seconds until an event arrives. A new mapping takes half a minute on AWS to become enabled."""

POLL_S = 1.0
"""Seconds between two looks. A key may make 25 requests in 5 seconds."""

Seen = TypeVar("Seen")


class Timer:
    """The time of one run, which begins now."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` and `sleep` are in seconds."""
        self._clock = clock
        self.sleep = sleep
        self._began = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began

    def raise_when_over(self) -> None:
        """Raise `SmokeError` when the run has taken too long."""
        if self.elapsed > RUN_S:
            raise SmokeError(f"the checks have not ended within {RUN_S:g} s")

    def wait(self, look: Callable[[], Seen], is_enough: Callable[[Seen], bool]) -> Seen:
        """What the first look that is enough has seen, or the last one before time is up."""
        deadline = min(self.elapsed + ARRIVAL_S, RUN_S)
        while True:
            seen = look()
            if is_enough(seen) or self.elapsed > deadline:
                return seen
            self.sleep(POLL_S)
