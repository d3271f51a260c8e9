"""Which events of a batch are attempted, and what becomes of the others."""

from collections.abc import Sequence
from typing import NamedTuple

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.connector_reader import (
    ConnectorRead,
    ConnectorReader,
    Found,
    ReadConnector,
)
from dataconnectors.delivery.deadlines import Clocks
from dataconnectors.delivery.received import QueuedEvent
from dataconnectors.delivery.results import (
    Result,
    Verdict,
    failure_while_held,
    not_started,
    overdue,
    postponed,
    undeliverable,
)
from dataconnectors.events.message import TEST_SECONDS
from dataconnectors.expiry.expired_event import attempt_fits


class Selected(NamedTuple):
    """An event to attempt, its connector as the batch's first read found it, and how to read it
    again. A canary that fails waits for `canary_wait` seconds, instead of its back-off."""

    event: QueuedEvent
    connector: Connector
    read: ConnectorRead
    canary_wait: float | None = None


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
            result = self._checked(event, read, first)
            if isinstance(result, Selected):
                selected.append(result)
            else:
                results.append(result)
        return selected, results

    def _checked(self, event: QueuedEvent, read: ConnectorRead, found: Found) -> Selected | Result:
        match found:
            case ReadConnector(connector) if connector.sends(event.epoch):
                if event.is_test and event.age(self._clocks.wall()) > TEST_SECONDS:
                    return Result(event.message, Verdict.DROPPED)
                if attempt_fits(event.age(self._clocks.wall())):
                    return Selected(event, connector, read)
                return overdue(event, self._clocks, failure_while_held(connector))
            case Verdict.POSTPONED:
                return postponed(event, self._clocks)
            case Verdict.UNDELIVERABLE:
                reason = f"connector {event.connector!a:.200} was never there"
                return undeliverable(event.message, reason, self._clocks)
            case _:
                return Result(event.message, Verdict.DROPPED)
