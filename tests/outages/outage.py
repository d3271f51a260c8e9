"""One connector through an outage, with the outage mode and without."""

import copy
import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from dataconnectors.store.connector_items import connector_item
from tests.outages.account import Account, Endpoint, Line
from tests.outages.prices import Usage

BEFORE = 60.0
"""Seconds before the outage in which everything works."""

LONGEST_RECOVERY = 5400.0
"""Seconds after the outage at which a run ends. No wait is longer than an hour."""


@dataclass(frozen=True)
class Case:
    """`rate` in events a second, `outage` in seconds; `hangs`: timeouts, otherwise errors.

    The run goes on for `after` seconds after the outage, also when all is delivered before.
    """

    rate: float
    outage: float
    hangs: bool
    holds: bool
    after: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Result:
    """What one run has found.

    `concurrency` is the mean during the outage, and `peak` the highest. `failed` are attempts.
    `outage` is what was used during it, `recovery` from then until all of the backlog was
    delivered, or the run was over with `unsent` events left. `noticed` is in seconds since the
    outage began, None if it never was. `recovered` are the seconds from its end until half, 95 %
    and all of the backlog were delivered. `by_second` are the attempts that failed and succeeded
    in each second of the run.
    """

    case: Case
    concurrency: float
    peak: int
    failed: int
    outage: Usage
    recovery: Usage
    noticed: float | None
    backlog: int
    unsent: int
    recovered: tuple[float, float, float]
    by_second: dict[int, tuple[int, int]]


def run(case: Case) -> Result:
    """Run a case. The same case gives the same result."""
    return Run(case).run()


class Run:
    """The events of one run. Numbers of events are positions in `accepted` and `delivered`."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._account = Account(case.seed, holds=case.holds)
        self._accepted = array("d")
        self._delivered = array("d")
        self._owed = 0
        self._over: Usage | None = None
        self._failures: Counter[int] = Counter()
        self._successes: Counter[int] = Counter()
        self._start, self._end = BEFORE, BEFORE + case.outage

    def run(self) -> Result:
        """Let the outage begin and end, and go on until its backlog is delivered."""
        account, case = self._account, self._case
        endpoint = Endpoint(self._posted, case.hangs, self._start, self._end)
        line = account.connect(endpoint)
        key = connector_item(line.connector)
        name = key["pk"]["S"], key["sk"]["S"]
        with account.open():
            account.scheduler.after(0.0, partial(self._publish, line))
            begun = self._until(self._start)
            busy = account.busy_seconds()
            account.peak = 0
            ended = self._until(self._end)
            busy = account.busy_seconds() - busy
            peak = account.peak
            backlog = self._owed
            account.scheduler.run(self._is_over)
            assert self._over is not None
        waited = sorted(
            delivered - self._end
            for accepted, delivered in zip(self._accepted, self._delivered, strict=True)
            if accepted < self._end <= delivered
        )
        noticed = account.noticed.get(name)
        return Result(
            case,
            busy / case.outage,
            peak,
            self._failures.total(),
            ended - begun,
            self._over - ended,
            noticed and noticed - self._start,
            backlog,
            self._owed,
            (share(waited, 0.5), share(waited, 0.95), share(waited, 1.0)),
            {
                second: (self._failures[second], self._successes[second])
                for second in sorted(self._failures | self._successes)
            },
        )

    def _until(self, moment: float) -> Usage:
        """Run until a moment, and return what was used by then."""
        reached: list[bool] = []
        self._account.scheduler.at(moment, partial(reached.append, True))
        self._account.scheduler.run(lambda: bool(reached))
        return copy.copy(self._account.usage)

    def _is_over(self) -> bool:
        now = self._account.scheduler.now
        if self._over is None and (not self._owed or now > self._end + LONGEST_RECOVERY):
            self._over = copy.copy(self._account.usage)
        return self._over is not None and now >= self._end + self._case.after

    def _publish(self, line: Line) -> None:
        account = self._account
        now = account.scheduler.now
        self._accepted.append(now)
        self._delivered.append(-1.0)
        self._owed += now < self._end
        account.publish(line, len(self._accepted) - 1)
        account.scheduler.after(
            account.rng.expovariate(self._case.rate), partial(self._publish, line)
        )

    def _posted(self, event: int, start: float, end: float, acknowledged: bool) -> None:
        if not acknowledged:
            self._failures[int(start)] += 1
            return
        self._successes[int(start)] += 1
        if self._delivered[event] < 0:
            self._delivered[event] = end
            self._owed -= self._accepted[event] < self._end


def share(ordered: Sequence[float], part: float) -> float:
    """The smallest of the ordered values that this part of them does not exceed; 0 without any."""
    if not ordered:
        return 0.0
    # Rounded, because 0.95 x 20 is a little more than 19 in floating point.
    return ordered[max(0, math.ceil(round(len(ordered) * part, 6)) - 1)]
