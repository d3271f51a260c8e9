"""The reconciler's list of failing connectors, over moto."""

from dataclasses import replace

import pytest

from dataconnectors.connectors.connector import Status
from dataconnectors.connectors.failing import Failing
from dataconnectors.notices.watched import Watched
from dataconnectors.store import keys
from dataconnectors.store.connector_items import connector_item
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.failing_list import FailingList
from dataconnectors.store.table import Table
from tests.support.rows import PLAIN

NOW = 1_790_000_000.25
FAILING = Failing(NOW, NOW + 70, "timeout", "no answer", None, NOW - 9, NOW, 3, watched=True)
TOLD = Watched(PLAIN.name, NOW, outage=NOW + 1, days=2, version=7, warned=1)


@pytest.fixture
def failing_list(table: Table) -> FailingList:
    """A list with one failing connector."""
    for item in (connector_item(PLAIN), keys.version_key("p") | {"version": {"N": "1"}}):
        table.dynamodb.put_item(TableName=table.name, Item=item)
    FailingStore(table).record(PLAIN, FAILING)
    return FailingList(table, ConnectorStore(table))


def list_again(table: Table, since: float) -> None:
    """The connector recovers, and fails again since a later time."""
    store, rows = FailingStore(table), ConnectorStore(table)
    row = rows.connector(PLAIN.name)
    assert row is not None
    store.clear(row)
    store.record(PLAIN, FAILING._replace(since=since))


def test_what_the_sender_lists_is_on_the_list_with_its_row(failing_list: FailingList) -> None:
    assert failing_list.entries() == [Watched(PLAIN.name, NOW)]
    missing = "projects/p/dataconnectors/gone"
    rows = failing_list.rows([PLAIN.name, missing])
    assert rows == {PLAIN.name: replace(PLAIN, failing=FAILING)}


def test_what_was_told_is_kept_and_forgotten(failing_list: FailingList) -> None:
    failing_list.save(TOLD, NOW)
    assert failing_list.entries() == [TOLD]
    failing_list.save(TOLD._replace(since=NOW + 60), NOW)
    failing_list.remove(PLAIN.name, NOW)
    assert failing_list.entries() == [TOLD._replace(since=NOW + 60)]
    failing_list.remove(PLAIN.name, NOW + 60)
    assert failing_list.entries() == []


def test_a_connector_that_is_listed_anew_keeps_what_was_told(
    failing_list: FailingList, table: Table
) -> None:
    failing_list.save(TOLD, NOW)
    list_again(table, NOW + 500)
    listed = TOLD._replace(since=NOW + 500)
    assert failing_list.entries() == [listed]
    failing_list.save(TOLD._replace(days=3), NOW)
    failing_list.remove(PLAIN.name, NOW)
    assert failing_list.entries() == [listed]


def test_a_connector_is_disabled_unless_it_was_changed(
    failing_list: FailingList, table: Table
) -> None:
    row = failing_list.rows([PLAIN.name])[PLAIN.name]
    assert failing_list.disable(replace(row, version=row.version - 1), "why", NOW) is None
    disabled = failing_list.disable(row, "why", NOW)
    assert disabled is not None
    assert (disabled.status, disabled.epoch) == (Status.SYSTEM_DISABLED, PLAIN.epoch + 1)
    assert ConnectorStore(table).connector(PLAIN.name) == disabled
    assert failing_list.disable(disabled, "why", NOW) is None
