"""From a caller's events to messages in queues: who gets what, and what counts as accepted."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import (
    BadRequestError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from dataconnectors.store.projects import Snapshot
from tests.support.rows import a_connector
from tests.support.sqs_sends import SqsSends, refuse

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


class Table:
    """The two reads that ingest makes, and how often it made the dearer one."""

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


class Devices:
    """What ingest learns of devices."""

    def __init__(self) -> None:
        self.registered: list[Device] = []
        self.typed: list[Device] = []

    def register(self, devices: list[Device]) -> None:
        self.registered += devices

    def set_type(self, device: Device) -> None:
        self.typed.append(device)


class Keeper:
    """History that confirms what it is not told to fail."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.fails: set[str] = set()

    def keep(self, _project: str, events: Mapping[int, Event]) -> dict[int, str]:
        self.kept += [event.id for event in events.values()]
        return {index: "no history" for index, event in events.items() if event.id in self.fails}


class Bench:
    """Ingest over a table, history and SQS that tests can look into."""

    def __init__(self, table: Table, sqs: SqsSends | None = None) -> None:
        self.table = table
        self.sqs = sqs or SqsSends()
        self.devices = Devices()
        self.keeper = Keeper()
        queues = ConnectorQueues(self.sqs, ThreadPoolExecutor(4), sleep=lambda seconds: None)
        self.ingest = EventAcceptor(
            table,  # type: ignore[arg-type]  # the reads it makes
            table,  # type: ignore[arg-type]  # the reads it makes
            self.devices,  # type: ignore[arg-type]  # the writes it makes
            self.keeper,  # type: ignore[arg-type]  # the writes it makes
            queues,
            lambda: NOW,
        )

    def accept(self, *envelopes: Any) -> AcceptResult:
        return self.ingest.accept("p1", list(envelopes))

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


def test_the_message_carries_the_final_body_and_the_epoch() -> None:
    bench = Bench(Table(CONNECTOR))
    assert bench.accept(envelope()) == AcceptResult(1)
    (text,) = bench.sqs.messages["https://sqs/q1"]
    message = json.loads(text)
    stamp = times.to_text(NOW)
    assert {name: message[name] for name in message if name != "body"} == {
        "v": 1,
        "connector": "projects/p1/dataconnectors/c1",
        "epoch": 3,
        "eventId": "e1",
        "acceptedAt": 1_790_000_000_000,
    }
    assert message["body"] == (
        '{"event":{"eventId":"e1","targetName":"projects/p1/devices/d1","eventType":"temperature",'
        f'"data":{{"temperature":{{"value":24,"updateTime":"{stamp}",'
        f'"samples":[{{"value":24,"sampleTime":"{stamp}"}}],"isBackfilled":false}}}},'
        f'"timestamp":"{stamp}"}},"labels":{{"name":"Fridge"}},'
        '"metadata":{"deviceId":"d1","projectId":"p1","deviceType":"temperature",'
        '"productNumber":"100"}}'
    )


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, True),
        ({"event_types": ("temperature",)}, True),
        ({"event_types": ("touch",)}, False),
        ({"status": Status.USER_DISABLED}, False),
        ({"status": Status.SYSTEM_DISABLED}, False),
        ({"lifecycle": Lifecycle.PROVISIONING}, False),
        ({"lifecycle": Lifecycle.DELETING}, False),
    ],
)
def test_only_connectors_that_want_the_event_get_it(change: dict[str, Any], wanted: bool) -> None:
    bench = Bench(Table(replace(CONNECTOR, **change)))
    assert bench.accept(envelope()) == AcceptResult(1)
    assert len(bench.bodies()) == wanted


@pytest.mark.parametrize(
    ("chosen", "delivered"),
    [
        ((), {}),
        (("name",), {"name": "Fridge"}),
        (("room", "missing"), {"room": "ä"}),
    ],
)
def test_the_chosen_labels_that_the_device_has_are_delivered(
    chosen: tuple[str, ...], delivered: dict[str, str]
) -> None:
    bench = Bench(Table(replace(CONNECTOR, labels=chosen)))
    bench.accept(envelope())
    assert bench.bodies()[0]["labels"] == delivered


def test_an_event_of_a_device_not_known_is_delivered_without_labels() -> None:
    bench = Bench(Table(CONNECTOR))
    assert bench.accept(envelope(targetName="projects/p1/devices/new")).accepted == 1
    body = bench.bodies()[0]
    assert body["labels"] == {}
    assert body["metadata"] == {
        "deviceId": "new",
        "projectId": "p1",
        "deviceType": "temperature",
        "productNumber": "",
    }


def test_a_change_of_configuration_is_seen_by_the_next_event_and_read_once() -> None:
    table = Table(CONNECTOR)
    bench = Bench(table)
    bench.accept(envelope("e1"))
    bench.accept(envelope("e2"))
    assert table.loads == 1
    table.rows, table.version = [replace(CONNECTOR, epoch=4, labels=())], 2
    bench.accept(envelope("e3"))
    assert table.loads == 2
    assert json.loads(bench.sqs.messages["https://sqs/q1"][-1])["epoch"] == 4
    assert [body["labels"] for body in bench.bodies()] == [{"name": "Fridge"}] * 2 + [{}]


def test_invalid_events_are_refused_by_index_and_the_others_accepted() -> None:
    bench = Bench(Table(CONNECTOR))
    outcome = bench.accept(envelope("e0", eventType="x"), envelope("e1"), 3, envelope("e3"))
    assert outcome.accepted == 2
    assert [error["index"] for error in outcome.errors()] == [0, 2]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e1", "e3"]


def test_an_event_too_large_as_a_message_is_refused_by_index() -> None:
    bench = Bench(Table(CONNECTOR))
    wide = {"temperature": {"value": 1, "note": "é" * 12_000}}  # 24 kB as UTF-8, 84 kB escaped
    outcome = bench.accept(envelope("e0", data=wide), envelope("e1"))
    assert outcome.accepted == 1
    assert "at most 65536" in outcome.refused[0]


@pytest.mark.parametrize("code", ["RequestThrottled", "InternalError"])
def test_an_event_is_accepted_only_when_every_queue_has_confirmed_it(code: str) -> None:
    other = replace(CONNECTOR, id="c2", queue_url="https://sqs/q2", event_types=("touch",))

    def only_q1(url: str, entries: list[dict[str, str]]) -> list[str]:
        return refuse(code)(url, entries) if "q2" in url else [entry["Id"] for entry in entries]

    bench = Bench(Table(CONNECTOR, other), SqsSends(only_q1, only_q1))
    touch = envelope("e1", eventType="touch", data={"touch": {}})
    outcome = bench.accept(envelope("e0"), touch, {"bad": 1})
    assert outcome.accepted == 1
    assert set(outcome.refused) == {2}
    assert set(outcome.unconfirmed) == {1}
    assert "projects/p1/dataconnectors/c2" in outcome.unconfirmed[1]


def test_a_queue_that_went_with_its_connector_takes_nothing_down() -> None:
    table = Table(CONNECTOR)
    bench = Bench(table, SqsSends(refuse("QueueDoesNotExist"), refuse("QueueDoesNotExist")))
    assert bench.accept(envelope()).unconfirmed.keys() == {0}
    table.rows = []  # deleted since the configuration was read
    assert bench.accept(envelope()) == AcceptResult(1)


@pytest.mark.parametrize(
    ("envelopes", "error"),
    [
        (None, BadRequestError),
        ({}, BadRequestError),
        ([], BadRequestError),
        ([{}] * 101, BadRequestError),
    ],
)
def test_what_is_no_list_of_events_is_refused(envelopes: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="events: "):
        Bench(Table(CONNECTOR)).ingest.accept("p1", envelopes)


def test_a_project_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="projects/p2"):
        Bench(Table(CONNECTOR)).ingest.accept("p2", [envelope()])


def test_more_messages_than_a_call_may_make_are_refused_before_any_is_sent() -> None:
    rows = [replace(CONNECTOR, id=f"c{n}", queue_url=f"https://sqs/{n}") for n in range(21)]
    bench = Bench(Table(*rows))
    with pytest.raises(TooLargeError, match=r"2100 messages, at most 2000: split"):
        bench.accept(*[envelope(f"e{n}") for n in range(100)])
    assert bench.sqs.messages == {}
    assert bench.accept(*[envelope(f"e{n}") for n in range(95)]).accepted == 95


def test_an_emulated_device_publishes_one_event() -> None:
    bench = Bench(Table(CONNECTOR))
    bench.ingest.publish("p1", "d1", {"touch": {}}, "e9")
    assert bench.bodies()[0]["event"]["eventId"] == "e9"


@pytest.mark.parametrize(
    ("device", "payload", "error"),
    [
        ("d2", {"touch": {}}, NotFoundError),
        ("a/b", {"touch": {}}, NotFoundError),
        ("d1", {"bogus": {}}, BadRequestError),
        ("d1", {"temperature": {"value": 1, "note": "é" * 12_000}}, BadRequestError),
    ],
)
def test_a_publish_call_that_cannot_be_accepted_says_why(
    device: str, payload: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Bench(Table(CONNECTOR)).ingest.publish("p1", device, payload, "e1")


def test_a_publish_call_that_is_not_confirmed_raises() -> None:
    bench = Bench(Table(CONNECTOR), SqsSends(refuse("InternalError")))
    with pytest.raises(UnavailableError, match="dataconnectors/c1"):
        bench.ingest.publish("p1", "d1", {"touch": {}}, "e1")


def test_history_is_written_before_any_queue_and_a_failure_there_sends_nothing() -> None:
    bench = Bench(Table(CONNECTOR))
    bench.keeper.fails = {"e1"}
    outcome = bench.accept(envelope("e0"), envelope("e1"), {"bad": 1}, envelope("e3"))
    assert outcome.accepted == 2
    assert outcome.unconfirmed == {1: "no history"}
    assert bench.keeper.kept == ["e0", "e1", "e3"]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e0", "e3"]


def test_history_is_kept_whatever_the_connectors_state() -> None:
    bench = Bench(Table(replace(CONNECTOR, status=Status.USER_DISABLED)))
    assert bench.accept(envelope()) == AcceptResult(1)
    assert bench.keeper.kept == ["e1"]


def test_what_is_refused_is_not_kept() -> None:
    bench = Bench(Table(CONNECTOR))
    wide = {"temperature": {"value": 1, "note": "é" * 12_000}}
    bench.accept(envelope("e0", data=wide), envelope("e1", eventType="x"))
    assert bench.keeper.kept == []


def test_a_device_becomes_known_with_its_first_event() -> None:
    bench = Bench(Table(CONNECTOR))

    def of(device: str, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
        target = f"projects/p1/devices/{device}"
        return envelope(targetName=target, eventType=event_type, data={event_type: data})

    bench.accept(
        of("d1", "touch", {}),
        of("new", "touch", {}),
        of("new", "co2", {"ppm": 400}),
        of("quiet", "touch", {}),
    )
    made = [(device.id, device.type, device.labels) for device in bench.devices.registered]
    assert made == [("new", "co2", {}), ("quiet", "", {})]
    assert bench.devices.typed == []


def test_a_device_without_a_type_gets_it_from_the_event_that_tells() -> None:
    table = Table(CONNECTOR)
    table.devices["d1"] = replace(DEVICE, type="")
    bench = Bench(table)
    bench.accept(envelope("e1", eventType="touch", data={"touch": {}}))
    assert bench.devices.typed == []
    bench.accept(envelope("e2"))
    assert bench.devices.typed == [DEVICE]
    assert [body["metadata"]["deviceType"] for body in bench.bodies()] == ["", "temperature"]
    assert bench.devices.registered == []


def test_labels_changed_makes_no_device_known() -> None:
    bench = Bench(Table(CONNECTOR))
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    gone = envelope(targetName="projects/p1/devices/gone", eventType="labelsChanged", data=data)
    assert bench.ingest.accept("p1", [gone], from_label_change=True) == AcceptResult(1)
    assert bench.devices.registered == []
    assert bench.bodies()[0]["event"]["data"] == data


def test_a_publisher_does_not_tell_of_labels() -> None:
    bench = Bench(Table(CONNECTOR))
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    outcome = bench.accept(envelope("e1"), envelope("e2", eventType="labelsChanged", data=data))
    assert outcome.accepted == 1
    assert list(outcome.refused) == [1]
    assert "not published" in outcome.refused[1]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e1"]
