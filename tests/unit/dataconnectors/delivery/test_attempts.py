"""The attempts of a batch: made in parallel, and independent of each other."""

import threading

import pytest

from dataconnectors.events.message import RESEND, TEST
from tests.support.sender_bench import CUTOFF, SenderBench, received


def test_all_events_of_a_batch_are_posted_in_parallel(bench: SenderBench) -> None:
    together = threading.Barrier(10, timeout=5)
    bench.before_post = lambda event_id: together.wait()
    assert bench.send(*map(received, "abcdefghij")) == set()


def test_an_exception_in_one_attempt_leaves_the_other_attempts_alone(bench: SenderBench) -> None:
    bench.answers = {"b": RuntimeError("bug")}
    assert bench.send(*map(received, "abc")) == {"b"}
    assert bench.sqs.visibility == {"b": 8}
    assert bench.lines("delivery.crashed")[0]["eventId"] == "b"


def test_a_worker_that_hangs_fails_its_own_event_only(
    release: threading.Event,
) -> None:
    bench = SenderBench(workers=2, timeout=0.05)
    bench.before_post = lambda event_id: event_id == "stuck" and release.wait()
    assert bench.send(received("stuck"), received("a"), seconds=3.0) == {"stuck"}
    assert bench.sqs.visibility == {"stuck": 8}
    # Both workers serve the next batches.
    assert bench.send(received("stuck"), received("a"), seconds=3.0) == {"stuck"}
    together = threading.Barrier(2, timeout=5)
    bench.before_post = lambda event_id: together.wait()
    assert bench.send(received("b"), received("c"), seconds=3.0) == set()


def test_events_without_time_for_an_attempt_go_back_to_the_queue() -> None:
    bench = SenderBench(workers=1)
    bench.response_times = {"a": 9.0, "b": 9.0, "c": 9.0}
    bench.answers = {"b": 500}
    assert bench.send(*map(received, "abcd"), seconds=30.0) == {"b", "c", "d"}
    assert bench.posted == ["a", "b"]
    assert bench.sqs.visibility.keys() == {"b", "c", "d"}
    assert (bench.sqs.visibility["c"], bench.sqs.visibility["d"]) == (0, 0)
    assert bench.lines("delivery.batch")[0]["not_started"] == 2


@pytest.mark.parametrize(
    ("receive_count", "age", "response_time", "expires"),
    [
        (20, CUTOFF - 3601.0, 0.0, False),
        (20, CUTOFF - 3600.0, 0.0, True),
        (20, 40_088.0, 0.0, True),  # the twentieth attempt when the endpoint fails at once
        (19, 36_488.0, 0.0, False),
        (3, CUTOFF - 33.0, 0.0, False),  # few receives, all of them late: the wait is 32 s
        (3, CUTOFF - 32.0, 0.0, True),
        (3, CUTOFF - 48.0, 9.5, False),  # the attempt takes 9.5 s, and the wait is 38 s
        (3, CUTOFF - 47.0, 9.5, True),
        (1, 43_500.0, 0.0, True),  # past the retention, and SQS has not deleted it yet
    ],
)
def test_an_event_expires_when_no_further_attempt_fits(
    bench: SenderBench, receive_count: int, age: float, response_time: float, expires: bool
) -> None:
    bench.answers = {"a": 503}
    bench.response_times = {"a": response_time}
    remaining = bench.send(received("a", receive_count=receive_count, age=age))
    assert remaining == (set() if expires else {"a"})
    assert set(bench.expired_events.saved) == ({"a"} if expires else set())
    assert bench.expired == ([1] if expires else [])
    assert len(bench.expired_events.counted) == expires


@pytest.mark.parametrize("age", [0.5, 899.0])
def test_a_test_that_fails_is_attempted_once_and_expires_never(
    bench: SenderBench, age: float
) -> None:
    bench.answers = {"a": 503, "b": 503}
    test, other = received("a", origin=TEST, age=age), received("b", origin=RESEND)
    assert bench.send(test, other) == {"b"}
    assert (bench.expired_events.saved, bench.expired) == ({}, [])
    assert len(bench.attempts) == 2
    (line,) = bench.lines("delivery.batch")
    assert (line["tested"], line["failed"]) == (1, 1)
    assert {line["eventId"] for line in bench.lines("delivery.failed")} == {"a", "b"}


def test_a_test_that_succeeds_is_delivered_like_any_event(bench: SenderBench) -> None:
    assert bench.send(received("a", origin=TEST)) == set()
    assert bench.lines("delivery.batch")[0]["delivered"] == 1


def test_only_a_test_has_the_header_of_one(bench: SenderBench) -> None:
    bench.send(received("a", origin=TEST), received("b", origin=RESEND), received("c"))
    assert bench.tests == ["a"]


def test_a_test_that_is_gone_does_not_disable_its_connector() -> None:
    bench = SenderBench(disables_gone=True)
    bench.answers = {"a": 410, "b": 410}
    assert bench.send(received("a", origin=TEST)) == set()
    assert bench.disabled == []
    bench.send(received("b"))
    assert len(bench.disabled) == 1
