"""A message leaves its queue only after its dead letter or its record is saved."""

import json
from typing import Any

import pytest

from dataconnectors.delivery.results import UNDELIVERABLE_WAIT
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer
from dataconnectors.events.message import Message
from dataconnectors.expiry.expired_event import ExpiredEvent
from tests.support.sender_bench import (
    CUTOFF,
    NAME,
    NOW,
    THROTTLED,
    UNREACHED,
    SenderBench,
    received,
)


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_dead_letter_that_is_not_saved_stays_in_its_queue_and_delays_no_other_message(
    bench: SenderBench, error: Any
) -> None:
    bench.dead_letters.error = error
    assert bench.send(received("a"), received("bad", text="{}"), received("c")) == {"bad"}
    assert sorted(bench.posted) == ["a", "c"]
    assert bench.sqs.visibility == {"bad": UNDELIVERABLE_WAIT}
    assert bench.lines("delivery.not_recorded")
    assert bench.lines("delivery.batch")[0]["undeliverable"] == 1


def test_only_messages_whose_dead_letter_is_confirmed_leave_the_queue(bench: SenderBench) -> None:
    bench.dead_letters.refused = {"bad"}
    assert bench.send(received("bad", text="{}"), received("worse", text="[]")) == {"bad"}
    assert bench.sqs.visibility == {"bad": UNDELIVERABLE_WAIT}


def test_a_failure_of_an_endpoint_never_makes_a_dead_letter(bench: SenderBench) -> None:
    failures: list[int | NoAnswer] = [
        404,
        410,
        500,
        *(NoAnswer(kind, "no") for kind in FailureKind),
    ]
    bench.answers = {str(number): answer for number, answer in enumerate(failures)}
    messages = [received(event_id, age=100.0) for event_id in bench.answers]
    assert bench.send(*messages) == set(bench.answers)
    assert bench.dead_letters.letters == {}


def test_the_record_of_an_expired_event_says_what_happened(bench: SenderBench) -> None:
    bench.answers = {"a": 503}
    body = {"event": {"eventType": "touch", "targetName": "projects/p/devices/d"}, "id": "a"}
    text = Message(NAME, 3, "e1", 0, json.dumps(body)).to_text()
    bench.send(received("a", text=text, age=41_000.0, receive_count=21))
    assert bench.expired_events.saved == {
        "e1": ExpiredEvent(
            connector=NAME,
            event_id="e1",
            event_type="touch",
            target="projects/p/devices/d",
            attempts=21,
            kind="status",
            message="example.com answered 503",
            status=503,
            accepted_at=NOW - 41_000.0,
            expired_at=NOW,
        )
    }
    (line,) = bench.lines("delivery.expired")
    assert (line["connector"], line["eventId"], line["status"]) == (NAME, "e1", 503)
    assert bench.lines("delivery.batch")[0]["expired"] == 1
    assert bench.sqs.calls == []


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_message_whose_record_is_not_saved_stays_until_it_can_only_be_recorded(
    bench: SenderBench, error: Any
) -> None:
    bench.expired_events.error = error
    bench.answers = {"a": 500}
    assert bench.send(received("a", receive_count=20, age=41_080.0), received("b")) == {"a"}
    # At the next receive the event is too old for an attempt. Before, it was not due for one.
    assert bench.sqs.visibility == {"a": CUTOFF - 41_080}
    assert (bench.expired, bench.expired_events.counted) == ([], [])
    bench.posted.clear()
    assert bench.send(received("a", age=CUTOFF + 30.0)) == {"a"}
    assert (bench.posted, bench.sqs.visibility) == ([], {"a": 20})
    bench.expired_events.error = None
    assert bench.send(received("a", age=CUTOFF + 50.0)) == set()
    assert (set(bench.expired_events.saved), bench.posted) == ({"a"}, [])


def test_only_messages_whose_record_is_saved_leave_the_queue(bench: SenderBench) -> None:
    bench.expired_events.refused = {"a"}
    assert bench.send(received("a", age=CUTOFF), received("b", age=CUTOFF)) == {"a"}
    assert bench.expired == [1]


def test_a_failed_count_for_an_announcement_keeps_no_message_in_the_queue(
    bench: SenderBench,
) -> None:
    bench.expired_events.count_error = THROTTLED
    assert bench.send(received("a", age=CUTOFF), received("b")) == set()
    assert bench.lines("delivery.not_announced") == [{"events": 1}]
