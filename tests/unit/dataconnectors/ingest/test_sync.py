"""Which last events a sync sends, and when it ends."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.devices.device import Device, DeviceState
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.ingest.sync import Sync
from dataconnectors.kernel.errors import UnavailableError
from dataconnectors.store import keys
from tests.support.acceptor import CONNECTOR, NOW
from tests.support.sqs_sends import SqsSends, refuse

QUEUE = CONNECTOR.queue_url


class Connectors:
    """A fake of the store with one connector, which may change between two reads."""

    def __init__(self, *rows: Connector | None) -> None:
        self._rows = list(rows)

    def connector(self, _name: str) -> Connector | None:
        return self._rows.pop(0) if len(self._rows) > 1 else self._rows[0]


class Devices:
    """A fake of the store with `count` devices, which have two last values each."""

    def __init__(self, count: int) -> None:
        self.states_of: dict[str, list[DeviceState]] = {}
        for number in range(count):
            device = Device("p1", f"d{number}", "touch", {"name": f"D{number}"}, "", "")
            partition = keys.device_key("p1", device.id)["pk"]["S"]
            texts = {
                kind: json.dumps({"eventId": f"{kind}{number}"}, separators=(",", ":"))
                for kind in ("touch", "co2")
            }
            self.states_of.setdefault(partition, []).append(DeviceState(device, texts))

    def states(self, _project: str, partition: str) -> Iterator[DeviceState]:
        return iter(self.states_of.get(partition, []))


def sync(connectors: Connectors, devices: Devices, sqs: SqsSends) -> int:
    queues = ConnectorQueues(sqs, ThreadPoolExecutor(4), sleep=lambda seconds: None)
    made = Sync(connectors, devices, queues, lambda: NOW)  # type: ignore[arg-type]  # the reads it makes
    return made.run(CONNECTOR.name)


def test_each_last_event_is_sent_once_with_its_own_id_and_the_current_labels() -> None:
    sqs = SqsSends()
    assert sync(Connectors(CONNECTOR), Devices(3000), sqs) == 6000
    messages = [json.loads(text) for text in sqs.messages[QUEUE]]
    assert len({message["eventId"] for message in messages}) == 6000
    assert {message["epoch"] for message in messages} == {CONNECTOR.epoch}
    body = json.loads(next(m["body"] for m in messages if m["eventId"] == "co27"))
    assert body["event"] == {"eventId": "co27"}
    assert body["labels"] == {"name": "D7"}
    assert len(sqs.calls) <= 6000 / 10 + keys.DEVICE_SHARDS


def test_only_events_of_the_connectors_types_are_sent() -> None:
    sqs = SqsSends()
    assert sync(Connectors(replace(CONNECTOR, event_types=("touch",))), Devices(5), sqs) == 5


@pytest.mark.parametrize(
    "change",
    [
        lambda row: None,
        lambda row: replace(row, status=Status.USER_DISABLED, epoch=row.epoch + 1),
        lambda row: replace(row, epoch=row.epoch + 2),  # disabled and enabled again
        lambda row: replace(row, lifecycle=Lifecycle.DELETING),
    ],
)
def test_a_sync_ends_when_the_connector_is_disabled_or_deleted(
    change: Callable[[Connector], Connector | None],
) -> None:
    sqs = SqsSends()
    reads = Connectors(CONNECTOR, CONNECTOR, CONNECTOR, change(CONNECTOR))
    devices = Devices(1000)
    expected = sum(
        2 * len(devices.states_of[partition]) for partition in keys.device_partitions("p1")[:2]
    )
    assert sync(reads, devices, sqs) == expected


def test_a_connector_that_does_not_exist_or_is_not_ready_gets_nothing() -> None:
    for row in (None, replace(CONNECTOR, lifecycle=Lifecycle.PROVISIONING)):
        sqs = SqsSends()
        assert sync(Connectors(row), Devices(5), sqs) == 0
        assert sqs.messages == {}


def test_an_event_that_the_queue_does_not_accept_fails_the_run() -> None:
    with pytest.raises(UnavailableError, match=r"RequestThrottled.*sync it again"):
        sync(Connectors(CONNECTOR), Devices(5), SqsSends(refuse("RequestThrottled")))


def test_a_sync_ends_without_an_error_when_the_deleted_connectors_queue_is_gone() -> None:
    gone = [refuse("QueueDoesNotExist")] * 20
    assert sync(Connectors(CONNECTOR), Devices(5), SqsSends(*gone)) == 0


def test_an_event_that_became_too_large_does_not_stop_the_others() -> None:
    devices = Devices(2)
    for states in devices.states_of.values():
        for state in states:
            if state.device.id == "d1":
                state.events["touch"] = json.dumps({"eventId": "large", "x": "\u0001" * 20_000})
    assert sync(Connectors(CONNECTOR), devices, SqsSends()) == 3
