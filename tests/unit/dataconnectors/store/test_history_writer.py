"""Which events are written to history and as last values, and which are reported, over moto."""

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest

from dataconnectors.store.history import HistoryStore
from dataconnectors.store.table import Table
from tests.support.dynamodb import fail
from tests.support.history import ALL, NOW, event, ids, numbered, writer


def last_values(table: Table) -> dict[str, str]:
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    return {
        item["sk"]["S"]: json.loads(item["event"]["S"])["eventId"]
        for item in items
        if item["pk"]["S"].startswith("DEVICES#")
    }


def test_an_event_that_is_published_again_is_stored_once(table: Table) -> None:
    writer(table).write("p1", numbered(event(1)))
    writer(table).write("p1", numbered(replace(event(1), json='{"eventId":"e1","new":1}')))
    assert HistoryStore(table).page("p1", "d1", ALL).events == ['{"eventId":"e1","new":1}']


def test_an_event_that_comes_twice_in_a_call_is_written_once_and_fails_in_both_places(
    table: Table,
) -> None:
    twice = numbered(event(1), event(1), event(2))
    assert writer(table).write("p1", twice) == {}
    assert ids(table) == ["e2", "e1"]
    table.dynamodb.answers["batch_write_item"] = [fail("InternalServerError")]
    assert set(writer(table).write("p1", twice)) == {0, 1, 2}


def test_labels_changed_events_are_not_written_to_history(table: Table) -> None:
    assert writer(table).write("p1", numbered(event(1, kind="labelsChanged"))) == {}
    assert ids(table) == []
    assert last_values(table) == {}


def test_without_history_only_last_values_are_written(table: Table) -> None:
    assert writer(table, keeps_history=False).write("p1", numbered(event(1))) == {}
    assert ids(table) == []
    assert last_values(table) == {"DEVICE#d1#touch": "e1"}


@pytest.mark.parametrize("calls", [((3, 0), (1, 9)), ((1, 9), (3, 0)), ((2, 0), (3, 0))])
def test_the_newest_event_of_a_type_is_its_last_value_whatever_the_order(
    table: Table, calls: list[tuple[int, float]]
) -> None:
    for number, age in calls:
        assert writer(table).write("p1", numbered(event(number, age=age))) == {}
    assert last_values(table) == {"DEVICE#d1#touch": "e3"}


def test_a_call_takes_few_requests_however_many_events_it_has(table: Table) -> None:
    events = [event(n, age=n, device=f"d{n % 10}", kind="touch") for n in range(100)]
    writer(table).write("p1", numbered(*events))
    assert table.dynamodb.calls == {"batch_write_item": 4, "update_item": 10}
    assert last_values(table) == {f"DEVICE#d{n}#touch": f"e{n}" for n in range(10)}


def unprocessed(**request: Any) -> Any:
    return {"UnprocessedItems": request["RequestItems"]}


def all_but_first(**request: Any) -> Any:
    (name,) = request["RequestItems"]
    puts = request["RequestItems"][name]
    boto3.client("dynamodb").batch_write_item(RequestItems={name: puts[:1]})
    return {"UnprocessedItems": {name: puts[1:]}}


def test_unprocessed_events_are_sent_again_and_reported_if_they_still_fail(table: Table) -> None:
    events = numbered(*(event(n, age=n) for n in range(3)))
    table.dynamodb.answers["batch_write_item"] = [all_but_first, unprocessed]
    assert writer(table).write("p1", events) == {}
    assert ids(table) == ["e0", "e1", "e2"]
    table.dynamodb.answers["batch_write_item"] = [all_but_first] + [unprocessed] * 9
    failed = writer(table).write("p1", events)
    assert set(failed) == {1, 2}
    assert "unprocessed" in failed[1]


@pytest.mark.parametrize("call", ["batch_write_item", "update_item"])
def test_an_event_that_is_not_written_is_reported(table: Table, call: str) -> None:
    table.dynamodb.answers[call] = [fail("ProvisionedThroughputExceededException")]
    failed = writer(table).write("p1", {7: event(7)})
    assert set(failed) == {7}
    assert "ProvisionedThroughputExceededException" in failed[7]


def test_history_expires_after_31_days(table: Table) -> None:
    writer(table).write("p1", numbered(event(1, age=100)))
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    (expires,) = [item["expiresAt"]["N"] for item in items if "expiresAt" in item]
    assert int(expires) == NOW - 100 + 31 * 24 * 3600
