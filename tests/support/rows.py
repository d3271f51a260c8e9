"""Rows for tests, with simple values in the fields that a test does not set."""

from dataclasses import replace
from typing import Any

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.delivery.attempt_log import Entry
from dataconnectors.delivery.received import QueuedEvent, ReceivedMessage
from dataconnectors.delivery.results import Attempted
from dataconnectors.endpoints.exchange import Exchange
from dataconnectors.endpoints.outcomes import Failed, FailureKind, Outcome
from dataconnectors.expiry.expired_event import ExpiredEvent

PLAIN = Connector(
    project="p",
    id="c",
    display_name="",
    status=Status.ACTIVE,
    event_types=(),
    labels=(),
    url="https://example.com/hook",
    sealed=None,
    lifecycle=Lifecycle.READY,
    epoch=1,
    version=1,
    queue_id="0000000000000000000c",
    queue_url="",
    mapping_id="",
    provisioned="",
    create_time="2026-09-21T14:13:20.000000Z",
    update_time="2026-09-21T14:13:20.000000Z",
)

DISABLING_ATTRIBUTES = ("pk", "sk", "status", "epoch", "version", "updateTime", "disableTime")
"""The attributes that a disabling by the service names. template.yaml grants the sender these."""


def a_connector(**fields: Any) -> Connector:
    """A connector that is active and ready, for every event type, without labels and secrets."""
    return replace(PLAIN, **fields)


def an_expired(connector: str, now: float, **fields: Any) -> ExpiredEvent:
    """The record of an event that expired at `now`, after its last attempt failed."""
    plain = ExpiredEvent(
        connector=connector,
        event_id="e0",
        event_type="touch",
        target="projects/p/devices/d",
        attempts=20,
        kind="status",
        message="example.com answered 503",
        status=503,
        accepted_at=now - 42_000,
        expired_at=now,
    )
    return replace(plain, **fields)


UNAVAILABLE = Failed(FailureKind.STATUS, "example.com answered 503", 0.25, 503)

BODY = b"""{"event": {"eventId": "e0", "eventType": "touch", "targetName": "projects/p/devices/d",
"timestamp": "2026-09-21T14:13:19Z"}}"""


def an_attempt(
    connector: str,
    started_at: float,
    *,
    event_id: str = "e0",
    outcome: Outcome = UNAVAILABLE,
    body: bytes = BODY,
    exchange: Exchange | None = None,
    **fields: Any,
) -> Entry:
    """An attempt to write down, that began at `started_at`: the first one of its event."""
    message = ReceivedMessage("m0", "h0", "arn", 1, started_at - 1, started_at - 1, "")
    event = QueuedEvent(message, connector, 1, event_id, body)
    attempted = Attempted(
        event, a_connector(), started_at + outcome.response_time, exchange or Exchange()
    )
    entry = Entry(outcome, attempted, one_in=1, next_at=started_at + 8)
    return entry._replace(**fields)
