"""Which events of a batch are attempted, and what becomes of the others."""

from collections.abc import Sequence
from typing import NamedTuple

from dataconnectors.delivery.connector_reader import ConnectorRead, ConnectorReader, Found
from dataconnectors.delivery.deadlines import Clocks
from dataconnectors.delivery.received import QueuedEvent
from dataconnectors.delivery.results import (
    Result,
    Verdict,
    not_started,
    overdue,
    postponed,
    undeliverable,
)
from dataconnectors.expiry.expired_event import attempt_fits


class Selected(NamedTuple):
    """An event to attempt, and its connector, which can be read again."""

    event: QueuedEvent
    connector: ConnectorRead


class Selection:
    """Selects by the connectors' state and the events' age."""

    def __init__(self, reader: ConnectorReader, clocks: Clocks) -> None:
        self._reader = reader
        self._clocks = clocks

    def select(
        self, events: Sequence[QueuedEvent], last_start: float
    ) -> tuple[list[Selected], list[Result]]:
        """The events to attempt, and the results of the others.

        After `last_start` no attempt may start, so then nothing is read either.
        """
        if self._clocks.monotonic() > last_start:
            return [], [not_started(event, self._clocks) for event in events]
        found = self._reader.read((event.connector for event in events), last_start)
        selected, results = [], []
        for event in events:
            read, first = found[event.connector]
            result = self._result_without_attempt(event, first)
            if result is None:
                selected.append(Selected(event, read))
            else:
                results.append(result)
        return selected, results

    def _result_without_attempt(self, event: QueuedEvent, found: Found) -> Result | None:
        """None for an event that is to be attempted."""
        match found:
            case (connector, _) if connector.sends(event.epoch):
                return (
                    None
                    if attempt_fits(event.age(self._clocks.wall()))
                    else overdue(event, self._clocks)
                )
            case Verdict.POSTPONED:
                return postponed(event, self._clocks)
            case Verdict.UNDELIVERABLE:
                reason = f"connector {event.connector!a:.200} was never there"
                return undeliverable(event.message, reason, self._clocks)
            case _:
                return Result(event.message, Verdict.DROPPED)
