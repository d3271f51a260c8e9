"""Acceptance: from a caller's events to a message in the queue of each connector that wants them.

An event counts as accepted once history and every such queue have confirmed it, and no sooner.
History comes first, so that no event is delivered and then missing there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event, parse_emulated_event, parse_event
from dataconnectors.ingest.active_connectors import ActiveConnectors
from dataconnectors.ingest.device_registration import register_devices
from dataconnectors.ingest.fan_out import fan_out
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.kernel.errors import (
    BadRequestError,
    EventError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history_writer import HistoryWriter
from dataconnectors.store.projects import ProjectStore, Snapshot

MAXIMUM_EVENTS = 100
"""Events of one call."""

MAXIMUM_MESSAGES = 2000
"""Messages of one call, events times the connectors that want them: 200 batches, which take about a
second in parallel."""

_Messages = dict[int, list[tuple[Connector, str]]]
"""The texts of messages and the connectors that they are for, by the position of their event."""


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What became of a call's events.

    `refused` events are invalid and will never be accepted. `unconfirmed` events are valid, but
    history or a queue did not confirm them: they have to be sent again. Both map an event's
    position in the call to the reason.
    """

    accepted: int
    refused: dict[int, str] = field(default_factory=dict)
    unconfirmed: dict[int, str] = field(default_factory=dict)

    def errors(self) -> list[dict[str, Any]]:
        """Return `[{"index", "error"}]` in the order of the call's events."""
        reasons = self.refused | self.unconfirmed
        return [{"index": index, "error": reasons[index]} for index in sorted(reasons)]


class EventAcceptor:
    """Accepts events of any project. Safe to share between threads."""

    def __init__(
        self,
        projects: ProjectStore,
        connectors: ConnectorStore,
        devices: DeviceStore,
        history: HistoryWriter,
        queues: ConnectorQueues,
        now: Callable[[], float],
    ) -> None:
        """`now` gives epoch seconds."""
        self._projects = projects
        self._connectors = connectors
        self._active_connectors = ActiveConnectors(connectors)
        self._devices = devices
        self._history = history
        self._queues = queues
        self._now = now

    def accept(
        self, project: str, envelopes: Any, *, from_label_change: bool = False
    ) -> AcceptResult:
        """Accept a list of 1 to `MAXIMUM_EVENTS` envelopes, each by itself.

        labelsChanged events are refused unless they come `from_label_change`: publishers must not
        forge them.

        Raises `BadRequestError` when `envelopes` is no such list, `NotFoundError` when the project
        is not there, `TooLargeError` when the events make too many messages, and `UnavailableError`
        when the database does not answer. Then no event was accepted.
        """
        if not isinstance(envelopes, list) or not envelopes:
            raise BadRequestError(f"events: expected a list of 1 to {MAXIMUM_EVENTS} events")
        if len(envelopes) > MAXIMUM_EVENTS:
            raise BadRequestError(
                f"events: {len(envelopes)} given, at most {MAXIMUM_EVENTS}: split them into "
                "several calls"
            )
        now = self._now()
        valid: dict[int, Event] = {}
        refused: dict[int, str] = {}
        for index, envelope in enumerate(envelopes):
            try:
                valid[index] = parse_event(
                    envelope, project, now, from_label_change=from_label_change
                )
            except EventError as error:
                refused[index] = str(error)
        return self._accept_valid(project, valid, refused, now)

    def accept_emulated(self, project: str, device: str, payload: Any, event_id: str) -> None:
        """Accept the one event that an emulated device publishes.

        Raises `BadRequestError` when the event is invalid, `NotFoundError` when the project or the
        device is not there, and `UnavailableError` when the event was not accepted.
        """
        now = self._now()
        if not is_id(device):
            raise NotFoundError(f"projects/{project}/devices/{device:.80} is not there")
        try:
            event = parse_emulated_event(payload, project, device, event_id, now)
        except EventError as error:
            raise BadRequestError(str(error)) from None
        result = self._accept_valid(project, {0: event}, {}, now, known_devices_only=True)
        if result.refused:
            raise BadRequestError(result.refused[0])
        if result.unconfirmed:
            raise UnavailableError(result.unconfirmed[0])

    def _accept_valid(
        self,
        project: str,
        valid: Mapping[int, Event],
        invalid: Mapping[int, str],
        now: float,
        *,
        known_devices_only: bool = False,
    ) -> AcceptResult:
        """Take valid events through all further steps, in this order.

        `invalid` maps the positions of the call's other events to reasons: they are refused.
        """
        events = valid.values()
        snapshot = self._snapshot(project, events)
        if known_devices_only:
            _require_known_devices(project, events, snapshot.devices)
        connectors = self._active_connectors.of_project(project, snapshot.version)
        devices = register_devices(self._devices, project, snapshot.devices, events, now)
        messages, too_large = _fan_out_all(project, valid, devices, connectors, now)
        _require_few_messages(messages)
        unconfirmed = self._history.write(project, {index: valid[index] for index in messages})
        unconfirmed |= self._send_to_queues(
            {index: texts for index, texts in messages.items() if index not in unconfirmed}
        )
        refused = dict(invalid) | too_large
        return AcceptResult(len(messages) - len(unconfirmed), refused, unconfirmed)

    def _snapshot(self, project: str, events: Iterable[Event]) -> Snapshot:
        snapshot = self._projects.snapshot(project, [event.device for event in events])
        if snapshot is None:
            raise NotFoundError(f"projects/{project} is not there")
        return snapshot

    def _send_to_queues(self, messages: _Messages) -> dict[int, str]:
        """Send all messages; return the events that a queue did not confirm, with reasons."""
        entries: dict[str, list[QueueEntry]] = {}
        connector_of_queue: dict[str, Connector] = {}
        for index, of_event in messages.items():
            for connector, text in of_event:
                entries.setdefault(connector.queue_url, []).append(QueueEntry(index, text))
                connector_of_queue[connector.queue_url] = connector
        unconfirmed: dict[int, str] = {}
        for queue_url, result in self._queues.send(entries).items() if entries else ():
            connector = connector_of_queue[queue_url]
            if result.queue_missing and self._is_gone(connector):
                continue
            for index, reason in result.unconfirmed.items():
                unconfirmed[index] = (
                    f"not confirmed by the queue of {connector.name} ({reason}): send it again"
                )
        return unconfirmed

    def _is_gone(self, connector: Connector) -> bool:
        """Whether the queue is missing because the connector was deleted while we sent."""
        current = self._connectors.connector(connector.name)
        return current is None or not current.sends(connector.epoch)


def _require_known_devices(
    project: str, events: Iterable[Event], known: Mapping[str, Device]
) -> None:
    for event in events:
        if event.device not in known:
            raise NotFoundError(f"projects/{project}/devices/{event.device} is not there")


def _fan_out_all(
    project: str,
    events: Mapping[int, Event],
    devices: Mapping[str, Device],
    connectors: Sequence[Connector],
    now: float,
) -> tuple[_Messages, dict[int, str]]:
    """Return the messages of each event, and the events that are too large, with reasons.

    A labelsChanged event whose device is gone is delivered without labels.
    """
    messages: _Messages = {}
    too_large: dict[int, str] = {}
    for index, event in events.items():
        device = devices.get(event.device) or Device(project, event.device, "", {}, "", "")
        try:
            messages[index] = fan_out(event, device, connectors, now)
        except EventError as error:
            too_large[index] = str(error)
    return messages, too_large


def _require_few_messages(messages: _Messages) -> None:
    total = sum(len(of_event) for of_event in messages.values())
    if total > MAXIMUM_MESSAGES:
        raise TooLargeError(
            f"events: {len(messages)} events for the project's connectors make {total} "
            f"messages, at most {MAXIMUM_MESSAGES}: split them into several calls"
        )
