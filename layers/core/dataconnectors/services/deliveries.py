"""Deliveries that somebody asks for: a preview, a test event, and one event once more."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.connectors.secrets import MASK, Secrets, masked_url, open_secrets
from dataconnectors.devices.device import Device
from dataconnectors.devices.sample_event import SAMPLES, TEST_LABEL, sample_device, sample_event
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.events.event import Event
from dataconnectors.events.message import RESEND, TEST, Message
from dataconnectors.ingest.fan_out import fan_out
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.kernel.errors import (
    BadRequestError,
    DestinationError,
    EventError,
    TooManyRequestsError,
    UnavailableError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.services.connector_finder import find_connector
from dataconnectors.services.event_finder import EventFinder, parse_reference
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.request_counts import RequestCountStore

ASKED_PER_MINUTE = 30
"""Tests and resent events of one connector in a minute. More than a person needs, and less than a
load on an endpoint. For many events there is the replay, which has a pace."""

MINUTE = 60


class _Prepared(NamedTuple):
    """An event, the device that it names, and the message for one connector."""

    event: Event
    message: Message


class DeliveryService:
    """What callers ask for with a single event, of any project's connectors.

    Checks no permission.
    """

    def __init__(
        self,
        connectors: ConnectorStore,
        devices: DeviceStore,
        finder: EventFinder,
        queues: ConnectorQueues,
        vault: Vault,
        counts: RequestCountStore,
        check_url: Callable[[str], Destination],
        *,
        logs_attempts: bool,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`check_url` raises `DestinationError` for a URL that the sender would not call.

        `logs_attempts` says whether the stack has an attempt log to look into. `entropy` gives
        random bytes, `now` epoch seconds.
        """
        self._connectors = connectors
        self._devices = devices
        self._finder = finder
        self._queues = queues
        self._vault = vault
        self._counts = counts
        self._check_url = check_url
        self.logs_attempts = logs_attempts
        self._entropy = entropy
        self._now = now

    def preview(
        self, project: str, connector_id: str, body: Any, *, show_secrets: bool
    ) -> dict[str, Any]:
        """What would be POSTed now, for an event of history or a sample. Nothing is sent.

        Without `show_secrets`, values that the connector keeps secret are masked, those of the
        URL's query among them, and so are signatures: with one, anybody could send this event to
        the endpoint.

        Raises `NotFoundError` and `BadRequestError`.
        """
        connector = find_connector(self._connectors, project, connector_id)
        fields = _fields(body)
        if fields.get("event") in (None, ""):
            prepared = self._sample(connector, fields.get("eventType"))
        elif fields.get("eventType") in (None, ""):
            prepared = self._kept(connector, fields)
        else:
            raise BadRequestError("expected either event or eventType, not both")
        secrets = open_secrets(connector, self._vault).at(self._now())
        text = prepared.message.body
        headers, problem = self._headers(connector, secrets, prepared.message)
        url = connector.url
        if not show_secrets:
            url, headers = masked_url(url), _masked(headers, secrets)
        return {
            "method": "POST",
            "url": url,
            "headers": headers,
            "body": text,
            "notes": [*problem, *_why_not_sent(connector, prepared.event.type)],
        }

    def test(self, project: str, connector_id: str, body: Any) -> dict[str, Any]:
        """Send a sample event of a type to this connector alone.

        Raises `BadRequestError` when the connector would not send it, `NotFoundError`,
        `TooManyRequestsError` and `UnavailableError`.
        """
        connector = find_connector(self._connectors, project, connector_id)
        prepared = self._sample(connector, _fields(body).get("eventType"))
        return self._send(connector, prepared)

    def resend(self, project: str, connector_id: str, body: Any) -> dict[str, Any]:
        """Send an event of history once more, to this connector alone. Raises as `test` does."""
        connector = find_connector(self._connectors, project, connector_id)
        return self._send(connector, self._kept(connector, _fields(body)))

    def _sample(self, connector: Connector, event_type: Any) -> _Prepared:
        """A sample event of a type, marked as a test."""
        if not isinstance(event_type, str) or event_type not in SAMPLES:
            raise BadRequestError(
                f"eventType: {event_type!r:.40}, expected one of {', '.join(SAMPLES)}"
            )
        now = self._now()
        event_id = new_id(now, self._entropy(ENTROPY_BYTES))
        event = sample_event(event_type, connector.project, event_id, now)
        device = sample_device(event_type, connector.project, connector.labels)
        labels = tuple(dict.fromkeys((*connector.labels, TEST_LABEL)))
        return self._prepare(replace(connector, labels=labels), event, device, TEST)

    def _kept(self, connector: Connector, fields: dict[str, Any]) -> _Prepared:
        """An event of history, with the labels that its device has now, as a replay sends it."""
        wanted = parse_reference(
            fields.get("event"), fields.get("device"), fields.get("time"), connector.project
        )
        found = self._finder.find(connector.project, wanted)
        if found is None:
            raise self._finder.not_found(connector.project, wanted)
        event = found.event
        device = self._devices.device(connector.project, event.device)
        gone = Device(connector.project, event.device, "", {}, "", "")
        return self._prepare(connector, event, device or gone, RESEND)

    def _prepare(
        self, connector: Connector, event: Event, device: Device, origin: str
    ) -> _Prepared:
        """The message that ingest would make, whether the connector wants the type or not."""
        every_type = replace(connector, event_types=())
        try:
            ((_, text),) = fan_out(event, device, [every_type], self._now(), origin=origin)
        except EventError as error:
            raise BadRequestError(f"event {event.id} cannot be sent: {error}") from None
        return _Prepared(event, Message.from_text(text))

    def _headers(
        self, connector: Connector, secrets: Secrets, message: Message
    ) -> tuple[dict[str, str], list[str]]:
        """The headers of the POST, and why it would not be made, if so."""
        # Imported here, because few cold starts of the API happen for a preview.
        from dataconnectors.endpoints.delivery_headers import delivery_headers
        from dataconnectors.endpoints.outcomes import NoAnswerError
        from dataconnectors.endpoints.wire import wire_headers

        body = message.body.encode()
        headers = delivery_headers(
            secrets,
            body,
            message.event_id,
            is_test=message.origin == TEST,
            now=self._now(),
            entropy=self._entropy,
        )
        try:
            destination = self._check_url(connector.url)
            return wire_headers(destination, headers, body), []
        except DestinationError as error:
            return dict(headers), [f"nothing would be sent: the connector's URL: {error}"]
        except NoAnswerError as error:
            return dict(headers), [f"nothing would be sent: {error}"]

    def _send(self, connector: Connector, prepared: _Prepared) -> dict[str, Any]:
        reasons = _why_not_sent(connector, prepared.event.type)
        if reasons:
            raise BadRequestError(reasons[0])
        if connector.lifecycle is not Lifecycle.READY:
            raise UnavailableError(f"{connector.name} has no queue yet: try again in a minute")
        self._count(connector)
        entry = QueueEntry(0, prepared.message.to_text())
        sent = self._queues.send({connector.queue_url: [entry]})[connector.queue_url]
        if sent.unconfirmed:
            raise UnavailableError(
                f"the queue of {connector.name} did not take the event ({sent.unconfirmed[0]}): "
                "send it again"
            )
        event_id = prepared.event.id
        url = f"/v2/{connector.name}/attempts?eventId={event_id}"
        return {"eventId": event_id, "attemptsUrl": url if self.logs_attempts else ""}

    def _count(self, connector: Connector) -> None:
        minute = int(self._now() // MINUTE)
        end = (minute + 1) * MINUTE
        if self._counts.count(connector.name, minute, end + MINUTE) > ASKED_PER_MINUTE:
            raise TooManyRequestsError(
                f"more than {ASKED_PER_MINUTE} tests and resent events of {connector.name} within "
                "a minute: wait, or start a replay",
                wait=max(1, math.ceil(end - self._now())),
            )


def _fields(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    known = ("event", "device", "time", "eventType")
    for name, value in body.items():
        if value is not None and name not in known:
            raise BadRequestError(f"{name!r:.60}: unknown field, expected {', '.join(known)}")
    return body


def _why_not_sent(connector: Connector, event_type: str) -> list[str]:
    """Why the connector would not send an event of this type now, in the order of importance."""
    reasons = []
    if not connector.is_active:
        reasons.append(f"{connector.name} is disabled and sends nothing: set its status to ACTIVE")
    if connector.is_paused:
        reasons.append(f"{connector.name} is paused and holds its events: resume it")
    if connector.event_types and event_type not in connector.event_types:
        reasons.append(
            f"{connector.name} does not push {event_type}, but {', '.join(connector.event_types)}"
        )
    return reasons


def _masked(headers: dict[str, str], secrets: Secrets) -> dict[str, str]:
    """The headers for callers who may not read the connector's secrets."""
    hidden = {name.lower() for name, _ in secrets.headers} | _SIGNATURES
    return {name: MASK if name.lower() in hidden else value for name, value in headers.items()}


_SIGNATURES = {"x-dt-signature", "x-dt-signature-previous", "webhook-signature"}
