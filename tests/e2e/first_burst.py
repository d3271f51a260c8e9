"""Measures a first burst to one healthy endpoint among hanging ones, with real processes and time.

python -m tests.e2e.first_burst --events 20 --runs 3

Starts `make run` and creates ten connectors, of which nine lead to an endpoint that accepts
requests and never answers. Then publishes to all of them in one call, so that every sending process
has to start first. Prints for each run how late the healthy endpoint got its events. Ends with 1
when one of them was too late.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.conftest import Stack
from tests.e2e.customer import HANGING_SECONDS, Customer

CONNECTORS = 10

LATE_SECONDS = 3.0
"""The latest arrival at the healthy endpoint after publishing: as long as the SDK waits for an
answer."""

LOST_SECONDS = 90.0
"""Seconds after publishing until missing events are given up."""

HEALTHY, HANGING = "healthy", "hanging"


def connect(customer: Customer) -> None:
    """Create the connectors. The healthy one is the last, so its queue is polled last, too."""
    customer.let_answer(HANGING, delay_s=HANGING_SECONDS)
    for hook in [HANGING] * (CONNECTORS - 1) + [HEALTHY]:
        customer.connect(hook)


def arrivals(customer: Customer, events: int) -> dict[str, float]:
    """When the healthy endpoint got each event for the first time, once it has all of them."""
    deadline = time.monotonic() + LOST_SECONDS
    while True:
        found: dict[str, float] = {}
        for delivery in customer.deliveries(HEALTHY):
            found.setdefault(delivery.event_id, delivery.at)
        if len(found) == events or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def burst(events: int) -> bool:
    """Do one run on a new stack and print its line; whether every event was in time."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            ready = time.monotonic()
            customer = Customer(stack.ready)
            connect(customer)
            connected = time.monotonic()
            published = time.time()
            ids = [f"event-{number}" for number in range(events)]
            assert customer.publish(customer.touches(ids))
            answered = time.time()
            latencies = sorted(at - published for at in arrivals(customer, events).values())
        finally:
            stack.end()
    first, last = (latencies[0], latencies[-1]) if latencies else (LOST_SECONDS, LOST_SECONDS)
    print(
        f"first burst: events={events} arrived={len(latencies)} first_seconds={first:.2f} "
        f"last_seconds={last:.2f} publish_seconds={answered - published:.2f} "
        f"connect_seconds={connected - ready:.1f} start_seconds={ready - began:.1f}",
        flush=True,
    )
    return len(latencies) == events and last <= LATE_SECONDS


def main() -> int:
    """Do the requested number of runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.first_burst")
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    in_time = [burst(options.events) for _ in range(options.runs)]
    return 0 if all(in_time) else 1


if __name__ == "__main__":
    sys.exit(main())
