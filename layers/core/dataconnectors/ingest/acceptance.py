"""Accepting events: from a caller's list to a message in the queue of each connector that wants it.

An event is accepted when history and every such queue have confirmed it, and not before. History
comes first, so that no event is ever delivered and then missing there.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.devices.device import DEVICE_TYPE_OF_EVENT, Device
from dataconnectors.events.event import Event, parse_emulated_event, parse_event
from dataconnectors.events.message import MAXIMUM_BYTES, Message
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.kernel import jsontext, times
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
from dataconnectors.store.history import HistoryWriter
from dataconnectors.store.projects import ProjectStore, Snapshot

MAXIMUM_EVENTS = 100
"""Events of one call."""

MAXIMUM_MESSAGES = 2000
"""Events x matching connectors of one call: 200 batches, about a second's work in parallel."""

REMEMBERED_PROJECTS = 500
"""Projects whose connectors are kept in memory at most."""


@dataclass(frozen=True, slots=True)
class AcceptResult:
    """What became of a call's events.

    `refused` are invalid and will never be accepted, `unconfirmed` are valid and were not
    confirmed by history and every queue: they have to be sent again. Both map an event's position
    to a reason.
    """

    accepted: int
    refused: dict[int, str] = field(default_factory=dict)
    unconfirmed: dict[int, str] = field(default_factory=dict)

    def errors(self) -> list[dict[str, Any]]:
        """`[{"index", "error"}]` in the order of the call's events."""
        reasons = self.refused | self.unconfirmed
        return [{"index": index, "error": reasons[index]} for index in sorted(reasons)]


class EventAcceptor:
    """Accepts events of any project. Safe to share between threads."""

    def __init__(
        self,
        projects: ProjectStore,
        connectors: ConnectorStore,
        devices: DeviceStore,
        keeper: HistoryWriter,
        queues: ConnectorQueues,
        now: Callable[[], float],
    ) -> None:
        """`now` gives epoch seconds."""
        self._projects = projects
        self._connectors = connectors
        self._devices = devices
        self._keeper = keeper
        self._queues = queues
        self._now = now
        self._lock = Lock()
        self._remembered: OrderedDict[str, tuple[int, list[Connector]]] = OrderedDict()

    def accept(
        self, project: str, envelopes: Any, *, from_label_change: bool = False
    ) -> AcceptResult:
        """Accept a list of 1 to `MAXIMUM_EVENTS` envelopes.

        labelsChanged events are refused unless they come `from_label_change`: publishers must not
        forge them.

        Raises `BadRequestError` for what is no such list, `NotFoundError` without the project,
        `TooLargeError` when they make too many messages, `UnavailableError` when the database
        does not answer. Then none was accepted.
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
        return self._deliver(project, valid, refused, now, known_devices_only=False)

    def publish(self, project: str, device: str, payload: Any, event_id: str) -> None:
        """Accept the one event that an emulated device publishes.

        Raises `BadRequestError` for an invalid one, `NotFoundError` without the project or the
        device, `UnavailableError` when it was not accepted.
        """
        now = self._now()
        if not is_id(device):
            raise NotFoundError(f"projects/{project}/devices/{device:.80} is not there")
        try:
            event = parse_emulated_event(payload, project, device, event_id, now)
        except EventError as error:
            raise BadRequestError(str(error)) from None
        outcome = self._deliver(project, {0: event}, {}, now, known_devices_only=True)
        if outcome.refused:
            raise BadRequestError(outcome.refused[0])
        if outcome.unconfirmed:
            raise UnavailableError(outcome.unconfirmed[0])

    def _deliver(
        self,
        project: str,
        valid: dict[int, Event],
        refused: dict[int, str],
        now: float,
        *,
        known_devices_only: bool,
    ) -> AcceptResult:
        snapshot = self._projects.snapshot(project, [event.device for event in valid.values()])
        if snapshot is None:
            raise NotFoundError(f"projects/{project} is not there")
        if known_devices_only:
            for event in valid.values():
                if event.device not in snapshot.devices:
                    raise NotFoundError(f"projects/{project}/devices/{event.device} is not there")
        connectors = self._wanting(project, snapshot.version)
        devices = self._seen(project, snapshot, valid.values(), now)
        messages: dict[int, list[tuple[Connector, str]]] = {}
        for index, event in valid.items():
            device = devices.get(event.device) or Device(project, event.device, "", {}, "", "")
            try:
                messages[index] = fan_out(event, device, connectors, now)
            except EventError as error:
                refused[index] = str(error)
        total = sum(len(of_event) for of_event in messages.values())
        if total > MAXIMUM_MESSAGES:
            raise TooLargeError(
                f"events: {len(messages)} events for the project's connectors make {total} "
                f"messages, at most {MAXIMUM_MESSAGES}: split them into several calls"
            )
        unconfirmed = self._keeper.keep(project, {index: valid[index] for index in messages})
        unconfirmed |= self._send(
            {index: texts for index, texts in messages.items() if index not in unconfirmed}
        )
        return AcceptResult(len(messages) - len(unconfirmed), refused, unconfirmed)

    def _seen(
        self, project: str, snapshot: Snapshot, seen: Iterable[Event], now: float
    ) -> Mapping[str, Device]:
        """The devices of the events. One that is not known yet becomes so, with its first event.

        labelsChanged makes no device known: it may come after the device was deleted.
        """
        told: dict[str, str] = {}
        for event in seen:
            if event.type != "labelsChanged":
                told[event.device] = told.get(event.device) or DEVICE_TYPE_OF_EVENT.get(
                    event.type, ""
                )
        devices = dict(snapshot.devices)
        new: list[Device] = []
        for device_id, device_type in told.items():
            device = devices.get(device_id)
            if device is None:
                device = Device(project, device_id, device_type, {}, "", times.to_text(now))
                new.append(device)
            elif device_type and not device.type:
                device = replace(device, type=device_type)
                self._devices.set_type(device)
            devices[device_id] = device
        if new:
            self._devices.register(new)
        return devices

    def _wanting(self, project: str, version: int) -> list[Connector]:
        """The connectors that events are queued for, as of this version of the configuration.

        The version was read consistently for this very request, so what is remembered under it
        is what a read of the connectors would give now.
        """
        with self._lock:
            kept = self._remembered.get(project)
        if kept is not None and kept[0] == version:
            return kept[1]
        connectors = [
            connector
            for connector in self._connectors.connectors(project)
            if connector.lifecycle is Lifecycle.READY and connector.is_active
        ]
        with self._lock:
            self._remembered[project] = (version, connectors)
            self._remembered.move_to_end(project)
            if len(self._remembered) > REMEMBERED_PROJECTS:
                self._remembered.popitem(last=False)
        return connectors

    def _send(self, messages: dict[int, list[tuple[Connector, str]]]) -> dict[int, str]:
        """Send all; the events that some queue did not confirm, with a reason."""
        entries: dict[str, list[QueueEntry]] = {}
        by_queue: dict[str, Connector] = {}
        for index, of_event in messages.items():
            for connector, text in of_event:
                entries.setdefault(connector.queue_url, []).append(QueueEntry(index, text))
                by_queue[connector.queue_url] = connector
        unconfirmed: dict[int, str] = {}
        for url, sent in self._queues.send(entries).items() if entries else ():
            connector = by_queue[url]
            if sent.missing and self._is_gone(connector):
                continue
            for index, reason in sent.refused.items():
                unconfirmed[index] = (
                    f"not confirmed by the queue of {connector.name} ({reason}): send it again"
                )
        return unconfirmed

    def _is_gone(self, connector: Connector) -> bool:
        """Whether a missing queue means that the connector was deleted while we sent."""
        current = self._connectors.connector(connector.name)
        return current is None or not current.sends(connector.epoch)


def fan_out(
    event: Event, device: Device, connectors: Sequence[Connector], now: float
) -> list[tuple[Connector, str]]:
    """The event's message for each connector that wants it; `EventError` when one is too large."""
    metadata = jsontext.dumps(
        {
            "deviceId": device.id,
            "projectId": device.project,
            "deviceType": device.type,
            "productNumber": device.product_number,
        }
    )
    messages = []
    bodies: dict[tuple[str, ...], str] = {}
    for connector in connectors:
        if connector.event_types and event.type not in connector.event_types:
            continue
        body = bodies.get(connector.labels)
        if body is None:
            chosen = {key: device.labels[key] for key in connector.labels if key in device.labels}
            labels = jsontext.dumps(chosen)
            body = f'{{"event":{event.json},"labels":{labels},"metadata":{metadata}}}'
            bodies[connector.labels] = body
        text = Message(connector.name, connector.epoch, event.id, int(now * 1000), body).to_text()
        if len(text) > MAXIMUM_BYTES:
            raise EventError(
                f"{len(text)} bytes as a message of {connector.name}, with labels and escapes, "
                f"at most {MAXIMUM_BYTES}"
            )
        messages.append((connector, text))
    return messages
