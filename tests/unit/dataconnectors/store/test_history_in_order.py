"""How a replay reads a device's history: in the order of time, filtered, in parts, over moto."""

from typing import Any

import pytest

from dataconnectors.store import history
from dataconnectors.store.history import HistoryStore, Span
from dataconnectors.store.table import Table
from tests.support.history import NOW, event, numbered, writer

ALL: dict[str, Any] = {"start": NOW - 1000, "end": NOW + 1, "event_types": ()}


def read(table: Table, limit: int, **change: Any) -> list[str]:
    """The ids of all events of a span, part by part."""
    store, span, after = HistoryStore(table), Span("p1", "d1", **ALL | change), ""
    found: list[str] = []
    while True:
        events, after = store.in_order(span, limit=limit, after=after)
        assert len(events) <= limit
        found += [each.id for each in events]
        if not after:
            return found


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("items", [1, 2, 1000])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["e5", "e4", "e3", "e2", "e1", "e0"]),
        ({"event_types": ("touch",)}, ["e4", "e2", "e0"]),
        ({"event_types": ("touch", "motion")}, ["e5", "e4", "e3", "e2", "e1", "e0"]),
        ({"event_types": ("co2",)}, []),
        ({"start": NOW - 30}, ["e3", "e2", "e1", "e0"]),
        ({"end": NOW - 20}, ["e5", "e4", "e3"]),
        ({"start": NOW - 40, "end": NOW - 40 + 1e-6}, ["e4"]),
        ({"start": NOW - 9, "end": NOW - 1}, []),
    ],
)
def test_events_come_in_order_from_the_start_on_and_before_the_end(
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    expected: list[str],
    limit: int,
    items: int,
) -> None:
    monkeypatch.setattr(history, "FILTERED_ITEMS", items)
    made = [event(n, age=10 * n, kind="motion" if n % 2 else "touch") for n in range(6)]
    writer(table).write("p1", numbered(*made, event(9, device="d2")))
    assert read(table, limit, **change) == expected
    assert HistoryStore(table).count(Span("p1", "d1", **ALL | change), after="") == (
        len(expected),
        "",
    )


def test_an_event_is_read_as_it_was_written(table: Table) -> None:
    written = event(1, age=0.25)
    writer(table).write("p1", numbered(written))
    events, _ = HistoryStore(table).in_order(Span("p1", "d1", **ALL), limit=9, after="")
    assert events == [written]


@pytest.mark.parametrize("after", ["0000000000000000#e", "9999999999999999#e"])
def test_a_position_outside_of_the_span_is_accepted(table: Table, after: str) -> None:
    writer(table).write("p1", numbered(event(1)))
    span = Span("p1", "d1", **ALL)
    expected = 1 if after[0] == "0" else 0
    assert len(HistoryStore(table).in_order(span, limit=9, after=after)[0]) == expected
    assert HistoryStore(table).count(span, after=after) == (expected, "")
