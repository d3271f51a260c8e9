"""How devices are registered, counted, read, moved and deleted in the table, over moto."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event
from dataconnectors.identity.projects import ORGANIZATION, Project
from dataconnectors.kernel.errors import ConflictError, UnavailableError
from dataconnectors.store import keys
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history_writer import HistoryWriter
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.dynamodb import Answer, Watched, fail


def device(device_id: str, device_type: str = "touch", project: str = "p1") -> Device:
    return Device(project, device_id, device_type, {"name": device_id}, "", "")


class Bench:
    """A table with two projects."""

    def __init__(self) -> None:
        make_table()
        self.dynamodb = Watched(boto3.client("dynamodb"))
        self.table = Table(self.dynamodb, "dc-test-table")
        self.projects = ProjectStore(self.table)
        for project in ("p1", "p2"):
            self.projects.create_project(Project(project, "", ORGANIZATION, 0, 0, ""))
        self.slept: list[float] = []
        self.devices = DeviceStore(self.table, sleep=self.slept.append)

    def counts(self, project: str = "p1") -> tuple[int, int]:
        found = self.projects.project(project)
        assert found is not None
        return found.sensor_count, found.cloud_connector_count

    def listed(self, project: str = "p1") -> list[str]:
        return sorted(
            state.device.id
            for partition in keys.device_partitions(project)
            for state in self.devices.states(project, partition)
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    with mock_aws():
        yield Bench()


def cancelled(**_: Any) -> Any:
    """Answer that the transaction conflicted with another one."""
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": ""},
        "CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}],
    }
    raise ClientError(answer, "TransactWriteItems")


def test_a_hundred_new_devices_are_put_in_few_transactions_and_counted(bench: Bench) -> None:
    new = [device(f"d{n}", "ccon" if n % 10 == 0 else "touch") for n in range(100)]
    bench.devices.register(new)
    assert bench.counts() == (90, 10)
    assert len(bench.listed()) == 100
    assert bench.dynamodb.calls["transact_write_items"] == 2 + 2


def test_devices_that_exist_already_keep_their_labels_and_count_once(
    bench: Bench,
) -> None:
    bench.devices.create_device(device("d1"))
    bench.devices.register([replace(device("d1"), labels={}), device("d2")])
    assert bench.counts() == (2, 0)
    found = bench.devices.device("p1", "d1")
    assert found is not None
    assert found.labels == {"name": "d1"}


@pytest.mark.parametrize("conflicts", [1, 4, 5])
def test_a_write_waits_until_conflicts_on_the_counters_end(bench: Bench, conflicts: int) -> None:
    bench.dynamodb.answers["transact_write_items"] = [cancelled] * conflicts
    bench.devices.register([device("d1")])
    assert bench.counts() == (1, 0)
    assert bench.slept == sorted(bench.slept)


def test_conflicts_that_do_not_end_raise_an_error(bench: Bench) -> None:
    bench.dynamodb.answers["transact_write_items"] = [cancelled] * 99
    with pytest.raises(UnavailableError, match="send the events again"):
        bench.devices.register([device("d1")])
    assert sum(bench.slept) < 5


@pytest.mark.parametrize("answer", [fail("ProvisionedThroughputExceededException")])
def test_other_failures_raise_an_error(bench: Bench, answer: Answer) -> None:
    bench.dynamodb.answers["transact_write_items"] = [answer]
    with pytest.raises(ClientError):
        bench.devices.register([device("d1")])


def test_concurrent_calls_count_every_device_once(bench: Bench) -> None:
    for start in range(0, 60, 10):
        bench.devices.register([device(f"d{n}") for n in range(start, start + 30)])
    assert bench.counts() == (80, 0)
    assert len(bench.listed()) == 80


@pytest.mark.parametrize(("first", "counts"), [("co2", (1, 0)), ("ccon", (0, 1))])
def test_a_type_is_set_once_and_counted(bench: Bench, first: str, counts: tuple[int, int]) -> None:
    bench.devices.create_device(device("d1", ""))
    for device_type in (first, "motion"):
        bench.devices.set_type(device("d1", device_type))
    found = bench.devices.device("p1", "d1")
    assert found is not None
    assert found.type == first
    assert bench.counts() == counts


def test_labels_are_changed_only_if_they_are_as_they_were_read(bench: Bench) -> None:
    bench.devices.create_device(device("d1"))
    assert bench.devices.set_labels(device("d1"), {"a": "1"}, "T")
    assert not bench.devices.set_labels(device("d1"), {"a": "2"}, "T")
    assert not bench.devices.set_labels(device("d2"), {"a": "2"}, "T")
    found = bench.devices.device("p1", "d1")
    assert found is not None
    assert found.labels == {"a": "1"}


def write_events(bench: Bench, device_id: str, *types: str) -> None:
    writer = HistoryWriter(bench.table, ThreadPoolExecutor(2), keeps_history=False)
    text = '{{"targetName":"projects/p1/devices/{}","timestamp":"2026-09-21T14:13:20Z","n":"{}"}}'
    events = [
        Event("e", device_id, event_type, 1_790_000_000.0, text.format(device_id, event_type))
        for event_type in types
    ]
    assert writer.write("p1", dict(enumerate(events))) == {}


def test_devices_whose_ids_begin_alike_have_separate_values(bench: Bench) -> None:
    ids = ["d", "d-", "d1", "d_", "dA"]
    bench.devices.register([device(device_id) for device_id in ids])
    for device_id in ids:
        write_events(bench, device_id, "touch", "co2")
    for device_id in ids:
        state = bench.devices.state("p1", device_id)
        assert state is not None
        assert state.device.id == device_id
        assert set(state.events) == {"co2", "touch"}
        assert all(f'devices/{device_id}"' in text for text in state.events.values())
    assert bench.listed() == sorted(ids)


def sharing_a_partition(device_id: str) -> str:
    """A longer id that begins with this one and is stored in the same partition."""
    longer = (f"{device_id}{number}" for number in range(1000))
    return next(each for each in longer if keys.device_shard(each) == keys.device_shard(device_id))


def test_a_device_is_not_found_by_the_beginning_of_its_id(bench: Bench) -> None:
    bench.devices.create_device(device(sharing_a_partition("d")))
    assert bench.devices.state("p1", "d") is None


def test_last_values_without_a_device_are_left_out(bench: Bench) -> None:
    gone = sharing_a_partition("d")
    bench.devices.create_device(device("d"))
    write_events(bench, gone, "touch")
    assert bench.devices.state("p1", gone) is None
    partition = keys.device_key("p1", gone)["pk"]["S"]
    (state,) = bench.devices.states("p1", partition)
    assert (state.device.id, state.events) == ("d", {})


def test_reading_continues_after_an_id(bench: Bench) -> None:
    bench.devices.register([device(f"d{n}") for n in range(40)])
    for partition in keys.device_partitions("p1"):
        ids = [state.device.id for state in bench.devices.states("p1", partition)]
        for place, last in enumerate(ids):
            rest = [state.device.id for state in bench.devices.states("p1", partition, last)]
            assert rest == ids[place + 1 :]


def test_a_transfer_moves_everything_or_nothing(bench: Bench) -> None:
    bench.devices.create_device(device("d1", "ccon"))
    write_events(bench, "d1", "touch", "co2")
    state = bench.devices.state("p1", "d1")
    assert state is not None
    changed = replace(state, device=replace(state.device, labels={"old": "labels"}))
    with pytest.raises(ConflictError):
        bench.devices.transfer(changed, "p2")
    assert (bench.counts("p1"), bench.counts("p2")) == ((0, 1), (0, 0))
    bench.devices.transfer(state, "p2")
    assert (bench.counts("p1"), bench.counts("p2")) == ((0, 0), (0, 1))
    moved = bench.devices.state("p2", "d1")
    assert moved is not None
    assert moved.device.labels == {"name": "d1"}
    assert all("projects/p2/devices/d1" in text for text in moved.events.values())
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert not [item for item in items if item["pk"]["S"].startswith("DEVICES#p1#")]


def test_a_deleted_device_leaves_no_items(bench: Bench) -> None:
    bench.devices.create_device(device("d1"))
    write_events(bench, "d1", "touch")
    assert bench.devices.delete_device(device("d1"))
    assert not bench.devices.delete_device(device("d1"))
    assert bench.counts() == (0, 0)
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert not [item for item in items if item["pk"]["S"].startswith("DEVICES#p1#")]


def test_a_device_is_found_among_many_projects(bench: Bench) -> None:
    bench.devices.create_device(device("d1", project="p2"))
    many = [f"q{n}" for n in range(150)]
    assert bench.devices.project_of("d1", [*many, "p1", "p2"]) == "p2"
    assert bench.devices.project_of("d1", many) is None
    assert bench.devices.project_of("d1", []) is None
