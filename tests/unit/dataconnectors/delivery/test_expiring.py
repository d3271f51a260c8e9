"""What the record of an expired event takes from its message and its last failure."""

import json

import pytest

from dataconnectors.delivery.expiring import record_of
from dataconnectors.delivery.received import QueuedEvent, ReceivedMessage
from dataconnectors.endpoints.outcomes import Failed, FailureKind
from dataconnectors.events.message import Message

NOW = 1_790_000_000.0
FAILED = Failed(FailureKind.TIMEOUT, "no answer in time", 10.0)


def queued(body: str) -> QueuedEvent:
    text = Message("projects/p/dataconnectors/c", 1, "e1", 0, body).to_text()
    return QueuedEvent.of(ReceivedMessage("m", "h", "arn", 20, NOW - 41_000, NOW, text))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"event":{"eventType":"touch","targetName":"projects/p/devices/d"}}', "touch"),
        ('{"event":{"eventType":"touch"}}', ""),
        ('{"event":[]}', ""),
        ("[1]", ""),
        ("null", ""),
        ("no JSON", ""),
        ("[" * 100_000, ""),
    ],
)
def test_an_event_whose_body_lacks_fields_is_recorded_without_them(
    body: str, expected: str
) -> None:
    record = record_of(queued(body), FAILED, NOW)
    assert (record.event_id, record.event_type, record.kind) == ("e1", expected, "timeout")


def test_a_record_has_the_times_the_attempts_and_the_last_failure() -> None:
    record = record_of(queued("{}"), FAILED, NOW)
    assert (record.accepted_at, record.expired_at, record.attempts) == (NOW - 41_000, NOW, 20)
    assert (record.message, record.status) == ("no answer in time", None)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        ("2026-11-22T12:00:00.5Z", 1_795_348_800.5),
        ("2026-11-22T13:00:00+01:00", 1_795_348_800.0),
        ("yesterday", None),
        (5, None),
        (None, None),
    ],
)
def test_a_record_has_the_events_own_time_if_its_body_does(
    timestamp: object, expected: float | None
) -> None:
    event = {"eventType": "touch", "targetName": "projects/p/devices/d", "timestamp": timestamp}
    record = record_of(queued(json.dumps({"event": event})), FAILED, NOW)
    assert (record.event_time, record.event_type) == (expected, "touch")


def test_a_record_has_no_data_of_the_event() -> None:
    body = json.dumps({"event": {"eventType": "touch", "data": "a secret value"}})
    assert "a secret value" not in repr(record_of(queued(body), "not tried", NOW))
