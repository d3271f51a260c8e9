"""Syncs a connector of a project with very many devices, with real processes and time.

    python -m tests.e2e.sync_many --devices 10000

Starts `make run`, publishes three events of two types for each device over HTTP, and creates
connectors to two receivers. Then the vendor's SDK syncs one of them. Its receiver has to get the
latest event of each type of each device and nothing else, and the other receiver nothing. Prints
one line, and ends with 1 if that fails.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import disruptive

from tests.e2e.conftest import Stack
from tests.e2e.customer import Customer

CALL = 100
"""Events of a publish call, which takes no more."""

PUBLISHERS = 3

READINGS: tuple[tuple[float, str, dict[str, Any]], ...] = (
    (2.0, "temperature", {"temperature": {"value": 20.5}}),
    (1.0, "temperature", {"temperature": {"value": 21.5}}),
    (1.0, "touch", {"touch": {}}),
)
"""The age in minutes, the type and the data of each device's events. The first is not its
latest."""

CALL_SECONDS = 3
"""The longest time of the sync call. Afterwards the SDK would repeat the call, and so the sync."""

STALLED_SECONDS = 240
"""Seconds without an arrival until the run is given up. A message whose sender died waits 180 s."""

QUIET_SECONDS = 10
"""Seconds after the last expected arrival in which no other may come."""

SYNCED, OTHER = "synced", "other"


class Run:
    """A run, with the events that the receiver has to get and those that arrived."""

    def __init__(self, stack: Stack, devices: int) -> None:
        self.devices = devices
        self.repeated_calls = 0
        self.owed: set[str] = set()
        self.arrived: Counter[str] = Counter()
        self._seen = 0
        self._customer = Customer(stack.ready)

    def publish(self) -> None:
        """Let each device report. Its first event registers a device."""
        now = datetime.now(UTC)
        events: list[dict[str, Any]] = []
        for reading, (minutes, event_type, data) in enumerate(READINGS):
            stamp = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
            events += [
                self._customer.event(
                    f"reading-{reading}-{number}", f"d{number}", event_type, data, stamp
                )
                for number in range(self.devices)
            ]
        latest = {(event["targetName"], event["eventType"]): event["eventId"] for event in events}
        self.owed = set(latest.values())
        calls = [events[start : start + CALL] for start in range(0, len(events), CALL)]
        with ThreadPoolExecutor(PUBLISHERS) as publishers:
            list(publishers.map(self._publish, calls))

    def _publish(self, events: list[dict[str, Any]]) -> None:
        """Publish, and repeat the call until every event is accepted, as publishers do."""
        while not self._customer.publish(events):
            self.repeated_calls += 1

    def look(self, hook: str = SYNCED) -> int:
        """Read what a receiver got since the last call; the number of deliveries."""
        deliveries = self._customer.deliveries(hook, after=self._seen)
        for delivery in deliveries:
            self._seen = delivery.number
            self.arrived[delivery.event_id] += 1
        return len(deliveries)

    def wait(self) -> None:
        """Wait until every expected event has arrived, or no event arrives any more."""
        last = time.monotonic()
        while self.missing() and time.monotonic() - last < STALLED_SECONDS:
            time.sleep(0.5)
            if self.look():
                last = time.monotonic()

    def missing(self) -> set[str]:
        """The expected events that have not arrived."""
        return self.owed - self.arrived.keys()

    def others(self) -> int:
        """The number of deliveries to the connector that was not synced."""
        self._seen = 0
        self.arrived.clear()
        return self.look(OTHER)


def connect(sdk: Any, stack: Stack, hook: str) -> Any:
    """Create a connector to one of the receiver's hooks."""
    config = sdk.DataConnector.HttpPushConfig(url=f"{stack.ready['receiver']}/hook/{hook}")
    return sdk.DataConnector.create_data_connector(stack.ready["project"], config, hook)


def main() -> int:
    """Do the run and print its line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.sync_many")
    parser.add_argument("--devices", type=int, default=10_000)
    options = parser.parse_args()
    sdk: Any = disruptive
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            os.environ["DT_CREDENTIALS_FILE"] = stack.ready["credentials"]
            sdk.default_auth = sdk.Auth.init()
            sdk.base_url = stack.ready["api"]
            sdk.request_timeout = 30  # listing takes longer than the default 3 s on a busy machine
            run = Run(stack, options.devices)
            began = time.monotonic()
            run.publish()
            published = time.monotonic()
            connector, _ = (connect(sdk, stack, hook) for hook in (SYNCED, OTHER))
            listed = len(sdk.Device.list_devices(stack.ready["project"]))
            called = time.monotonic()
            sdk.DataConnector.sync_data_connector(connector.data_connector_id, connector.project_id)
            answered = time.monotonic()
            run.wait()
            delivered = time.monotonic()
            time.sleep(QUIET_SECONDS)
            run.look()
            lost, arrived = len(run.missing()), run.arrived.copy()
            others = run.others()
        finally:
            stack.end()
    strange = sum(count for event_id, count in arrived.items() if event_id not in run.owed)
    duplicates = arrived.total() - len(arrived)
    print(
        f"sync: devices={listed} owed={len(run.owed)} arrived={arrived.total()} lost={lost} "
        f"strange={strange} duplicates={duplicates} others={others} "
        f"call_seconds={answered - called:.2f} delivery_seconds={delivered - answered:.0f} "
        f"publish_seconds={published - began:.0f} repeated_calls={run.repeated_calls}"
    )
    failed = lost or strange or others or listed != options.devices
    return 1 if failed or answered - called > CALL_SECONDS else 0


if __name__ == "__main__":
    sys.exit(main())
