"""The service disables a connector in one transaction, unless somebody has changed it since."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.kernel.times import to_text
from dataconnectors.store import keys
from dataconnectors.store.audit import AuditStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.system_disabling import disable_by_system
from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.rows import DISABLING_ATTRIBUTES, a_connector

NOW = 1_790_000_000.0
ROW = a_connector(epoch=3, sealed=b"sealed", labels=("name",))


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        make_table()
        yield Table(boto3.client("dynamodb"), "dc-test-table")


@pytest.fixture
def store(table: Table) -> ConnectorStore:
    """A store with the connector `ROW` in its first version."""
    version = {"version": {"N": "1"}, "connectorCount": {"N": "0"}}
    table.transact([table.put(keys.version_key("p") | version, "")], "")
    store = ConnectorStore(table)
    store.create_connector(ROW)
    return store


def version_of_project(table: Table) -> int:
    item = table.get(keys.version_key("p"))
    assert item is not None
    return int(item["version"]["N"])


def log(table: Table) -> list[dict[str, Any]]:
    entries, _ = AuditStore(table).page("projects/p", 0, NOW + 1, limit=10, after="")
    return [entry.to_api() for entry in entries]


def test_row_version_and_audit_entry_change_together(table: Table, store: ConnectorStore) -> None:
    before = version_of_project(table)
    disabled = disable_by_system(store, ROW, "it is gone", NOW)
    assert disabled == replace(
        ROW,
        status=Status.SYSTEM_DISABLED,
        epoch=4,
        version=2,
        update_time=to_text(NOW),
        disable_time=to_text(NOW),
    )
    assert store.connector(ROW.name) == disabled
    assert version_of_project(table) == before + 1
    assert log(table) == [
        {
            "id": "c-1",
            "time": to_text(NOW),
            "actor": "system",
            "keyId": "",
            "address": "",
            "action": "dataconnector.update",
            "resource": ROW.name,
            "fields": ["status"],
            "details": {"reason": "it is gone"},
        }
    ]


def test_what_a_newer_release_keeps_in_the_row_stays(table: Table, store: ConnectorStore) -> None:
    table.dynamodb.update_item(
        TableName=table.name,
        Key=keys.connector_key("p", "c"),
        UpdateExpression="SET newer = :newer",
        ExpressionAttributeValues={":newer": {"S": "x"}},
    )
    assert disable_by_system(store, ROW, "it is gone", NOW) is not None
    item = table.get(keys.connector_key("p", "c"))
    assert item is not None
    assert (item["newer"], item["sealed"]) == ({"S": "x"}, {"B": b"sealed"})


def rename(store: ConnectorStore) -> None:
    store.update_connector(ROW, replace(ROW, display_name="mine"))


def delete(store: ConnectorStore) -> None:
    store.update_connector(ROW, replace(ROW, lifecycle=Lifecycle.DELETING))


def remove(store: ConnectorStore) -> None:
    delete(store)
    assert store.remove(ROW)


@pytest.mark.parametrize(
    "happened", [rename, delete, remove, lambda store: disable_by_system(store, ROW, "first", NOW)]
)
def test_whoever_was_first_wins(
    table: Table, store: ConnectorStore, happened: Callable[[ConnectorStore], object]
) -> None:
    happened(store)
    row, version, entries = store.connector(ROW.name), version_of_project(table), log(table)
    assert disable_by_system(store, ROW, "second", NOW) is None
    assert (store.connector(ROW.name), version_of_project(table), log(table)) == (
        row,
        version,
        entries,
    )


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, status=Status.USER_DISABLED),
        replace(ROW, status=Status.SYSTEM_DISABLED),
        replace(ROW, lifecycle=Lifecycle.DELETING),
    ],
)
def test_a_connector_that_sends_nothing_is_left_as_it_is(
    table: Table, store: ConnectorStore, row: Connector
) -> None:
    assert disable_by_system(store, row, "it is gone", NOW) is None
    assert log(table) == []


def test_only_the_attributes_are_named_that_the_senders_role_may_name(
    table: Table, store: ConnectorStore
) -> None:
    actions: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        actions.extend(params["TransactItems"])

    table.dynamodb.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", note)
    assert disable_by_system(store, ROW, "it is gone", NOW) is not None
    updates = [action["Update"] for action in actions if "Update" in action]
    puts = [action["Put"]["Item"]["pk"]["S"] for action in actions if "Put" in action]
    assert (len(actions), puts) == (4, ["AUDIT#projects/p"])
    partitions = [update["Key"]["pk"]["S"] for update in updates]
    assert partitions == ["PROJECT#p", keys.FAILING_CONNECTORS, "PROJECT#p"]
    for update in updates:
        if update["Key"]["pk"]["S"] == keys.FAILING_CONNECTORS:
            assert update["UpdateExpression"] == "SET failingSince = :since"
            continue
        expressions = update["UpdateExpression"] + " " + update["ConditionExpression"]
        for placeholder, name in update.get("ExpressionAttributeNames", {}).items():
            expressions = expressions.replace(placeholder, name)
        words = expressions.replace("attribute_exists(pk)", "pk").replace(",", " ").split()
        syntax = ("SET", "ADD", "AND", "=")
        named = {word for word in words if word not in syntax and not word.startswith(":")}
        assert named <= set(DISABLING_ATTRIBUTES)
