"""The record of an event whose time has run out, made from its message and its last failure."""

import json

from dataconnectors.delivery.received import QueuedEvent
from dataconnectors.endpoints.outcomes import Failed
from dataconnectors.expiry.expired_event import UNTRIED, ExpiredEvent


def expired(job: QueuedEvent, failure: Failed | str, now: float) -> ExpiredEvent:
    """The record of an event, after its last failure or for a reason why it was not tried."""
    event_type, target = _what(job.body)
    if isinstance(failure, str):
        failure_kind, message, status = UNTRIED, failure, None
    else:
        failure_kind, message, status = failure.kind.value, failure.message, failure.status
    return ExpiredEvent(
        connector=job.message.connector,
        event_id=job.message.event_id,
        event_type=event_type,
        target=target,
        attempts=job.record.receive_count,
        kind=failure_kind,
        message=message,
        status=status,
        accepted_at=job.record.sent_at,
        expired_at=now,
    )


def _what(body: bytes) -> tuple[str, str]:
    """An event's type and target: read here alone, so that messages need no more fields."""
    try:
        event = json.loads(body)["event"]
        return str(event["eventType"]), str(event["targetName"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return "", ""
