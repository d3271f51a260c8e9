"""Which writes of connectors DynamoDB accepts, and when ingest sees them."""

from dataclasses import replace

import boto3
import pytest

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table
from tests.integration.conftest import Client
from tests.support.rows import a_connector

PLAIN = a_connector(
    project="",
    id="c1",
    display_name="first",
    event_types=("touch",),
    labels=("name",),
    url="https://example.com/",
    sealed=b"\x00sealed",
    queue_id="0123456789abcdefghij",
    queue_url="https://sqs/q",
    mapping_id="m1",
    provisioned="p1",
    create_time="2026-11-22T10:00:00.000000Z",
    update_time="2026-11-22T10:00:00.000000Z",
)


@pytest.fixture
def table() -> Table:
    return Table(boto3.client("dynamodb"), "dc-test-table")


@pytest.fixture
def stored(client: Client, table: Table) -> Connector:
    connector = replace(PLAIN, project=client.project)
    ConnectorStore(table).create_connector(connector)
    return connector


def version(table: Table, project: str) -> int:
    snapshot = ProjectStore(table).snapshot(project, [])
    assert snapshot is not None
    return snapshot.version


def test_a_row_reads_back_as_it_was_written(table: Table, stored: Connector) -> None:
    store = ConnectorStore(table)
    assert store.connector(stored.name) == stored
    assert store.connectors(stored.project) == [stored]
    bare = replace(stored, id="c2", sealed=None, event_types=(), labels=())
    store.create_connector(bare)
    assert store.connector(bare.name) == bare


@pytest.mark.parametrize("name", ["", "projects/p", "projects/p/dataconnectors/absent", "x" * 999])
def test_reading_a_name_without_a_row_returns_none(table: Table, name: str) -> None:
    assert ConnectorStore(table).connector(name) is None


def test_the_second_of_two_writers_of_the_same_version_has_to_read_again(
    table: Table, stored: Connector
) -> None:
    store = ConnectorStore(table)
    first = store.update_connector(stored, replace(stored, display_name="second"))
    assert first == replace(stored, display_name="second", version=2)
    assert store.update_connector(stored, replace(stored, labels=("other",))) is None
    assert store.connector(stored.name) == first


def test_ingest_sees_every_write_and_no_refused_one(table: Table, stored: Connector) -> None:
    store = ConnectorStore(table)
    before = version(table, stored.project)
    store.update_connector(stored, stored)
    assert version(table, stored.project) == before + 1
    store.update_connector(stored, stored)
    assert version(table, stored.project) == before + 1


def test_a_connector_needs_its_project(table: Table) -> None:
    with pytest.raises(NotFoundError):
        ConnectorStore(table).create_connector(replace(PLAIN, project="absent"))


def test_a_connector_that_is_being_deleted_does_not_become_ready(
    table: Table, stored: Connector
) -> None:
    store = ConnectorStore(table)
    deleting = store.update_connector(stored, replace(stored, lifecycle=Lifecycle.DELETING))
    assert deleting is not None
    made = {"queue_url": "u", "mapping_id": "m", "provisioned": "p"}
    assert store.set_ready(deleting, **made) is None
    assert store.set_ready(stored, **made) is None  # by a process that read the row before


def test_the_index_lists_each_connector_in_its_lifecycle(table: Table, stored: Connector) -> None:
    store = ConnectorStore(table)
    entries = {entry.name: entry for entry in store.connectors_in(Lifecycle.READY)}
    entry = entries[stored.name]
    assert (entry.queue_id, entry.mapping_id, entry.provisioned) == (
        stored.queue_id,
        stored.mapping_id,
        stored.provisioned,
    )
    assert stored.name not in {entry.name for entry in store.connectors_in(Lifecycle.DELETING)}


def test_pages_leave_out_connectors_that_are_being_deleted_and_the_last_page_has_no_token(
    client: Client, table: Table
) -> None:
    store = ConnectorStore(table)
    states = [Lifecycle.DELETING, *[Lifecycle.READY] * 3, *[Lifecycle.DELETING] * 4]
    for number, lifecycle in enumerate(states):
        made = replace(PLAIN, project=client.project, id=f"c{number}", lifecycle=lifecycle)
        assert store.create_connector(made)

    def ids(limit: int, after: str = "") -> tuple[list[str], str]:
        found, last = store.page(client.project, limit=limit, after=after)
        return [connector.id for connector in found], last

    assert ids(100) == (["c1", "c2", "c3"], "")
    assert ids(1) == (["c1"], "c1")
    assert ids(2) == (["c1", "c2"], "c2")
    assert ids(3) == (["c1", "c2", "c3"], "")
    assert ids(1, "c1") == (["c2"], "c2")
    assert ids(1, "c2") == (["c3"], "")
    assert ids(1, "c3") == ([], "")
    assert ids(2, "c15") == (["c2", "c3"], "")  # After an id that is not there


def test_pages_have_only_the_projects_connectors(client: Client, table: Table) -> None:
    store = ConnectorStore(table)
    for limit in (1, 999_999_999):
        for after in ("", "~", "!", "c1", "CONNECTOR#c1"):
            assert store.page(client.project, limit=limit, after=after) == ([], "")
