"""Which attempts are written down, and that deliveries notice nothing when that fails."""

import threading
import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from dataconnectors.connectors.failing import Failing
from dataconnectors.delivery.attempt_log import (
    MOST_AT_ONCE,
    PAUSE_SECONDS,
    Entry,
)
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer
from dataconnectors.events.message import RESEND, Message
from dataconnectors.kernel import times
from tests.support.sender_bench import (
    CONNECTOR,
    NAME,
    NOW,
    THROTTLED,
    SenderBench,
    received,
)

SAMPLED = next(
    f"s{number}" for number in range(1000) if zlib.crc32(f"s{number}".encode()) % 100 == 0
)
"""An event that the sample of one in a hundred has; the others of these tests are not in it."""

assert all(zlib.crc32(event.encode()) % 100 for event in "abcdefghij")


OLD = replace(CONNECTOR, update_time=times.to_text(NOW - 601))


class Written:
    """The entries that were written, and how writing goes wrong: by an error, or in part."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.calls = 0
        self.error: Exception | None = None
        self.unwritten = 0
        self.wait: threading.Event | None = None

    def __call__(self, entries: Sequence[Entry]) -> int:
        self.calls += 1
        if self.wait is not None:
            self.wait.wait()
        if self.error is not None:
            raise self.error
        self.entries += entries[: len(entries) - self.unwritten]
        return self.unwritten

    @property
    def events(self) -> list[str]:
        return [entry.attempted.event.event_id for entry in self.entries]


def bench_with(written: Written, mode: LogMode = LogMode.SAMPLED) -> SenderBench:
    bench = SenderBench(log_mode=mode, log_one_in=100, write_attempts=written)
    bench.connectors[NAME] = OLD
    return bench


@pytest.mark.parametrize(
    ("mode", "events"),
    [
        (LogMode.ALL, ["b", "a", SAMPLED]),
        (LogMode.SAMPLED, ["b", SAMPLED]),
        (LogMode.FAILURES, ["b"]),
        (LogMode.OFF, []),
    ],
)
def test_the_mode_says_which_attempts_are_written_and_failures_come_first(
    mode: LogMode, events: list[str]
) -> None:
    written = Written()
    bench = bench_with(written, mode)
    bench.answers = {"b": 503}
    bench.send(received("a"), received("b"), received(SAMPLED))
    assert written.events == events
    by_event = {entry.attempted.event.event_id: entry for entry in written.entries}
    if mode is LogMode.SAMPLED:
        assert (by_event["b"].one_in, by_event[SAMPLED].one_in) == (1, 100)
        assert by_event[SAMPLED].next_at is None
        assert by_event["b"].next_at == NOW + 8


def a_resend() -> ReceivedMessage:
    text = Message(NAME, 3, "a", 0, '{"id": "a"}', RESEND).to_text()
    return received("a", text=text)


FAILING = Failing(
    since=NOW - 5,
    failed_at=NOW - 5,
    kind="status",
    message="",
    status=503,
    oldest=NOW - 5,
    window=NOW - 5,
    failures=1,
    canary_at=0.0,
    watched=False,
)


@pytest.mark.parametrize(
    ("changed", "failing", "message"),
    [
        (NOW - 601, None, received("a", receive_count=2, age=9.0)),
        (NOW - 601, None, a_resend()),
        (NOW - 601, FAILING, received("a")),
        (NOW - 599, None, received("a")),
    ],
    ids=["failed before", "asked for", "works again", "changed a moment ago"],
)
def test_successes_that_somebody_looks_for_are_written(
    changed: float, failing: Failing | None, message: ReceivedMessage
) -> None:
    written = Written()
    bench = bench_with(written)
    bench.connectors[NAME] = replace(CONNECTOR, update_time=times.to_text(changed))
    if failing is not None:
        bench.failing_connectors.by_connector[NAME] = failing
    bench.send(message)
    assert [(entry.one_in, *written.events) for entry in written.entries] == [(1, "a")]


def test_held_events_are_no_attempts() -> None:
    written = Written()
    bench = bench_with(written, LogMode.ALL)
    bench.connectors[NAME] = replace(OLD, paused_at=NOW - 100)
    assert bench.send(received("a"), received("b")) == {"a", "b"}
    assert written.calls == 0


def test_an_event_that_expires_has_no_next_attempt() -> None:
    written = Written()
    bench = bench_with(written)
    bench.answers = {"a": NoAnswer(FailureKind.DNS, "no")}
    assert bench.send(received("a", receive_count=20, age=43_200 - 130)) == set()
    assert [entry.next_at for entry in written.entries] == [None]


def test_under_load_failures_are_kept_and_the_log_says_what_is_left_out() -> None:
    written = Written()
    bench = bench_with(written, LogMode.ALL)
    for number in range(int(MOST_AT_ONCE) - 3):
        bench.send(received(f"x{number}"))
    bench.answers = {"e": 503}
    bench.send(*map(received, "abcdefghij"))
    assert written.events[-3:] == ["e", "a", "b"]
    bench.send(received("k"))
    assert [line["unlogged"] for line in bench.lines("delivery.batch")[-2:]] == [7, 1]
    bench.elapsed += 0.25
    bench.send(received("l"), received("m"))
    assert written.events[-5:] == ["e", "a", "b", "l", "m"]
    assert [entry.left_out for entry in written.entries[-5:]] == [7, 0, 0, 1, 0]


@pytest.mark.parametrize("how", ["an error", "in part"])
def test_a_write_that_fails_costs_no_delivery_and_is_not_tried_in_each_batch(how: str) -> None:
    written = Written()
    written.error, written.unwritten = (THROTTLED, 0) if how == "an error" else (None, 1)
    bench = bench_with(written)
    bench.answers = {"a": 503, "b": 503}
    assert bench.send(received("a"), received("c")) == {"a"}
    assert bench.sqs.visibility == {"a": 8}
    (line,) = bench.lines("attempts.not_logged")
    assert line["attempts"] == 1
    assert ("Throttling" in line["error"]) == (how == "an error")
    bench.send(received("b"))
    assert written.calls == 1
    assert [line["unlogged"] for line in bench.lines("delivery.batch")] == [1, 1]
    written.error, written.unwritten = None, 0
    bench.elapsed += PAUSE_SECONDS
    bench.send(received("b"))
    assert [(entry.left_out, *written.events) for entry in written.entries] == [(2, "b")]


def test_a_write_that_hangs_holds_the_batch_up_for_half_a_second(
    release: threading.Event,
) -> None:
    written = Written()
    written.wait = release
    bench = bench_with(written)
    bench.answers = {"a": 503}
    assert bench.send(received("a")) == {"a"}
    (line,) = bench.lines("attempts.not_logged")
    assert line == {"attempts": 1, "error": "no answer in time"}


def test_nothing_is_written_when_the_batch_has_no_time_left() -> None:
    written = Written()
    bench = bench_with(written)
    bench.answers = {"a": 503}
    bench.response_times = {"a": 29.6}
    bench.send(received("a"))
    assert written.calls == 0
    assert [line["unlogged"] for line in bench.lines("delivery.batch")] == [1]
