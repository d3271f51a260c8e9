"""The scenarios of `make scale`, and what one run of each finds."""

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from tests.outages.account import MAXIMUM_CONCURRENCY
from tests.outages.outage import share
from tests.scale.account import Account, Line, Times, idle_polls
from tests.scale.endpoints import SLOW_SECONDS, Endpoint, Failing, Flapping, Working

MINUTE, HOUR = 60.0, 3600.0
HEALTHY = "healthy"

LONGEST_DRAIN = HOUR
"""Seconds. No wait is longer."""


@dataclass(frozen=True)
class Kind:
    """So many connectors of a kind, each with `rate` events a second while one of the `windows` is
    open. `endpoint` makes the endpoint of one, from a number from 0 to 1 at random."""

    name: str
    connectors: int
    rate: float
    endpoint: Callable[[float], Endpoint] = lambda _: Working()
    windows: tuple[tuple[float, float], ...] = ((0.0, float("inf")),)


@dataclass(frozen=True)
class Phase:
    """A part of a run whose events are looked at together, in seconds of the run."""

    name: str
    begin: float
    end: float


@dataclass(frozen=True)
class Scenario:
    """A `burst` goes to the first connector of the first kind at the begin of the first phase. With
    `over`, when a burst came or an outage ended, the run goes on until the events of the first kind
    are delivered, for `LONGEST_DRAIN` at most. `thinning` and the others are `Account`'s."""

    name: str
    kinds: tuple[Kind, ...]
    phases: tuple[Phase, ...]
    concurrency: int = 1000
    maximum_concurrency: int = MAXIMUM_CONCURRENCY
    thinning: int = 1
    per_request: int = 1
    burst: int = 0
    over: float | None = None
    seed: int = 1
    times: Times = field(default_factory=Times)


@dataclass(frozen=True)
class Found:
    """What a run has found in a phase. `latencies` are sorted, those of the healthy connectors.

    `mean` and `peak` are concurrency, `in_flight` the most messages of a queue in flight, so far.
    `delivered` are events a second, of all connectors. `dollars` are those of delivery alone, for a
    million events that were delivered, with idle polls; `hourly` for an hour.
    """

    phase: Phase
    latencies: "array[float]"
    mean: float
    peak: float
    in_flight: int
    throttled: float
    refused: float
    delivered: float
    batch: float
    decrypts: float
    dollars: float
    hourly: float
    waiting: int


@dataclass(frozen=True)
class Result:
    """`drained` is how many seconds after `over` the events of the first kind were delivered; None
    when they were not. `noticed` are connectors whose outage was noticed."""

    scenario: Scenario
    found: tuple[Found, ...]
    drained: float | None
    noticed: float
    cpu: float


def run(scenario: Scenario) -> Result:
    """Run a scenario. The same scenario gives the same result."""
    return _Run(scenario).run()


class _Run:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._account = Account(
            scenario.seed,
            concurrency=scenario.concurrency,
            thinning=scenario.thinning,
            per_request=scenario.per_request,
            maximum_concurrency=scenario.maximum_concurrency,
            times=scenario.times,
        )
        self._owed = 0

    def run(self) -> Result:
        account, scenario = self._account, self._scenario
        began = time.process_time()
        first = None
        for kind in scenario.kinds:
            assert kind.connectors % scenario.thinning == 0, "a whole number of connectors"
            for _ in range(kind.connectors // scenario.thinning):
                line = account.connect(kind.name, kind.endpoint(account.rng.random()))
                first = first or line
                for begin, end in kind.windows:
                    publish = partial(self._later, line, kind.rate, end)
                    account.engine.at(begin, publish)
        assert first is not None
        if scenario.burst:
            burst = partial(account.burst, first, scenario.burst)
            account.engine.at(scenario.phases[0].begin, burst)
        found = tuple(self._found(phase) for phase in scenario.phases)
        drained = None if scenario.over is None else self._drained(scenario.over)
        found = tuple(self._with_latencies(each) for each in found)
        noticed = len(account.noticed) * scenario.thinning
        return Result(scenario, found, drained, noticed, time.process_time() - began)

    def _later(self, line: Line, rate: float, until: float) -> None:
        engine = self._account.engine
        after = self._account.rng.expovariate(rate)
        if engine.now + after < until:
            engine.after(after, partial(self._publish, line, rate, until))

    def _publish(self, line: Line, rate: float, until: float) -> None:
        self._account.publish(line)
        self._later(line, rate, until)

    def _found(self, phase: Phase) -> Found:
        """Run up to the end of a phase, and count what was used in it."""
        account, thinning = self._account, self._scenario.thinning
        account.engine.run(phase.begin)
        before = account.usage - type(account.usage)()
        busy, throttled, refused = account.busy_seconds(), account.throttled, account.refused
        delivered = self._delivered()
        account.peak = account.running
        account.engine.run(phase.end)
        used = account.usage - before
        seconds = phase.end - phase.begin
        used.sqs += idle_polls(len(account.lines), seconds)
        delivered = self._delivered() - delivered
        return Found(
            phase,
            array("d"),
            (account.busy_seconds() - busy) / seconds * thinning,
            account.peak * thinning,
            max(group.in_flight for group in account.groups.values()),
            (account.throttled - throttled) * thinning,
            (account.refused - refused) * thinning,
            delivered / seconds * thinning,
            delivered / used.invocations if used.invocations else 0.0,
            used.kms / seconds * thinning,
            used.dollars / delivered * 1e6 if delivered else 0.0,
            used.dollars / seconds * HOUR * thinning,
            sum(group.waiting for group in account.groups.values()) * thinning,
        )

    def _delivered(self) -> int:
        return sum(group.delivered for group in self._account.groups.values())

    def _drained(self, over: float) -> float | None:
        account = self._account
        group = account.groups[self._scenario.kinds[0].name]
        while group.waiting and account.engine.now < over + LONGEST_DRAIN:
            account.engine.run(account.engine.now + 1.0)
        return None if group.waiting else group.last_delivered - over

    def _with_latencies(self, found: Found) -> Found:
        group = self._account.groups.get(HEALTHY)
        latencies: Sequence[float] = ()
        if group is not None:
            latencies = [
                latency
                for published, latency in zip(group.published, group.latencies, strict=True)
                if found.phase.begin <= published < found.phase.end
            ]
        return Found(**{**vars(found), "latencies": array("d", sorted(latencies))})


def percentiles(found: Found) -> tuple[float, float, float, float]:
    """The median, 95 %, 99 % and the longest, in seconds from publishing to the POST."""
    p50, p95, p99, most = (share(found.latencies, part) for part in (0.5, 0.95, 0.99, 1.0))
    return p50, p95, p99, most


# --- the scenarios -------------------------------------------------------------------------------

WARM_UP = 20.0
"""Seconds at a run's begin that do not count, in which environments start and pollers grow."""


def _steady(name: str, connectors: int, rate: float, seconds: float, **options: int) -> Scenario:
    phase = Phase("", WARM_UP, WARM_UP + seconds)
    kinds = (Kind(HEALTHY, connectors, rate),)
    return Scenario(name, kinds, (phase,), **options)  # type: ignore[arg-type]


def _burst(maximum: int) -> Scenario:
    """A burst on one connector, beside others."""
    return Scenario(
        f"50,000 at once on one of 100 connectors, MaximumConcurrency {maximum}",
        (Kind("burst", 1, 1e-9), Kind(HEALTHY, 99, 1.0)),
        (Phase("", WARM_UP, WARM_UP + 60),),
        maximum_concurrency=maximum,
        burst=50_000,
        over=WARM_UP,
    )


def _mixed(concurrency: int, thinning: int) -> Scenario:
    """Of 1,000 connectors, 1 % hang, 1 % are slow, 10 % flap."""
    kinds = (
        Kind(HEALTHY, 880, 1.0),
        Kind("dead", 10, 1.0, lambda _: Failing()),
        Kind("slow", 10, 1.0, lambda _: Working(SLOW_SECONDS)),
        Kind("flapping", 100, 1.0, Flapping),
    )
    phases = (Phase("first 3 min", 0.0, 180.0), Phase("then 7 min", 180.0, 600.0))
    name = "1,000 connectors, 1 event/s each; 1 % dead, 1 % slow, 10 % flapping"
    return Scenario(name, kinds, phases, concurrency=concurrency, thinning=thinning)


def _trickle(many: int, concurrency: int, thinning: int) -> Scenario:
    """1 % hang for 6 hours, and have so few events that their outages are not noticed."""
    begin, end = 6 * HOUR, 6 * HOUR + 120
    kinds = (
        Kind("dead", many // 100, 0.1, lambda _: Failing()),
        Kind(HEALTHY, many * 99 // 100, 0.1, windows=((begin - 30, end),)),
    )
    name = f"{many:,} connectors, 0.1 events/s each; 1 % dead"
    phases = (Phase("after 6 h", begin, end),)
    return Scenario(name, kinds, phases, concurrency=concurrency, thinning=thinning, per_request=10)


def _region_begins(concurrency: int, thinning: int) -> Scenario:
    """A fifth of the connectors begins to hang."""
    down = MINUTE
    kinds = (Kind("region", 200, 1.0, lambda _: Failing(down)), Kind(HEALTHY, 800, 1.0))
    phases = (Phase("first 5 min", down, down + 300), Phase("next 5 min", down + 300, down + 600))
    name = "1,000 connectors, 1 event/s each; a region of 200 hangs"
    return Scenario(name, kinds, phases, concurrency=concurrency, thinning=thinning)


def _region_ends(concurrency: int, thinning: int) -> Scenario:
    """A fifth of the connectors hangs for 6 hours. The others publish at times only."""
    down, up = MINUTE, MINUTE + 6 * HOUR
    windows = ((3 * HOUR - 30, 3 * HOUR + 240), (up - 60, up + 600))
    kinds = (
        Kind("region", 200, 1.0, lambda _: Failing(down, up), windows=((0.0, up),)),
        Kind(HEALTHY, 800, 1.0, windows=windows),
    )
    phases = (Phase("after 3 h", 3 * HOUR, 3 * HOUR + 240), Phase("it is over", up, up + 600))
    name = "the same for 6 h"
    return Scenario(name, kinds, phases, concurrency=concurrency, thinning=thinning, over=up)


SCENARIOS: Sequence[Scenario] = (
    _steady("10 connectors, 1 event/s each", 10, 1.0, 300),
    _steady("1,000 connectors, 1 event/s each", 1000, 1.0, 60, thinning=2),
    *(
        _steady(
            "100,000 connectors, 0.1 events/s each",
            100_000,
            0.1,
            60,
            thinning=40,
            per_request=10,
            concurrency=concurrency,
        )
        for concurrency in (1000, 5000)
    ),
    *(
        _steady(
            "10,000 events/s on 1,000 connectors",
            1000,
            10.0,
            60,
            thinning=20,
            per_request=10,
            concurrency=concurrency,
        )
        for concurrency in (1000, 5000)
    ),
    _steady("10,000 events/s on 10 connectors", 10, 1000.0, 30, thinning=5, per_request=10),
    _burst(50),
    _burst(500),
    _mixed(1000, 10),
    _trickle(1000, 1000, 5),
    _trickle(100_000, 30_000, 500),
    _region_begins(1000, 20),
    _region_begins(10_000, 20),
    _region_ends(1000, 50),
)
"""What `make scale` runs."""
