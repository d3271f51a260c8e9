"""How a device's history is read: the order of events, filters, pages and limits, over moto."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.store.history import MAXIMUM_QUERIES, HistoryStore
from dataconnectors.store.table import Table
from tests.support.history import ALL, NOW, event, ids, numbered, writer


def test_events_are_read_back_newest_first(table: Table) -> None:
    assert writer(table).write("p1", numbered(*(event(n, age=n % 7) for n in range(60)))) == {}
    ages = [json.loads(text)["at"] for text in HistoryStore(table).page("p1", "d1", ALL).events]
    assert len(ages) == 60
    assert ages == sorted(ages, reverse=True)


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
def test_history_is_filtered_and_paged(
    table: Table, change: dict[str, Any], expected: list[str]
) -> None:
    events = [event(n, age=10 * n, kind="motion" if n % 2 else "touch") for n in range(4)]
    writer(table).write("p1", numbered(*events, event(9, device="d2")))
    assert ids(table, replace(ALL, **change)) == expected


@pytest.mark.parametrize("after", ["0000000000000000#e", "9999999999999999#e"])
def test_a_page_token_from_outside_of_the_queried_time_is_accepted(
    table: Table, after: str
) -> None:
    writer(table).write("p1", numbered(event(1)))
    page = HistoryStore(table).page("p1", "d1", replace(ALL, after=after))
    assert len(page.events) == (after[0] == "9")


def test_a_page_ends_before_its_answer_grows_too_large(table: Table) -> None:
    large = [
        replace(event(n, age=n), json=json.dumps({"eventId": f"e{n}", "x": "x" * 32_000}))
        for n in range(140)
    ]
    for start in range(0, 140, 20):
        writer(table).write("p1", numbered(*large[start : start + 20]))
    page = HistoryStore(table).page("p1", "d1", ALL)
    assert 100 < len(page.events) < 140
    assert page.position is not None
    assert ids(table) == [f"e{n}" for n in range(140)]


def test_a_filter_that_matches_nothing_ends_after_some_reads_with_a_token(table: Table) -> None:
    def far(**request: Any) -> Any:
        return {"Items": [], "LastEvaluatedKey": {"sk": {"S": "1790000000000000#e"}}}

    table.dynamodb.answers["query"] = [far] * MAXIMUM_QUERIES
    page = HistoryStore(table).page("p1", "d1", ALL)
    assert (page.events, page.position) == ([], "1790000000000000#e")
