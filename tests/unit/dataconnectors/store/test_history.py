"""Events written and read back: batches, repeats, pages and what has expired, over moto."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dataconnectors.events.event import Event
from dataconnectors.events.history_query import RETENTION_SECONDS, HistoryQuery
from dataconnectors.store.history import MOST_READS, HistoryStore, HistoryWriter
from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.dynamodb import Watched, fail

NOW = 1_790_000_000.0
ALL = HistoryQuery(NOW - RETENTION_SECONDS, None, frozenset(), 1000, None)


@pytest.fixture(autouse=True)
def table() -> Iterator[Table]:
    with mock_aws():
        make_table()
        yield Table(Watched(boto3.client("dynamodb")), "dc-test-table")


def keeper(table: Table, *, keeps_history: bool = True) -> HistoryWriter:
    executor = ThreadPoolExecutor(4)
    return HistoryWriter(table, executor, keeps_history=keeps_history, sleep=lambda seconds: None)


def event(number: int, *, age: float = 0, device: str = "d1", kind: str = "touch") -> Event:
    text = json.dumps({"eventId": f"e{number}", "at": NOW - age})
    return Event(f"e{number}", device, kind, NOW - age, text)


def numbered(*events: Event) -> dict[int, Event]:
    return dict(enumerate(events))


def ids(table: Table, wanted: HistoryQuery = ALL, device: str = "d1") -> list[str]:
    """The ids that all pages together show."""
    found = []
    position = None
    while True:
        page = HistoryStore(table).page("p1", device, replace(wanted, after=position))
        found += [json.loads(text)["eventId"] for text in page.events]
        position = page.position
        if position is None:
            return found


def last_values(table: Table) -> dict[str, str]:
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    return {
        item["sk"]["S"]: json.loads(item["event"]["S"])["eventId"]
        for item in items
        if item["pk"]["S"].startswith("DEVICES#")
    }


def test_events_are_read_back_newest_first(table: Table) -> None:
    assert keeper(table).keep("p1", numbered(*(event(n, age=n % 7) for n in range(60)))) == {}
    ages = [json.loads(text)["at"] for text in HistoryStore(table).page("p1", "d1", ALL).events]
    assert len(ages) == 60
    assert ages == sorted(ages, reverse=True)


def test_an_event_that_is_sent_again_takes_its_own_place(table: Table) -> None:
    keeper(table).keep("p1", numbered(event(1)))
    keeper(table).keep("p1", numbered(replace(event(1), json='{"eventId":"e1","new":1}')))
    assert HistoryStore(table).page("p1", "d1", ALL).events == ['{"eventId":"e1","new":1}']


def test_an_event_twice_in_one_call_is_written_once_and_fails_twice(table: Table) -> None:
    twice = numbered(event(1), event(1), event(2))
    assert keeper(table).keep("p1", twice) == {}
    assert ids(table) == ["e2", "e1"]
    table.dynamodb.answers["batch_write_item"] = [fail("InternalServerError")]
    assert set(keeper(table).keep("p1", twice)) == {0, 1, 2}


def test_labels_changed_is_not_kept(table: Table) -> None:
    assert keeper(table).keep("p1", numbered(event(1, kind="labelsChanged"))) == {}
    assert ids(table) == []
    assert last_values(table) == {}


def test_without_history_last_values_are_kept_alone(table: Table) -> None:
    assert keeper(table, keeps_history=False).keep("p1", numbered(event(1))) == {}
    assert ids(table) == []
    assert last_values(table) == {"DEVICE#d1#touch": "e1"}


@pytest.mark.parametrize("calls", [((3, 0), (1, 9)), ((1, 9), (3, 0)), ((2, 0), (3, 0))])
def test_the_newest_event_of_a_type_is_its_last_value_in_any_order(
    table: Table, calls: list[tuple[int, float]]
) -> None:
    for number, age in calls:
        assert keeper(table).keep("p1", numbered(event(number, age=age))) == {}
    assert last_values(table) == {"DEVICE#d1#touch": "e3"}


def test_a_call_takes_few_requests_however_many_events_it_has(table: Table) -> None:
    events = [event(n, age=n, device=f"d{n % 10}", kind="touch") for n in range(100)]
    keeper(table).keep("p1", numbered(*events))
    assert table.dynamodb.calls == {"batch_write_item": 4, "update_item": 10}
    assert last_values(table) == {f"DEVICE#d{n}#touch": f"e{n}" for n in range(10)}


def unprocessed(**request: Any) -> Any:
    return {"UnprocessedItems": request["RequestItems"]}


def all_but_first(**request: Any) -> Any:
    (name,) = request["RequestItems"]
    puts = request["RequestItems"][name]
    boto3.client("dynamodb").batch_write_item(RequestItems={name: puts[:1]})
    return {"UnprocessedItems": {name: puts[1:]}}


def test_what_dynamodb_left_undone_is_sent_again_and_reported_at_last(table: Table) -> None:
    events = numbered(*(event(n, age=n) for n in range(3)))
    table.dynamodb.answers["batch_write_item"] = [all_but_first, unprocessed]
    assert keeper(table).keep("p1", events) == {}
    assert ids(table) == ["e0", "e1", "e2"]
    table.dynamodb.answers["batch_write_item"] = [all_but_first] + [unprocessed] * 9
    failed = keeper(table).keep("p1", events)
    assert set(failed) == {1, 2}
    assert "unprocessed" in failed[1]


@pytest.mark.parametrize("call", ["batch_write_item", "update_item"])
def test_an_event_that_is_not_written_is_named(table: Table, call: str) -> None:
    table.dynamodb.answers[call] = [fail("ProvisionedThroughputExceededException")]
    failed = keeper(table).keep("p1", {7: event(7)})
    assert set(failed) == {7}
    assert "ProvisionedThroughputExceededException" in failed[7]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["e0", "e1", "e2", "e3"]),
        ({"size": 1}, ["e0", "e1", "e2", "e3"]),
        ({"size": 3}, ["e0", "e1", "e2", "e3"]),
        ({"start": NOW - 20}, ["e0", "e1", "e2"]),
        ({"end": NOW}, ["e1", "e2", "e3"]),
        ({"start": NOW - 20, "end": NOW - 10}, ["e2"]),
        ({"event_types": frozenset({"motion"})}, ["e1", "e3"]),
        ({"event_types": frozenset({"motion"}), "size": 1}, ["e1", "e3"]),
        ({"event_types": frozenset({"motion", "touch"}), "size": 2}, ["e0", "e1", "e2", "e3"]),
        ({"event_types": frozenset({"co2"})}, []),
    ],
)
def test_filters_and_pages(table: Table, change: dict[str, Any], expected: list[str]) -> None:
    events = [event(n, age=10 * n, kind="motion" if n % 2 else "touch") for n in range(4)]
    keeper(table).keep("p1", numbered(*events, event(9, device="d2")))
    assert ids(table, replace(ALL, **change)) == expected


@pytest.mark.parametrize("after", ["0000000000000000#e", "9999999999999999#e"])
def test_a_token_from_outside_of_the_span_is_no_error(table: Table, after: str) -> None:
    keeper(table).keep("p1", numbered(event(1)))
    page = HistoryStore(table).page("p1", "d1", replace(ALL, after=after))
    assert len(page.events) == (after[0] == "9")


def test_items_forget_themselves_after_31_days(table: Table) -> None:
    keeper(table).keep("p1", numbered(event(1, age=100)))
    items = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    (expires,) = [item["expiresAt"]["N"] for item in items if "expiresAt" in item]
    assert int(expires) == NOW - 100 + 31 * 24 * 3600


def test_a_page_ends_before_its_answer_grows_too_large(table: Table) -> None:
    large = [
        replace(event(n, age=n), json=json.dumps({"eventId": f"e{n}", "x": "x" * 32_000}))
        for n in range(140)
    ]
    for start in range(0, 140, 20):
        keeper(table).keep("p1", numbered(*large[start : start + 20]))
    page = HistoryStore(table).page("p1", "d1", ALL)
    assert 100 < len(page.events) < 140
    assert page.position is not None
    assert ids(table) == [f"e{n}" for n in range(140)]


def test_a_filter_that_finds_nothing_ends_after_some_reads_with_a_token(table: Table) -> None:
    def far(**request: Any) -> Any:
        return {"Items": [], "LastEvaluatedKey": {"sk": {"S": "1790000000000000#e"}}}

    table.dynamodb.answers["query"] = [far] * MOST_READS
    page = HistoryStore(table).page("p1", "d1", ALL)
    assert (page.events, page.position) == ([], "1790000000000000#e")
