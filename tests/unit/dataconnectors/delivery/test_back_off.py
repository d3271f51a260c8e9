"""How long failed events wait, and the attempt counts of a batch."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataconnectors.delivery.deadlines import COUNT_SECONDS
from dataconnectors.delivery.retry import wait_after
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer
from tests.support.sender_bench import (
    ARN,
    CONNECTOR,
    NAME,
    THROTTLED,
    UNREACHED,
    SenderBench,
    received,
)


def test_ten_failed_events_are_postponed_in_one_call_to_sqs(bench: SenderBench) -> None:
    bench.answers = dict.fromkeys("abcdefghij", 500)
    assert bench.send(*map(received, "abcdefghij")) == set("abcdefghij")
    assert len(bench.sqs.calls) == 1


@pytest.mark.parametrize(
    ("receive_count", "age", "response_time", "expected"),
    [
        (1, 0.5, 0.0, 8),
        (2, 8.5, 0.0, 16),
        (4, 60.0, 0.0, 64),
        (30, 39_400.0, 0.0, 3600),
        (12, 20_000.0, 0.0, 3600),
        (6, 20.2, 0.0, 29),  # some receives made no attempt; the wait is rounded up
        (1, 0.5, 7.5, 30),
    ],
)
def test_a_failed_event_waits_for_its_back_off(
    bench: SenderBench, receive_count: int, age: float, response_time: float, expected: int
) -> None:
    bench.answers = {"a": 503}
    bench.response_times = {"a": response_time}
    bench.send(received("a", receive_count=receive_count, age=age))
    assert bench.sqs.visibility == {"a": expected}


def test_time_since_the_attempt_is_subtracted_from_the_wait() -> None:
    bench = SenderBench(workers=1)
    bench.answers = dict.fromkeys("abc", 500)
    bench.response_times = {"a": 0.25, "b": 3.0, "c": 6.0}
    bench.send(*map(received, "abc"))
    # The attempts ended at 0.25, 3.25 and 9.25 s. SQS was called at 9.25 s.
    assert bench.sqs.visibility == {"a": 0, "b": 6, "c": 24}


@given(
    st.integers(1, 25),
    st.floats(0, 43_000),
    st.floats(0, 10),
    st.lists(st.floats(0, 10), max_size=9),
    st.floats(-30, 30),
)
@settings(max_examples=60, deadline=None)
def test_the_next_attempt_is_never_early_and_at_most_a_second_late(
    receive_count: int, age: float, response_time: float, others: list[float], skew: float
) -> None:
    """SQS counts the visibility timeout from the call, which follows the batch's last attempt. Only
    when that call comes after the next attempt was due is the attempt later than a second."""
    bench = SenderBench(workers=1)
    bench.answers = {"0": 503}
    times = [response_time, *others]
    ended: dict[str, float] = {}
    bench.response_times = {str(number): seconds for number, seconds in enumerate(times)}
    bench.before_post = lambda event_id: ended.setdefault(
        event_id, bench.elapsed + bench.response_times[event_id]
    )
    receiving = received("0", receive_count=receive_count, age=age + skew)
    left = bench.send(receiving, *(received(str(number)) for number in range(1, len(times))))
    due = ended["0"] + wait_after(receive_count, response_time, age + skew + ended["0"])
    if "0" in left:
        assert 0 <= bench.sqs.visibility["0"] <= 43_200
        assert due - 1e-6 <= bench.elapsed + bench.sqs.visibility["0"]
        assert bench.sqs.visibility["0"] <= max(0.0, due - bench.elapsed) + 1 + 1e-6
    else:
        assert set(bench.expired_events.saved) == {"0"}
        assert age + skew + due >= 43_200 - 120 - 1e-3


@pytest.mark.parametrize(
    ("asked", "age", "receive_count", "waits"),
    [
        ("60", 0.0, 1, 60),  # longer than the back-off
        ("5", 0.0, 1, 8),  # shorter than the back-off, which counts then
        ("3600", 100.0, 3, 3600),
        ("3600", 40_000.0, 1, 8),  # the event would expire before
    ],
)
def test_an_endpoint_may_ask_for_a_longer_wait(
    bench: SenderBench, asked: str, age: float, receive_count: int, waits: int
) -> None:
    bench.answers = {"a": Answer(503, asked)}
    assert bench.send(received("a", age=age, receive_count=receive_count)) == {"a"}
    assert bench.sqs.visibility == {"a": waits}


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_failed_visibility_call_is_logged_and_the_events_stay_in_the_queue(
    bench: SenderBench, error: Any
) -> None:
    bench.sqs.error = error
    bench.answers = {"a": 500}
    assert bench.send(received("a"), received("b")) == {"a"}
    assert bench.lines("visibility.not_changed")[0]["queue"] == ARN


def test_a_message_that_the_visibility_answer_refuses_is_logged(bench: SenderBench) -> None:
    bench.sqs.refused = {"a": "ReceiptHandleIsInvalid"}
    bench.answers = {"a": 500, "b": 500}
    assert bench.send(received("a"), received("b")) == {"a", "b"}
    assert bench.lines("visibility.not_changed") == [
        {"queue": ARN, "error": "a: ReceiptHandleIsInvalid"}
    ]


def test_the_attempts_of_a_batch_are_counted_in_one_write(bench: SenderBench) -> None:
    bench.answers = {"b": 500, "c": NoAnswer(FailureKind.DNS, "no")}
    bench.response_times = {"a": 0.5, "b": 2.0}
    bench.send(
        received("a"),
        received("b"),
        received("c"),
        received("d", epoch=2),
        received("e", text="{}"),
    )
    assert bench.attempt_counters.calls == 1
    counts = bench.attempt_counters.by_connector[NAME]
    assert (counts.successes, counts.errors) == (1, 2)
    assert sum(counts.latencies.values()) == 3
    assert len(bench.attempts) == 3


def test_the_attempts_of_each_connector_are_counted_separately(bench: SenderBench) -> None:
    other = "projects/p/dataconnectors/other"
    bench.connectors[other] = replace(CONNECTOR, id="other", sealed=None)
    bench.send(received("a"), received("b", connector=other), received("c"))
    assert {
        name: counts.successes for name, counts in bench.attempt_counters.by_connector.items()
    } == {
        NAME: 2,
        other: 1,
    }


def test_a_batch_without_attempts_writes_no_counts(bench: SenderBench) -> None:
    bench.connectors = {NAME: THROTTLED}
    bench.send(received("a"))
    assert (bench.attempt_counters.calls, bench.attempts) == (0, [])


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_failed_count_is_logged_and_changes_nothing_else(bench: SenderBench, error: Any) -> None:
    bench.attempt_counters.error = error
    bench.answers = {"b": 500}
    assert bench.send(received("a"), received("b")) == {"b"}
    assert bench.sqs.visibility == {"b": 8}
    assert bench.attempt_counters.calls == 1
    (line,) = bench.lines("delivery.not_counted")
    assert line["connector"] == NAME


def test_a_count_that_hangs_does_not_delay_the_batch(
    bench: SenderBench, release: threading.Event
) -> None:
    bench.attempt_counters.add = lambda *_: release.wait(30)  # type: ignore[method-assign, assignment]
    began = time.monotonic()
    assert bench.send(received("a")) == set()
    assert time.monotonic() - began < COUNT_SECONDS + 2
    assert bench.lines("delivery.not_counted") == [
        {"connector": NAME, "error": "no answer in time"}
    ]
