"""Virtual time without threads: actions that run in the order of their moments."""

import heapq
from collections.abc import Callable

from tests.faults.process import EPOCH


class Engine:
    """`now` is in seconds since the run's start. `ahead` is how far the code that runs is ahead of
    it: a batch is computed at its start, and says itself how long each step takes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.ahead = 0.0
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._count = 0

    def at(self, moment: float, action: Callable[[], object]) -> None:
        """Run an action at a moment, after actions that were set for the same moment before."""
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Run an action after so many seconds."""
        self.at(self.now + seconds, action)

    def run(self, until: float) -> None:
        """Run all actions up to a moment, and those that they set."""
        due = self._due
        while due and due[0][0] <= until:
            self.now, _, action = heapq.heappop(due)
            action()
        self.now = max(self.now, until)

    # --- as the code that runs sees it -----------------------------------------------------------

    def clock(self) -> float:
        """As `time.monotonic`."""
        return self.now + self.ahead

    def wall(self) -> float:
        """As `time.time`."""
        return EPOCH + self.now + self.ahead

    def sleep(self, seconds: float) -> None:
        """Let time pass for the code that runs, and for nobody else."""
        self.ahead += seconds

    def then(self, action: Callable[[], object]) -> None:
        """Run an action when the others have come to where the code that runs is now."""
        self.at(self.now + self.ahead, action)
