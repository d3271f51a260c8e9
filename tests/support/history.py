"""A history writer that does not wait, events to write, and a reader of all pages."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from dataconnectors.events.event import Event
from dataconnectors.events.history_query import RETENTION_SECONDS, HistoryQuery
from dataconnectors.store.history import HistoryStore
from dataconnectors.store.history_writer import HistoryWriter
from dataconnectors.store.table import Table

NOW = 1_790_000_000.0
ALL = HistoryQuery(NOW - RETENTION_SECONDS, None, frozenset(), 1000, None)


def writer(table: Table, *, keeps_history: bool = True) -> HistoryWriter:
    executor = ThreadPoolExecutor(4)
    return HistoryWriter(table, executor, keeps_history=keeps_history, sleep=lambda seconds: None)


def event(number: int, *, age: float = 0, device: str = "d1", kind: str = "touch") -> Event:
    text = json.dumps({"eventId": f"e{number}", "at": NOW - age})
    return Event(f"e{number}", device, kind, NOW - age, text)


def numbered(*events: Event) -> dict[int, Event]:
    return dict(enumerate(events))


def ids(table: Table, query: HistoryQuery = ALL, device: str = "d1") -> list[str]:
    """The ids of events on all pages."""
    found = []
    position = None
    while True:
        page = HistoryStore(table).page("p1", device, replace(query, after=position))
        found += [json.loads(text)["eventId"] for text in page.events]
        position = page.position
        if position is None:
            return found
