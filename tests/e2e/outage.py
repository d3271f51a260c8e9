"""Measures an outage of one endpoint beside a healthy one, with real processes and real time.

python -m tests.e2e.outage

Starts `make run` and creates two connectors. Publishes all the time to both of them, and lets one
endpoint accept requests without ever answering for four minutes. Prints how late the healthy
endpoint got its events, how many attempts the other one wasted, and how soon it had all of its
events afterwards. Ends with 1 when a goal is missed.
"""

import argparse
import math
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.conftest import Stack
from tests.e2e.customer import HANGING_SECONDS, Customer

GOAL_P99, GOAL_WASTED, GOAL_RECOVERY = 0.1, 150, 120.0
"""Seconds from publishing to the healthy endpoint, attempts, and seconds after the outage."""

CALM, GOAL_RATIO = 45.0, 1.5
"""Seconds before the outage in which both endpoints work. Where the machine itself is slower than
`GOAL_P99`, the outage may make the healthy endpoint's p99 so many times what it was then."""

EVENTS_PER_CALL = 5
"""The emulator takes some 60 ms for a call. On a busy machine, 20 calls a second are too many."""

BEFORE = 20.0
"""Seconds before the outage, for the first starts of processes. They do not count."""

LOST_SECONDS = 300.0
"""Seconds after the outage until missing events are given up."""

HEALTHY, HANGING = "healthy", "hanging"


class Run:
    """A new stack, what was published to it and when, and what its receiver got."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self.published: dict[str, float] = {}
        self.arrived: dict[str, list[tuple[str, float]]] = {HEALTHY: [], HANGING: []}
        self._seen = dict.fromkeys(self.arrived, 0)
        for hook in self.arrived:
            customer.connect(hook)

    def let_hang(self, seconds: float) -> None:
        """Let one endpoint answer after so many seconds from now on."""
        self._customer.let_answer(HANGING, delay_s=seconds)

    def publish(self, rate: float, seconds: float) -> None:
        """Publish so many events a second, for so many seconds; fewer, if calls take too long."""
        pause = EVENTS_PER_CALL / rate
        due = time.monotonic()
        end = due + seconds
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            self._publish(EVENTS_PER_CALL)
            due = max(due + pause, time.monotonic())

    def _publish(self, events: int) -> None:
        now = time.time()
        ids = [f"event-{len(self.published) + number}" for number in range(events)]
        assert self._customer.publish(self._customer.touches(ids))
        self.published |= dict.fromkeys(ids, now)

    def collect(self) -> None:
        """Ask the receiver for what has arrived since it was asked before."""
        for hook, arrived in self.arrived.items():
            for delivery in self._customer.deliveries(hook, after=self._seen[hook]):
                arrived.append((delivery.event_id, delivery.at))
                self._seen[hook] = delivery.number

    def first_arrivals(self, hook: str, since: float = 0.0) -> dict[str, float]:
        """When each event has first arrived, since a moment."""
        found: dict[str, float] = {}
        for event_id, at in self.arrived[hook]:
            if at >= since:
                found.setdefault(event_id, at)
        return found


def measure(run: Run, rate: float, seconds: float) -> bool:
    """Let the outage begin and end, and print the line; whether every goal is met."""
    run.publish(rate, BEFORE)
    calm = time.time()
    run.publish(rate, CALM)
    run.let_hang(HANGING_SECONDS)
    began = time.time()
    run.publish(rate, seconds)
    run.let_hang(0)
    ended = time.time()
    # What was published to the hanging endpoint shortly before it hung may be among these, too.
    owed = {event for event, at in run.published.items() if began <= at < ended}
    while time.time() < ended + LOST_SECONDS:
        run.publish(rate, 5.0)
        run.collect()
        if owed <= run.first_arrivals(HANGING, since=ended).keys():
            break
    back = run.first_arrivals(HANGING, since=ended)
    missing = len(owed - back.keys())
    recovery = max((back[event] - ended for event in owed & back.keys()), default=0.0)
    wasted = sum(began <= at < ended for _, at in run.arrived[HANGING])
    calm_p50, calm_p99, _ = _percentiles(run, calm, began)
    p50, p99, most = _percentiles(run, began, ended + recovery)
    print(
        f"outage: seconds={ended - began:.0f} events_per_second={len(owed) / (ended - began):.1f} "
        f"owed={len(owed)} "
        f"missing={missing} wasted_attempts={wasted} recovery_seconds={recovery:.0f} "
        f"calm_p50={calm_p50:.3f} calm_p99={calm_p99:.3f} "
        f"healthy_p50={p50:.3f} healthy_p99={p99:.3f} healthy_max={most:.3f}",
        flush=True,
    )
    in_time = p99 <= max(GOAL_P99, GOAL_RATIO * calm_p99) and recovery < GOAL_RECOVERY
    return in_time and wasted < GOAL_WASTED and not missing


def _percentiles(run: Run, begin: float, end: float) -> tuple[float, float, float]:
    """p50, p99 and maximum of the seconds until the healthy endpoint got what came then."""
    arrived = run.first_arrivals(HEALTHY)
    latencies = sorted(
        arrived.get(event, math.inf) - at
        for event, at in run.published.items()
        if begin <= at < end
    )
    p50, p99, most = (latencies[math.ceil(len(latencies) * part) - 1] for part in (0.5, 0.99, 1))
    return p50, p99, most


def main() -> int:
    """Do one run."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.outage")
    parser.add_argument("--rate", type=float, default=20.0, help="events a second")
    parser.add_argument("--minutes", type=float, default=4.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            is_good = measure(Run(Customer(stack.ready)), options.rate, options.minutes * 60)
        finally:
            stack.end()
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
