"""What the sender knows of failing connectors, as it is written to their rows, over moto."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.failing import Failing
from dataconnectors.store import keys
from dataconnectors.store.connector_items import connector_item
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.failing_items import ATTRIBUTES
from dataconnectors.store.table import Table
from tests.support.rows import PLAIN

NOW = 1_790_000_000.25
FAILING = Failing(NOW, NOW + 5, "status", "answered 500", 500, NOW - 9, NOW, 3)
OUTAGE = FAILING._replace(failures=100, canary_at=NOW + 8)


@pytest.fixture
def store(table: Table) -> FailingStore:
    table.dynamodb.put_item(TableName=table.name, Item=connector_item(PLAIN))
    return FailingStore(table)


def row(table: Table) -> Connector:
    """The connector as a batch reads it."""
    connector = ConnectorStore(table).connector(PLAIN.name)
    assert connector is not None
    return connector


def with_failing(store: FailingStore, table: Table, failing: Failing) -> Connector:
    """The row with `failing` in it, as a batch reads it."""
    store.record(PLAIN, failing)
    return row(table)


def test_what_is_recorded_is_read_with_the_row(store: FailingStore, table: Table) -> None:
    assert row(table).failing is None
    assert with_failing(store, table, FAILING).failing == FAILING
    without_answer = FAILING._replace(status=None, kind="timeout", failed_at=NOW + 6)
    store.record(row(table), without_answer)
    assert row(table).failing == without_answer
    store.clear(row(table))
    assert row(table) == PLAIN
    item = table.get(keys.connector_key(PLAIN.project, PLAIN.id))
    assert item is not None
    assert not set(item) & set(ATTRIBUTES)


def test_failures_of_batches_at_the_same_time_add_up(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, FAILING)
    for count in (4, 10):
        store.record(read, FAILING._replace(failures=FAILING.failures + count))
    failing = row(table).failing
    assert failing is not None
    assert failing.failures == 17


def test_batches_that_have_read_a_row_without_failures_add_up(
    store: FailingStore, table: Table
) -> None:
    store.record(PLAIN, FAILING._replace(canary_at=NOW + 8, failures=40))
    later = NOW + 4
    store.record(PLAIN, Failing(later, later, "timeout", "no answer", None, NOW - 7, later, 60))
    assert row(table).failing == Failing(
        NOW, later, "timeout", "no answer", None, NOW - 9, NOW, 100, canary_at=NOW + 8
    )


def test_a_batch_adds_to_no_window_that_is_over(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, FAILING)
    late = NOW + 60
    store.record(PLAIN, Failing(late, late, "timeout", "no answer", None, NOW, late, 60))
    assert row(table) == read


def test_a_new_window_begins_once(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, FAILING)
    later = FAILING._replace(window=NOW + 70, failures=5)
    store.record(read, later)
    store.record(read, FAILING._replace(window=NOW + 71, failures=9))
    assert row(table).failing == later


def test_a_new_window_counts_its_own_failures_alone(store: FailingStore, table: Table) -> None:
    """Also when they are as many as were read, and others have added to these since."""
    read = with_failing(store, table, FAILING)
    store.record(read, FAILING._replace(failures=FAILING.failures + 90))
    later = FAILING._replace(window=NOW + 70, failures=FAILING.failures)
    store.record(read, later)
    assert row(table).failing == later


def test_a_new_window_does_not_end_an_outage(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, FAILING)
    store.record(read, FAILING._replace(failures=103))
    store.record(read, FAILING._replace(window=NOW + 70, failures=5))
    failing = row(table).failing
    assert failing is not None
    assert (failing.failures, failing.is_outage) == (103, True)


def test_one_process_alone_claims_a_canary(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, OUTAGE)
    assert store.claim_canary(read, NOW + 68)
    assert not store.claim_canary(read, NOW + 69)
    failing = row(table).failing
    assert failing == OUTAGE._replace(canary_at=NOW + 68)
    # Failures of attempts from before the outage leave the claim alone, and so does a canary that
    # ends when another was claimed.
    store.record(read, OUTAGE._replace(failures=104, failed_at=NOW + 9))
    failing = row(table).failing
    assert failing is not None
    assert (failing.canary_at, failing.failures) == (NOW + 68, 104)
    claimed = row(table)
    assert store.claim_canary(claimed, NOW + 130)
    store.record(claimed, failing._replace(canary_at=NOW + 20))
    assert row(table).failing == failing._replace(canary_at=NOW + 130)
    store.record(row(table), failing._replace(canary_at=NOW + 85))
    assert row(table).failing == failing._replace(canary_at=NOW + 85)


@pytest.mark.parametrize(
    "late",
    [
        lambda store, read: store.record(read, FAILING._replace(failures=9)),
        lambda store, read: store.record(read, FAILING._replace(window=NOW + 99, failures=9)),
        lambda store, read: store.record(read, FAILING._replace(failures=9, watched=True)),
        lambda store, read: store.clear(read),
        lambda store, read: store.claim_canary(read, NOW + 99),
    ],
)
def test_what_was_read_before_a_change_of_the_row_changes_nothing(
    store: FailingStore, table: Table, late: Callable[[FailingStore, Connector], object]
) -> None:
    read = with_failing(store, table, FAILING)
    changed = replace(PLAIN, version=PLAIN.version + 1, url="https://example.com/mended")
    table.dynamodb.put_item(TableName=table.name, Item=connector_item(changed))
    late(store, read)
    assert row(table) == changed
    table.dynamodb.delete_item(
        TableName=table.name, Key=keys.connector_key(PLAIN.project, PLAIN.id)
    )
    late(store, read)
    assert ConnectorStore(table).connector(PLAIN.name) is None
    assert table.query(keys.FAILING_CONNECTORS) == []


def test_a_success_ends_only_the_failures_that_it_has_seen(
    store: FailingStore, table: Table
) -> None:
    read = with_failing(store, table, FAILING)
    store.clear(read)
    again = FAILING._replace(since=NOW + 30)
    store.record(row(table), again)
    store.clear(read)
    assert row(table).failing == again


def test_a_connector_that_becomes_watched_is_listed_with_the_same_write(
    store: FailingStore, table: Table
) -> None:
    read = with_failing(store, table, FAILING)
    store.record(read, FAILING._replace(watched=True, failures=4))
    failing = row(table).failing
    assert failing is not None
    assert (failing.watched, failing.failures) == (True, 4)
    (listed,) = table.query(keys.FAILING_CONNECTORS)
    assert listed["sk"] == {"S": PLAIN.name}


def test_a_change_of_the_configuration_forgets_failures(store: FailingStore, table: Table) -> None:
    read = with_failing(store, table, OUTAGE)
    table.dynamodb.put_item(
        TableName=table.name, Item=keys.version_key(PLAIN.project) | {"version": {"N": "1"}}
    )
    changed = ConnectorStore(table).update_connector(read, replace(read, display_name="new"))
    assert changed is not None
    assert row(table).failing is None


def test_a_pause_is_kept_with_the_row(table: Table) -> None:
    paused = replace(PLAIN, paused_at=NOW)
    table.dynamodb.put_item(TableName=table.name, Item=connector_item(paused))
    assert row(table) == paused
