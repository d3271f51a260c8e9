"""An event acceptor whose table, history and queues are in memory."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.kernel import times
from dataconnectors.store.projects import Snapshot
from tests.support.rows import a_connector
from tests.support.sqs_sends import SqsSends

NOW = 1_790_000_000.0

CONNECTOR = a_connector(
    project="p1",
    id="c1",
    labels=("name",),
    url="https://example.com/",
    epoch=3,
    version=7,
    queue_id="q1",
    queue_url="https://sqs/q1",
    mapping_id="m1",
    provisioned="x",
)
DEVICE = Device("p1", "d1", "temperature", {"name": "Fridge", "room": "ä"}, "100", "")


class Tables:
    """A fake of the reads that ingest makes. `loads` counts the reads of all connectors."""

    def __init__(self, *connectors: Connector) -> None:
        self.rows = list(connectors)
        self.version = 1
        self.devices = {"d1": DEVICE}
        self.loads = 0

    def snapshot(self, project: str, device_ids: list[str]) -> Snapshot | None:
        if project != "p1":
            return None
        found = {name: self.devices[name] for name in device_ids if name in self.devices}
        return Snapshot(self.version, found)

    def connectors(self, project: str) -> list[Connector]:
        self.loads += 1
        return list(self.rows)

    def connector(self, name: str) -> Connector | None:
        return next((row for row in self.rows if row.name == name), None)


class DeviceWrites:
    """A fake that records the devices that ingest registered and those that got a type."""

    def __init__(self) -> None:
        self.registered: list[Device] = []
        self.typed: list[Device] = []

    def register(self, devices: list[Device]) -> None:
        self.registered += devices

    def set_type(self, device: Device) -> None:
        self.typed.append(device)


class History:
    """A fake of history. It writes all events, and reports those in `fails` as failed."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.fails: set[str] = set()

    def write(self, _project: str, events: Mapping[int, Event]) -> dict[int, str]:
        self.written += [event.id for event in events.values()]
        return {index: "no history" for index, event in events.items() if event.id in self.fails}


class AcceptorBench:
    """An acceptor over a table, history and SQS that tests can look into."""

    def __init__(self, table: Tables, sqs: SqsSends | None = None) -> None:
        self.table = table
        self.sqs = sqs or SqsSends()
        self.devices = DeviceWrites()
        self.history = History()
        queues = ConnectorQueues(self.sqs, ThreadPoolExecutor(4), sleep=lambda seconds: None)
        self.acceptor = EventAcceptor(
            table,  # type: ignore[arg-type]  # the reads it makes
            table,  # type: ignore[arg-type]  # the reads it makes
            self.devices,  # type: ignore[arg-type]  # the writes it makes
            self.history,  # type: ignore[arg-type]  # the writes it makes
            queues,
            lambda: NOW,
        )

    def accept(self, *envelopes: Any) -> AcceptResult:
        return self.acceptor.accept("p1", list(envelopes))

    def bodies(self, url: str = "https://sqs/q1") -> list[Any]:
        return [json.loads(json.loads(text)["body"]) for text in self.sqs.messages.get(url, [])]


def envelope(event_id: str = "e1", **changes: Any) -> dict[str, Any]:
    return {
        "eventId": event_id,
        "targetName": "projects/p1/devices/d1",
        "eventType": "temperature",
        "data": {"temperature": {"value": 24.0}},
        "timestamp": times.to_text(NOW),
    } | changes
