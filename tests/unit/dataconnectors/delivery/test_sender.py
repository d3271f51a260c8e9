"""What the sender does with a batch, what it logs, and which messages are none of ours."""

import pytest

from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer
from dataconnectors.events.message import Message
from tests.support.sender_bench import ARN, NAME, SECRETS, SenderBench, received


def test_acknowledged_events_leave_the_queue_and_the_others_wait(bench: SenderBench) -> None:
    bench.answers = {"b": 500, "d": NoAnswer(FailureKind.CONNECT, "no connection")}
    assert bench.send(*map(received, "abcde")) == {"b", "d"}
    assert sorted(bench.posted) == list("abcde")
    assert bench.sqs.visibility == {"b": 8, "d": 8}


def test_a_healthy_batch_reads_its_connector_and_opens_its_secrets_once(
    bench: SenderBench,
) -> None:
    assert bench.send(*map(received, "abcdefghij")) == set()
    assert (bench.reads, bench.opened, bench.sqs.calls) == ([NAME], 1, [])
    assert all(bench.signed)


@pytest.mark.parametrize("text", ["", "no JSON", "{}", '{"v":9}', "[" * 5000])
def test_a_message_in_another_format_becomes_a_dead_letter_with_the_reason(
    bench: SenderBench, text: str
) -> None:
    assert bench.send(received("a"), received("bad", text=text), received("c")) == set()
    assert sorted(bench.posted) == ["a", "c"]
    assert bench.sqs.calls == []
    (dead_letter,) = bench.dead_letters.letters.values()
    assert dead_letter.message.text == text
    (line,) = bench.lines("delivery.dead_letter")
    assert line == {"queue": ARN, "messageId": "bad", "error": dead_letter.reason}
    (batch,) = bench.lines("delivery.batch")
    assert (batch["dead_lettered"], batch["undeliverable"], batch["delivered"]) == (1, 0, 2)


def test_a_body_that_is_not_unicode_becomes_a_dead_letter(bench: SenderBench) -> None:
    text = Message(NAME, 3, "e", 0, "\ud800").to_text()
    assert bench.send(received("bad", text=text), received("b")) == set()
    assert bench.posted == ["b"]
    assert set(bench.dead_letters.letters) == {"bad"}


def test_the_log_has_one_line_for_the_batch_and_one_for_each_failed_attempt(
    bench: SenderBench,
) -> None:
    bench.answers = {
        "b": 503,
        "c": NoAnswer(FailureKind.TLS, "example.com: certificate has expired"),
    }
    bench.response_times = {"b": 2.5}
    bench.send(received("a", age=99.0), received("b", receive_count=2, age=9.0), received("c"))
    assert len(bench.lines("delivery.batch")) == 1
    (line,) = bench.lines("delivery.batch")
    assert line == {
        "connector": NAME,
        "delivered": 1,
        "dropped": 0,
        "expired": 0,
        "dead_lettered": 0,
        "tested": 0,
        "failed": 2,
        "held": 0,
        "postponed": 0,
        "undeliverable": 0,
        "not_started": 0,
        "unlogged": 0,
        "duration_ms": 2500,
        "oldest_age": 101.5,
    }
    by_event = {fields["eventId"]: fields for fields in bench.lines("delivery.failed")}
    assert by_event["b"]["attempt"] == 2
    assert (by_event["b"]["kind"], by_event["b"]["status"]) == ("status", 503)
    assert by_event["b"]["next_wait"] == 16
    assert by_event["c"]["kind"] == "tls"
    assert by_event["c"]["error"] == "example.com: certificate has expired"


def test_the_log_holds_no_body_header_value_or_secret(bench: SenderBench) -> None:
    bench.answers = {"b": 500, "c": NoAnswer(FailureKind.DNS, "no")}
    bench.send(
        received("a"), received("b"), received("c"), received("d", text='{"v":1,"body":"a body"}')
    )
    everything = repr(bench.logged)
    for hidden in (SECRETS.signature_secret, "value of a header", "a body", '{"id"', "sealed"):
        assert hidden not in everything
