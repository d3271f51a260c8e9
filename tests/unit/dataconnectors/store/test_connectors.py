"""The connector store, and the fake of it in virtual time, behave in the same way."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import boto3
import pytest
from moto import mock_aws

from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry
from dataconnectors.store import keys
from dataconnectors.store.connectors import TOMBSTONE_SECONDS, ConnectorStore
from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.connector_rows import FakeConnectorRows
from tests.support.control_plane import World
from tests.support.rows import a_connector
from tests.support.virtual_time import EPOCH

NEW = a_connector(
    display_name="Mine",
    event_types=("touch",),
    labels=("name",),
    sealed=b"sealed",
    lifecycle=Lifecycle.PROVISIONING,
)
MADE = {"queue_url": "https://sqs/q", "mapping_id": "m", "provisioned": "f"}


class Store(Protocol):
    """The methods that both have."""

    def connector(self, name: str) -> Connector | None: ...

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]: ...

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None: ...

    def remove(self, connector: Connector) -> bool: ...

    def was_removed(self, name: str) -> bool: ...


@dataclass
class Subject:
    """A store with one row, `NEW`. `delete` marks it as deleted, as the config API does."""

    store: Store
    delete: Callable[[], Connector]
    advance: Callable[[float], None]


def over_moto() -> Subject:
    make_table()
    table = Table(boto3.client("dynamodb"), "dc-test-table")
    version = {"version": {"N": "1"}, "connectorCount": {"N": "0"}}
    table.transact([table.put(keys.version_key("p") | version, "")], "")
    elapsed = [0.0]
    store = ConnectorStore(table, now=lambda: EPOCH + elapsed[0])
    store.create_connector(NEW)

    def delete() -> Connector:
        row = store.connector(NEW.name)
        assert row is not None
        gone = store.update_connector(row, replace(row, lifecycle=Lifecycle.DELETING))
        assert gone is not None
        return gone

    def advance(seconds: float) -> None:
        elapsed[0] += seconds

    return Subject(store, delete, advance)


def in_virtual_time() -> Subject:
    world = World(latency=0.0)
    store = FakeConnectorRows(world, index_lag=0.0)
    store.put(NEW)
    return Subject(store, lambda: store.delete(NEW.name), world.time.advance)


@pytest.fixture(params=[over_moto, in_virtual_time])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with mock_aws():
        made: Subject = request.param()
        yield made


def names(store: Store) -> dict[Lifecycle, list[str]]:
    return {
        lifecycle: [entry.name for entry in store.connectors_in(lifecycle)]
        for lifecycle in Lifecycle
        if list(store.connectors_in(lifecycle))
    }


def test_a_row_is_found_by_its_name_and_in_its_lifecycle(subject: Subject) -> None:
    assert subject.store.connector(NEW.name) == NEW
    assert list(subject.store.connectors_in(Lifecycle.PROVISIONING)) == [
        LifecycleEntry(NEW.name, NEW.queue_id, "", "")
    ]
    for name in ("projects/p/dataconnectors/d", "projects/q/dataconnectors/c", "c", ""):
        assert subject.store.connector(name) is None


def test_the_queue_and_the_mapping_are_stored_in_the_next_version_of_the_row(
    subject: Subject,
) -> None:
    ready = subject.store.set_ready(NEW, **MADE)
    assert ready is not None
    assert (ready.lifecycle, ready.version) == (Lifecycle.READY, 2)
    assert (ready.queue_url, ready.mapping_id, ready.provisioned) == tuple(MADE.values())
    assert subject.store.connector(NEW.name) == ready
    assert names(subject.store) == {Lifecycle.READY: [NEW.name]}


def test_a_row_that_changed_since_it_was_read_is_not_overwritten(subject: Subject) -> None:
    assert subject.store.set_ready(NEW, **MADE) is not None
    assert subject.store.set_ready(NEW, **MADE) is None
    gone = subject.delete()
    assert subject.store.set_ready(gone, **MADE) is None
    assert names(subject.store) == {Lifecycle.DELETING: [NEW.name]}


def test_only_a_connector_that_is_being_deleted_is_removed_and_only_once(subject: Subject) -> None:
    assert subject.store.remove(NEW) is False
    assert subject.store.connector(NEW.name) == NEW
    gone = subject.delete()
    assert subject.store.remove(gone) is True
    assert subject.store.connector(NEW.name) is None
    assert names(subject.store) == {}
    assert subject.store.remove(gone) is False


def test_a_connector_is_removed_whatever_version_was_read(subject: Subject) -> None:
    subject.delete()
    assert subject.store.remove(NEW) is True


def test_a_removed_connector_is_remembered_for_thirteen_hours(subject: Subject) -> None:
    assert not subject.store.was_removed(NEW.name)
    gone = subject.delete()
    assert not subject.store.was_removed(NEW.name)
    subject.store.remove(gone)
    assert subject.store.was_removed(NEW.name)
    subject.advance(TOMBSTONE_SECONDS - 1)
    assert subject.store.was_removed(NEW.name)
    # DynamoDB may keep the item for days. It no longer counts after its time.
    subject.advance(1)
    assert not subject.store.was_removed(NEW.name)
    for name in ("projects/p/dataconnectors/d", "c", ""):
        assert not subject.store.was_removed(name)


def test_a_tombstone_has_no_fields_of_the_connector_and_is_not_listed() -> None:
    with mock_aws():
        subject = over_moto()
        subject.store.remove(subject.delete())
        store = subject.store
        assert isinstance(store, ConnectorStore)
        assert store.connectors("p") == []
        answer = boto3.client("dynamodb").get_item(
            TableName="dc-test-table", Key=keys.tombstone_key("p", "c")
        )
        expires_at = {"expiresAt": {"N": str(int(EPOCH) + TOMBSTONE_SECONDS)}}
        assert answer["Item"] == keys.tombstone_key("p", "c") | expires_at
