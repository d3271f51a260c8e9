"""Virtual time, in which actions run in order and tasks take turns.

All tasks run on one thread, each on a stack of its own (a greenlet), so a run is the same for the
same seed. A task is code that sleeps. While it sleeps, actions that are due earlier run, however
deep in calls the task is. So a connector can change while a batch is being sent.
"""

import heapq
from collections.abc import Callable
from contextlib import suppress

from greenlet import getcurrent, greenlet

Action = Callable[[], object]


class StoppedError(BaseException):
    """The run is over. This wakes sleeping tasks; none of our code may catch it."""


class Scheduler:
    """`now` is in seconds since the run's start."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Action]] = []
        self._count = 0
        self._main = getcurrent()
        self._idle: list[_Worker] = []
        self._asleep: set[_Worker] = set()
        self._running: _Worker | None = None
        self._stopped = False

    @property
    def is_idle(self) -> bool:
        """Whether no action is left."""
        return not self._due

    def at(self, moment: float, action: Action) -> None:
        """Run an action at a moment, after actions that were set for the same moment before."""
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, action))

    def after(self, seconds: float, action: Action) -> None:
        """Run an action after so many seconds."""
        self.at(self.now + seconds, action)

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Run until no action is left, or until `stop` is true after an action."""
        while self._due and not stop():
            moment, _, action = heapq.heappop(self._due)
            self.now = max(self.now, moment)
            action()

    def spawn(self, work: Action) -> None:
        """Run a task now, until it sleeps while another action is due. Only actions spawn tasks.

        What the task raises is raised by the action that wakes it.
        """
        worker = self._idle.pop() if self._idle else _Worker(self)
        worker.work = work
        self._switch_to(worker)

    def sleep(self, seconds: float) -> None:
        """Let time pass in a task, while other actions run."""
        if self._stopped:
            raise StoppedError
        until = self.now + seconds
        if not self._due or self._due[0][0] > until:
            self.now = until
            return
        worker = self._running
        assert worker is not None, "only tasks sleep"
        self.at(until, worker.wake)
        self._asleep.add(worker)
        self._main.switch()
        self._asleep.discard(worker)
        if self._stopped:
            raise StoppedError

    def close(self) -> None:
        """End every task."""
        self._stopped = True
        while self._asleep:
            self._switch_to(next(iter(self._asleep)))
        for worker in self._idle:
            worker.stack.throw()
        self._idle.clear()

    def _switch_to(self, worker: "_Worker") -> None:
        assert self._running is None, "only actions start and wake tasks"
        self._running = worker
        try:
            worker.stack.switch()
        finally:
            self._running = None


class _Worker:
    """A stack that runs one task after another."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.work: Action = lambda: None
        self.stack = greenlet(self._run, scheduler._main)
        self._scheduler = scheduler

    def wake(self) -> None:
        """Go on with the task until it sleeps again."""
        self._scheduler._switch_to(self)

    def _run(self) -> None:
        scheduler = self._scheduler
        while True:
            with suppress(StoppedError):
                self.work()
            scheduler._idle.append(self)
            scheduler._main.switch()
