"""Makes the record of an event that expires, from its message and its last failure."""

import json

from dataconnectors.delivery.received import QueuedEvent
from dataconnectors.endpoints.outcomes import Failed
from dataconnectors.expiry.expired_event import UNTRIED, ExpiredEvent
from dataconnectors.kernel import times


def record_of(event: QueuedEvent, failure: Failed | str, now: float) -> ExpiredEvent:
    """The record of an event that expires at `now`, in epoch seconds.

    `failure` is that of its last attempt, or a sentence that says why this receive made none.
    """
    event_type, target, event_time = described(event.body)
    if isinstance(failure, str):
        kind, message, status = UNTRIED, failure, None
    else:
        kind, message, status = failure.kind.value, failure.message, failure.status
    return ExpiredEvent(
        connector=event.connector,
        event_id=event.event_id,
        event_type=event_type,
        target=target,
        attempts=event.message.receive_count,
        kind=kind,
        message=message,
        status=status,
        accepted_at=event.message.sent_at,
        expired_at=now,
        event_time=event_time,
    )


def described(body: bytes) -> tuple[str, str, float | None]:
    """The event's type, its device's name and its timestamp.

    Read from the body, because only records and the attempt log need them: queue messages carry no
    such fields.
    """
    try:
        event = json.loads(body)["event"]
        event_type, target = str(event["eventType"]), str(event["targetName"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return "", "", None
    try:
        return event_type, target, times.from_text(event["timestamp"])
    except (ValueError, OverflowError, LookupError, TypeError):
        return event_type, target, None
