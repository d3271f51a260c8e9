"""What each contender goes through, one after the other."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.compare.account import Account, account
from bench.compare.contender import (
    ENDPOINTS,
    LEASE_S,
    PARALLEL_ATTEMPTS,
    Contender,
    Event,
    Receiver,
    an_event,
)
from bench.compare.processes import Watch

WARM_UP = 300
"""Events that nothing counts. They start every worker and open every connection."""

WARM_UP_S = LEASE_S + 60.0
"""Seconds. On a busy machine attempts of cold workers time out, and come back after a lease."""

RATE = 20
"""Events a second at a steady load. The dearest contender needs less than one of two cores then."""

CALM_S, SLICES = 15, 5
"""Seconds of a steady load while nothing hangs, for CPU time, in slices that show its spread."""

STEADY_S = 20
"""Seconds of a steady load while one endpoint hangs."""

BURST = 500
"""Events at once while one endpoint hangs."""

HANGING = ENDPOINTS - 1
"""The endpoint that hangs. The later scenarios leave it alone: it has a backlog by then."""

KILL_BURST, KILL_AT = 500, 100
"""Events at once, and how many have arrived when all workers are killed."""

KILL_ANSWER_S = 0.2
"""Seconds that an answer takes in that burst, so that attempts are under way when workers die."""

DOWN_S = 60
"""Seconds that the receiver is down: the issue's."""

DOWN_EVENTS, DOWN_FIRST_S = 50, 5
"""Events that are published while it is down, one a second, the first after so many seconds."""

SETTLE_S = 45.0
"""Seconds until what has not arrived at a healthy endpoint counts as lost, without a fault."""

QUIET_S = 5.0
"""Seconds without an arrival, after which only what dead workers held is missing."""

AFTER_S = 1.0
"""Seconds after the last arrival, for the acknowledgements and log lines that belong to it."""

LATE_S = 120.0
"""Seconds that events may take after the receiver is back, or after dead workers' leases are
over."""

LOOK_S = 0.05
"""Seconds between two looks at the receiver. It answers one in a fraction of a millisecond."""


class ScenarioError(Exception):
    """A contender did not do what the rest needs."""


@dataclass(frozen=True)
class Cpu:
    """CPU seconds for each delivered event."""

    application: tuple[float, ...]
    both: tuple[float, ...]
    """With the broker."""


@dataclass(frozen=True)
class Fault:
    """What came of the events of one fault.

    `seconds` is until all were there, infinite if some never were.
    """

    account: Account
    seconds: float


@dataclass(frozen=True)
class Result:
    """What one contender did."""

    steady_cpu: Cpu
    burst_cpu: Cpu
    steady: Account
    burst: Account
    killed: Fault
    down: Fault
    peak: int
    processes: int


def run(contender: Contender, receiver: Receiver, say: Callable[[str], None]) -> Result:
    """Take a contender that has started through all scenarios.

    `Fault.seconds` of `killed` count from the kill, of `down` from when the receiver was back.
    """
    with Watch(application=contender.application, broker=contender.broker) as watch:
        _warm_up(contender, receiver)
        say("steady load")
        calm = [_slice(contender, receiver, watch, number) for number in range(SLICES)]
        calm_burst = _calm_burst(contender, receiver, watch)
        say("steady load, one endpoint hangs")
        receiver.hang(HANGING)
        steady = _steady(contender, receiver, "steady", STEADY_S)
        say(f"{BURST} at once, one endpoint hangs")
        burst = _burst(contender, receiver, "burst", BURST)
        watch.look()
        usage = watch.usage["application"]
        peak, processes = usage.peak, len(usage.peaks)
        receiver.hang()
        say("all workers killed, receiver down")
        killed, down = _faults(contender, receiver)
    return Result(
        steady_cpu=_per_event(calm),
        burst_cpu=_per_event([calm_burst]),
        steady=steady,
        burst=burst,
        killed=killed,
        down=down,
        peak=peak,
        processes=processes,
    )


Sample = tuple[int, float, float]
"""Delivered events, and the CPU seconds of application and broker meanwhile."""


def _per_event(samples: Sequence[Sample]) -> Cpu:
    return Cpu(
        application=tuple(app / max(events, 1) for events, app, _ in samples),
        both=tuple((app + broker) / max(events, 1) for events, app, broker in samples),
    )


def _events(prefix: str, count: int, endpoints: int = ENDPOINTS) -> list[Event]:
    return [an_event(f"{prefix}-{number:05}", number % endpoints) for number in range(count)]


def _slice(contender: Contender, receiver: Receiver, watch: Watch, number: int) -> Sample:
    prefix = f"calm{number}"
    before = watch.look()
    count = RATE * CALM_S // SLICES
    _publish_steadily(contender, _events(prefix, count), 1 / RATE)
    _until_arrived(receiver, prefix, count, SETTLE_S)
    after = watch.look()
    return (
        receiver.count(prefix),
        after["application"] - before["application"],
        after["broker"] - before["broker"],
    )


def _calm_burst(contender: Contender, receiver: Receiver, watch: Watch) -> Sample:
    before = watch.look()
    contender.publish(_events("calmburst", BURST))
    _until_arrived(receiver, "calmburst", BURST, SETTLE_S)
    time.sleep(AFTER_S)
    after = watch.look()
    return (
        receiver.count("calmburst"),
        after["application"] - before["application"],
        after["broker"] - before["broker"],
    )


def _warm_up(contender: Contender, receiver: Receiver) -> None:
    contender.publish(_events("warm", WARM_UP))
    if not _until_arrived(receiver, "warm", WARM_UP, WARM_UP_S):
        found = receiver.count("warm")
        raise ScenarioError(
            f"{contender.name}: {found} of {WARM_UP} events came within {WARM_UP_S:g} s, without a "
            "fault; its logs may say why"
        )


def _publish_steadily(
    contender: Contender, events: Sequence[Event], pause: float
) -> dict[str, float]:
    """One event after the other, at times that do not depend on how long a call takes."""
    began = time.monotonic()
    published: dict[str, float] = {}
    for number, event in enumerate(events):
        time.sleep(max(began + number * pause - time.monotonic(), 0))
        published |= contender.publish([event])
    return published


def _until_arrived(receiver: Receiver, prefix: str, count: int, seconds: float) -> bool:
    """Wait until so many events have arrived, for so many seconds at most; whether they have."""
    deadline = time.monotonic() + seconds
    while receiver.count(prefix) < count:
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


def _healthy(published: dict[str, float], events: Sequence[Event]) -> dict[str, float]:
    """Those of the published events whose endpoint does not hang."""
    return {event.id: published[event.id] for event in events if event.endpoint != HANGING}


def _accounted(receiver: Receiver, prefix: str, published: dict[str, float]) -> Account:
    _until_arrived(receiver, prefix, len(published), SETTLE_S)
    return account(published, receiver.arrivals(prefix))


def _steady(contender: Contender, receiver: Receiver, prefix: str, seconds: int) -> Account:
    events = _events(prefix, RATE * seconds)
    published = _publish_steadily(contender, events, 1 / RATE)
    return _accounted(receiver, prefix, _healthy(published, events))


def _burst(contender: Contender, receiver: Receiver, prefix: str, count: int) -> Account:
    events = _events(prefix, count)
    published = dict(contender.publish(events))
    return _accounted(receiver, prefix, _healthy(published, events))


def _faults(contender: Contender, receiver: Receiver) -> tuple[Fault, Fault]:
    """Kill all workers in a burst, then take the receiver down.

    Where dead workers' leases outlast the outage, it takes place meanwhile: all that the workers
    did not hold has arrived by then, and the two faults' events are told apart by their ids.
    """
    receiver.delay(KILL_ANSWER_S)
    published = dict(contender.publish(_events("kill", KILL_BURST, HANGING)))
    if not _until_arrived(receiver, "kill", KILL_AT, SETTLE_S):
        raise ScenarioError(f"{contender.name}: the burst did not begin")
    contender.kill()
    killed_at = time.time()
    _until_quiet(receiver, "kill", KILL_BURST)
    receiver.delay(0)
    if contender.lease <= DOWN_S + DOWN_FIRST_S:
        _until_arrived(receiver, "kill", KILL_BURST, contender.lease + LATE_S)
    down = _outage(contender, receiver)
    lease_left = killed_at + contender.lease - time.time()
    _until_arrived(receiver, "kill", KILL_BURST, max(lease_left, 0) + LATE_S)
    killed = account(published, receiver.arrivals("kill"))
    return _fault(killed, killed_at), down


def _fault(found: Account, since: float) -> Fault:
    return Fault(found, math.inf if found.lost else found.last - since)


def _until_quiet(receiver: Receiver, prefix: str, count: int) -> None:
    """Wait until nothing has arrived for a while, or everything has."""
    deadline = time.monotonic() + SETTLE_S
    seen, since = 0, time.monotonic()
    held = count - PARALLEL_ATTEMPTS  # More than that can't be with dead workers
    while seen < count and time.monotonic() < (deadline if seen < held else since + QUIET_S):
        found = receiver.count(prefix)
        if found > seen:
            seen, since = found, time.monotonic()
        time.sleep(LOOK_S)


def _outage(contender: Contender, receiver: Receiver) -> Fault:
    receiver.down(True)
    began = time.monotonic()
    time.sleep(DOWN_FIRST_S)
    published = _publish_steadily(contender, _events("down", DOWN_EVENTS, HANGING), 1)
    time.sleep(max(began + DOWN_S - time.monotonic(), 0))
    receiver.down(False)
    up_at = time.time()
    _until_arrived(receiver, "down", DOWN_EVENTS, contender.lease + LATE_S)
    found = account(published, receiver.arrivals("down"))
    return _fault(found, up_at)
