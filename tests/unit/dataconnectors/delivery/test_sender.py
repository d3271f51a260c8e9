"""The sender's rules: what leaves the queue, what stays, and for how long it waits."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.deadlines import COUNT_SECONDS
from dataconnectors.delivery.received import ReceivedMessage, oldest_age
from dataconnectors.delivery.results import UNDELIVERABLE_WAIT
from dataconnectors.delivery.retry import wait_after
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.connection import Headers
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer, Outcome
from dataconnectors.events.message import Message
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.kernel.errors import VaultError
from dataconnectors.kernel.workers import Workers
from tests.support.attempt_counters import AttemptCounters
from tests.support.rows import a_connector
from tests.support.senders import a_sender
from tests.support.sqs_visibility import Sqs
from tests.support.undelivered import DeadLetters, ExpiredEvents

NOW = 1_790_000_000.0
ARN = "arn:aws:sqs:eu-west-1:111122223333:dc-c-abc"
NAME = "projects/p/dataconnectors/c"

CONNECTOR = a_connector(sealed=b"sealed", epoch=3, version=7, queue_id="abc")
SECRETS = Secrets("0123456789abcdef0123456789abcdef", (("X-Key", "value of a header"),))
THROTTLED = ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "Any")
UNREACHED = ReadTimeoutError(endpoint_url="https://aws")


class World:
    """A sender, and all that is around it. `answers` are by event id, 200 for the rest;
    `response_times` likewise, in seconds of a clock that only these move."""

    def __init__(self, *, workers: int = 10, timeout: float = 10.0) -> None:
        self.elapsed = 0.0
        self.connectors: dict[str, Connector | ClientError | ReadTimeoutError] = {NAME: CONNECTOR}
        self.reads: list[str] = []
        self.secrets: bytes | VaultError = SECRETS.to_bytes()
        self.opened = 0
        self.answers: dict[str, int | Answer | NoAnswer | Exception] = {}
        self.response_times: dict[str, float] = {}
        self.posted: list[str] = []
        self.signed: list[bool] = []
        self.before_post: Callable[[str], object] = lambda event_id: None
        self.removed: set[str] = set()
        self.sqs = Sqs()
        self.dead_letters = DeadLetters()
        self.expired_events = ExpiredEvents()
        self.attempt_counters = AttemptCounters()
        self.attempts: list[Outcome] = []
        self.expired: list[int] = []
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.sender = a_sender(
            self,
            sqs=self.sqs,
            dead_letters=self.dead_letters,
            expired_events=self.expired_events,
            attempt_counters=self.attempt_counters,
            workers=Workers(workers),
            report_attempts=self.attempts.extend,
            report_expired=self.expired.append,
            timeout=timeout,
            clock=self.clock,
            now=self.now,
        )

    def clock(self) -> float:
        return self.elapsed

    def now(self) -> float:
        return NOW + self.elapsed

    def connector(self, name: str) -> Connector | None:
        self.reads.append(name)
        found = self.connectors.get(name)
        if isinstance(found, Exception):
            raise found
        return found

    def was_removed(self, name: str) -> bool:
        return name in self.removed

    def open(self, ciphertext: bytes, name: str) -> bytes:
        assert (ciphertext, name) == (CONNECTOR.sealed, NAME)
        self.opened += 1
        if isinstance(self.secrets, VaultError):
            raise self.secrets
        return self.secrets

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer | NoAnswer:
        assert destination == Destination("example.com", 443, "/hook")
        event_id = json.loads(body)["id"]
        self.before_post(event_id)
        self.posted.append(event_id)
        self.signed.append("X-Dt-Signature" in headers)
        self.elapsed += self.response_times.get(event_id, 0.0)
        answer = self.answers.get(event_id, 200)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer) if isinstance(answer, int) else answer

    def info(self, message: str, /, *, extra: Any) -> None:
        self.logged.append((message, dict(extra)))

    def error(self, message: str, /, *, extra: Any, exc_info: Any = None) -> None:
        self.logged.append((message, dict(extra)))

    def lines(self, message: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.logged if name == message]

    def send(self, *records: ReceivedMessage, seconds: float = 30.0) -> set[str]:
        remaining = self.sender.send(records, seconds)
        assert len(remaining) == len(set(remaining))
        return set(remaining)


def received(
    event_id: str,
    *,
    text: str | None = None,
    connector: str = NAME,
    epoch: int = 3,
    receive_count: int = 1,
    age: float = 0.5,
) -> ReceivedMessage:
    """A record whose message id and receipt handle are the event's id."""
    message = Message(connector, epoch, event_id, 0, json.dumps({"id": event_id}))
    return ReceivedMessage(
        message_id=event_id,
        receipt_handle=event_id,
        queue_arn=ARN,
        receive_count=receive_count,
        sent_at=NOW - age,
        first_received_at=NOW - age,
        text=message.to_text() if text is None else text,
    )


@pytest.fixture
def world() -> World:
    return World()


def test_what_is_acknowledged_leaves_the_queue_and_the_rest_waits(world: World) -> None:
    world.answers = {"b": 500, "d": NoAnswer(FailureKind.CONNECT, "no connection")}
    assert world.send(*map(received, "abcde")) == {"b", "d"}
    assert sorted(world.posted) == list("abcde")
    assert world.sqs.visibility == {"b": 8, "d": 8}


def test_a_healthy_batch_costs_one_read_and_one_opening_and_nothing_else(world: World) -> None:
    assert world.send(*map(received, "abcdefghij")) == set()
    assert (world.reads, world.opened, world.sqs.calls) == ([NAME], 1, [])
    assert all(world.signed)


def test_ten_failures_cost_one_call_of_sqs(world: World) -> None:
    world.answers = dict.fromkeys("abcdefghij", 500)
    assert world.send(*map(received, "abcdefghij")) == set("abcdefghij")
    assert len(world.sqs.calls) == 1


def test_all_posts_of_a_batch_are_under_way_at_the_same_time(world: World) -> None:
    together = threading.Barrier(10, timeout=5)
    world.before_post = lambda event_id: together.wait()
    assert world.send(*map(received, "abcdefghij")) == set()


@pytest.mark.parametrize(
    ("receive_count", "age", "response_time", "expected"),
    [
        (1, 0.5, 0.0, 8),
        (2, 8.5, 0.0, 16),
        (4, 60.0, 0.0, 64),
        (30, 39_400.0, 0.0, 3600),
        (12, 20_000.0, 0.0, 3600),
        (6, 20.2, 0.0, 29),  # receives without attempts; rounded up
        (1, 0.5, 7.5, 30),
    ],
)
def test_the_wait_of_a_failure(
    world: World, receive_count: int, age: float, response_time: float, expected: int
) -> None:
    world.answers = {"a": 503}
    world.response_times = {"a": response_time}
    world.send(received("a", receive_count=receive_count, age=age))
    assert world.sqs.visibility == {"a": expected}


def test_what_the_rest_of_the_batch_took_is_subtracted() -> None:
    world = World(workers=1)
    world.answers = dict.fromkeys("abc", 500)
    world.response_times = {"a": 0.25, "b": 3.0, "c": 6.0}
    world.send(*map(received, "abc"))
    # Attempts ended at 0.25, 3.25 and 9.25, when SQS was called.
    assert world.sqs.visibility == {"a": 0, "b": 6, "c": 24}


@given(
    st.integers(1, 25),
    st.floats(0, 43_000),
    st.floats(0, 10),
    st.lists(st.floats(0, 10), max_size=9),
    st.floats(-30, 30),
)
@settings(max_examples=60, deadline=None)
def test_the_next_attempt_is_never_early_and_at_most_a_second_late_besides_its_batch(
    receive_count: int, age: float, response_time: float, others: list[float], skew: float
) -> None:
    """By the clock of SQS, which counts from when it is called, after the last of the batch."""
    world = World(workers=1)
    world.answers = {"0": 503}
    times = [response_time, *others]
    ended: dict[str, float] = {}
    world.response_times = {str(number): seconds for number, seconds in enumerate(times)}
    world.before_post = lambda event_id: ended.setdefault(
        event_id, world.elapsed + world.response_times[event_id]
    )
    receiving = received("0", receive_count=receive_count, age=age + skew)
    left = world.send(receiving, *(received(str(number)) for number in range(1, len(times))))
    due = ended["0"] + wait_after(receive_count, response_time, age + skew + ended["0"])
    if "0" in left:
        assert 0 <= world.sqs.visibility["0"] <= 43_200
        assert due - 1e-6 <= world.elapsed + world.sqs.visibility["0"]
        assert world.sqs.visibility["0"] <= max(0.0, due - world.elapsed) + 1 + 1e-6
    else:
        assert set(world.expired_events.kept) == {"0"}
        assert age + skew + due >= 43_200 - 120 - 1e-3


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.USER_DISABLED},
        {"status": Status.SYSTEM_DISABLED},
        {"lifecycle": Lifecycle.DELETING},
        {"epoch": 4},
        None,
    ],
)
def test_events_of_a_connector_that_was_disabled_or_deleted_since_are_dropped(
    world: World, change: dict[str, Any] | None
) -> None:
    world.secrets = VaultError("KMS is down")
    if change is None:
        world.connectors = {}
        world.removed = {NAME}
    else:
        world.connectors = {NAME: replace(CONNECTOR, sealed=None, **change)}
    assert world.send(received("a"), received("b")) == set()
    assert world.posted == []
    assert world.lines("delivery.batch")[0]["dropped"] == 2


def test_a_disabled_connectors_events_are_dropped_while_kms_is_down(world: World) -> None:
    world.connectors = {NAME: replace(CONNECTOR, status=Status.USER_DISABLED)}
    world.secrets = VaultError("KMS is down")
    assert world.send(received("a")) == set()


def test_a_connector_that_is_not_provisioned_to_the_end_sends(world: World) -> None:
    world.connectors = {NAME: replace(CONNECTOR, lifecycle=Lifecycle.PROVISIONING)}
    assert world.send(received("a")) == set()
    assert world.posted == ["a"]


def test_only_the_messages_of_the_present_epoch_are_sent(world: World) -> None:
    assert world.send(received("a", epoch=2), received("b"), received("c", epoch=1)) == set()
    assert world.posted == ["b"]


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_events_wait_when_the_connector_cannot_be_read(world: World, error: Any) -> None:
    world.connectors = {NAME: error}
    assert world.send(received("a"), received("b", receive_count=9, age=12.0)) == {"a", "b"}
    assert world.posted == []
    assert world.sqs.visibility == {"a": 8, "b": 20}
    assert world.lines("delivery.postponed")[0]["connector"] == NAME


def test_events_wait_when_the_secret_cannot_be_opened_and_are_never_sent_unsigned(
    world: World,
) -> None:
    world.secrets = VaultError("KMS did not open a secret: Throttling")
    assert world.send(received("a")) == {"a"}
    assert world.posted == []
    assert world.sqs.visibility == {"a": 8}


def test_each_connector_is_read_once_and_one_that_fails_does_not_hold_another(
    world: World,
) -> None:
    other = "projects/p/dataconnectors/other"
    world.connectors[other] = THROTTLED
    records = [
        received("a"),
        received("b", connector=other),
        received("c"),
        received("d", connector=other),
    ]
    assert world.send(*records) == {"b", "d"}
    assert sorted(world.reads) == sorted([NAME, other])
    assert sorted(world.posted) == ["a", "c"]


@pytest.mark.parametrize("text", ["", "no JSON", "{}", '{"v":9}', "[" * 5000])
def test_a_message_that_is_not_ours_becomes_a_dead_letter_with_the_reason(
    world: World, text: str
) -> None:
    assert world.send(received("a"), received("bad", text=text), received("c")) == set()
    assert sorted(world.posted) == ["a", "c"]
    assert world.sqs.calls == []
    (dead_letter,) = world.dead_letters.letters.values()
    assert dead_letter.message.text == text
    (line,) = world.lines("delivery.dead_letter")
    assert line == {"queue": ARN, "messageId": "bad", "error": dead_letter.reason}
    (batch,) = world.lines("delivery.batch")
    assert (batch["dead_lettered"], batch["undeliverable"], batch["delivered"]) == (1, 0, 2)


def test_a_body_that_is_no_unicode_text_becomes_a_dead_letter(world: World) -> None:
    text = Message(NAME, 3, "e", 0, "\ud800").to_text()
    assert world.send(received("bad", text=text), received("b")) == set()
    assert world.posted == ["b"]
    assert set(world.dead_letters.letters) == {"bad"}


def test_a_message_of_a_connector_that_never_was_becomes_a_dead_letter(world: World) -> None:
    other = "projects/p/dataconnectors/other"
    assert world.send(received("a"), received("b", connector=other)) == set()
    assert world.posted == ["a"]
    (dead_letter,) = world.dead_letters.letters.values()
    assert dead_letter.message.message_id == "b"
    assert dead_letter.reason == "connector 'projects/p/dataconnectors/other' was never there"


def test_a_message_of_a_removed_connector_is_dropped_and_no_fault(world: World) -> None:
    world.connectors, world.removed = {}, {NAME}
    assert world.send(received("a")) == set()
    assert world.dead_letters.letters == {}
    assert world.lines("delivery.batch")[0]["dropped"] == 1
    assert {name for name, _ in world.logged} == {"delivery.batch"}


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_what_cannot_become_a_dead_letter_stays_for_long_and_holds_nobody(
    world: World, error: Any
) -> None:
    world.dead_letters.error = error
    assert world.send(received("a"), received("bad", text="{}"), received("c")) == {"bad"}
    assert sorted(world.posted) == ["a", "c"]
    assert world.sqs.visibility == {"bad": UNDELIVERABLE_WAIT}
    assert world.lines("delivery.not_recorded")
    assert world.lines("delivery.batch")[0]["undeliverable"] == 1


def test_only_what_was_confirmed_leaves(world: World) -> None:
    world.dead_letters.refused = {"bad"}
    assert world.send(received("bad", text="{}"), received("worse", text="[]")) == {"bad"}
    assert world.sqs.visibility == {"bad": UNDELIVERABLE_WAIT}


def test_no_failure_of_an_endpoint_makes_a_dead_letter(world: World) -> None:
    failures: list[int | NoAnswer] = [
        404,
        410,
        500,
        *(NoAnswer(kind, "no") for kind in FailureKind),
    ]
    world.answers = {str(number): answer for number, answer in enumerate(failures)}
    records = [received(event_id, age=100.0) for event_id in world.answers]
    assert world.send(*records) == set(world.answers)
    assert world.dead_letters.letters == {}


@pytest.mark.parametrize(
    ("asked", "age", "receive_count", "waits"),
    [
        ("60", 0.0, 1, 60),  # longer than the back-off: granted
        ("5", 0.0, 1, 8),  # shorter: the back-off stays
        ("3600", 100.0, 3, 3600),
        ("3600", 40_000.0, 1, 8),  # its event would not live so long
    ],
)
def test_an_endpoint_may_ask_for_a_longer_wait(
    world: World, asked: str, age: float, receive_count: int, waits: int
) -> None:
    world.answers = {"a": Answer(503, asked)}
    assert world.send(received("a", age=age, receive_count=receive_count)) == {"a"}
    assert world.sqs.visibility == {"a": waits}


# --- twelve hours ----------------------------------------------------------------------------

CUTOFF = 43_200 - 120


@pytest.mark.parametrize(
    ("receive_count", "age", "response_time", "expires"),
    [
        (20, CUTOFF - 3601.0, 0.0, False),
        (20, CUTOFF - 3600.0, 0.0, True),
        (20, 40_088.0, 0.0, True),  # the twentieth attempt of an endpoint that fails at once
        (19, 36_488.0, 0.0, False),
        (3, CUTOFF - 33.0, 0.0, False),  # few receives, all of them late: 32 s
        (3, CUTOFF - 32.0, 0.0, True),
        (3, CUTOFF - 48.0, 9.5, False),  # 38 s after an attempt that ends 9.5 s later
        (3, CUTOFF - 47.0, 9.5, True),
        (1, 43_500.0, 0.0, True),  # SQS has not got to it yet
    ],
)
def test_an_event_expires_when_no_further_attempt_fits(
    world: World, receive_count: int, age: float, response_time: float, expires: bool
) -> None:
    world.answers = {"a": 503}
    world.response_times = {"a": response_time}
    remaining = world.send(received("a", receive_count=receive_count, age=age))
    assert remaining == (set() if expires else {"a"})
    assert set(world.expired_events.kept) == ({"a"} if expires else set())
    assert world.expired == ([1] if expires else [])
    assert len(world.expired_events.noted) == expires


def test_the_record_of_an_expired_event_says_what_happened(world: World) -> None:
    world.answers = {"a": 503}
    body = {"event": {"eventType": "touch", "targetName": "projects/p/devices/d"}, "id": "a"}
    text = Message(NAME, 3, "e1", 0, json.dumps(body)).to_text()
    world.send(received("a", text=text, age=41_000.0, receive_count=21))
    assert world.expired_events.kept == {
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
    (line,) = world.lines("delivery.expired")
    assert (line["connector"], line["eventId"], line["status"]) == (NAME, "e1", 503)
    assert world.lines("delivery.batch")[0]["expired"] == 1
    assert world.sqs.calls == []


def test_what_is_too_old_for_an_attempt_is_recorded_without_one(world: World) -> None:
    assert world.send(received("a", age=CUTOFF), received("b", age=CUTOFF - 1)) == set()
    assert world.posted == ["b"]
    assert world.expired_events.kept["a"].kind == "untried"


def test_an_event_that_waited_for_kms_to_the_end_is_recorded(world: World) -> None:
    world.secrets = VaultError("KMS did not open a secret: Throttling")
    assert world.send(received("a", receive_count=30, age=41_000.0), received("b")) == {"b"}
    assert (set(world.expired_events.kept), world.posted) == ({"a"}, [])


def test_what_is_not_to_be_sent_anyway_does_not_expire(world: World) -> None:
    world.connectors = {NAME: replace(CONNECTOR, status=Status.USER_DISABLED)}
    assert world.send(received("a", age=CUTOFF)) == set()
    assert world.expired_events.kept == {}
    assert world.lines("delivery.batch")[0]["dropped"] == 1


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_without_a_record_the_message_stays_until_it_can_only_be_recorded(
    world: World, error: Any
) -> None:
    world.expired_events.error = error
    world.answers = {"a": 500}
    assert world.send(received("a", receive_count=20, age=41_080.0), received("b")) == {"a"}
    # At the next receive it is too old for an attempt: none comes earlier than is allowed.
    assert world.sqs.visibility == {"a": CUTOFF - 41_080}
    assert (world.expired, world.expired_events.noted) == ([], [])
    world.posted.clear()
    assert world.send(received("a", age=CUTOFF + 30.0)) == {"a"}
    assert (world.posted, world.sqs.visibility) == ([], {"a": 20})
    world.expired_events.error = None
    assert world.send(received("a", age=CUTOFF + 50.0)) == set()
    assert (set(world.expired_events.kept), world.posted) == ({"a"}, [])


def test_only_what_was_recorded_leaves(world: World) -> None:
    world.expired_events.refused = {"a"}
    assert world.send(received("a", age=CUTOFF), received("b", age=CUTOFF)) == {"a"}
    assert world.expired == [1]


def test_an_announcement_that_fails_costs_nothing_but_itself(world: World) -> None:
    world.expired_events.note_error = THROTTLED
    assert world.send(received("a", age=CUTOFF), received("b")) == set()
    assert world.lines("delivery.not_announced") == [{"events": 1}]


def test_an_event_that_a_batch_has_no_time_for_comes_back_at_once(world: World) -> None:
    """It was due. Left alone, it would wait for the queue's visibility timeout, three minutes."""
    old, young = received("old", age=CUTOFF - 60.0), received("young")
    assert world.send(old, young, seconds=13.4) == {"old", "young"}
    assert world.sqs.visibility == {"old": 0, "young": 0}


def test_a_bug_of_ours_in_one_attempt_costs_its_neighbours_nothing(world: World) -> None:
    world.answers = {"b": RuntimeError("bug")}
    assert world.send(*map(received, "abc")) == {"b"}
    assert world.sqs.visibility == {"b": 8}
    assert world.lines("delivery.crashed")[0]["eventId"] == "b"


def test_nothing_is_started_that_cannot_end_in_time(world: World) -> None:
    # 10 s an attempt and a tenth, 2 s for SQS, 0.5 s to return
    assert world.send(received("a"), seconds=13.4) == {"a"}
    assert (world.reads, world.posted) == ([], [])
    assert world.send(received("a"), seconds=13.6) == set()


def test_events_that_no_time_is_left_for_go_back_without_an_attempt() -> None:
    world = World(workers=1)
    world.response_times = {"a": 9.0, "b": 9.0, "c": 9.0}
    world.answers = {"b": 500}
    assert world.send(*map(received, "abcd"), seconds=30.0) == {"b", "c", "d"}
    assert world.posted == ["a", "b"]
    assert world.sqs.visibility.keys() == {"b", "c", "d"}
    assert (world.sqs.visibility["c"], world.sqs.visibility["d"]) == (0, 0)
    assert world.lines("delivery.batch")[0]["not_started"] == 2


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_worker_that_hangs_costs_its_event_an_attempt_and_nobody_else(
    release: threading.Event,
) -> None:
    world = World(workers=2, timeout=0.05)
    world.before_post = lambda event_id: event_id == "stuck" and release.wait()
    assert world.send(received("stuck"), received("a"), seconds=3.0) == {"stuck"}
    assert world.sqs.visibility == {"stuck": 8}
    # Both workers are there again for the next batches.
    assert world.send(received("stuck"), received("a"), seconds=3.0) == {"stuck"}
    together = threading.Barrier(2, timeout=5)
    world.before_post = lambda event_id: together.wait()
    assert world.send(received("b"), received("c"), seconds=3.0) == set()


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_failure_of_the_visibility_call_is_not_fatal(world: World, error: Any) -> None:
    world.sqs.error = error
    world.answers = {"a": 500}
    assert world.send(received("a"), received("b")) == {"a"}
    assert world.lines("visibility.not_changed")[0]["queue"] == ARN


def test_a_refusal_within_the_visibility_answer_is_seen(world: World) -> None:
    world.sqs.refused = {"a": "ReceiptHandleIsInvalid"}
    world.answers = {"a": 500, "b": 500}
    assert world.send(received("a"), received("b")) == {"a", "b"}
    assert world.lines("visibility.not_changed") == [
        {"queue": ARN, "error": "a: ReceiptHandleIsInvalid"}
    ]


def test_one_line_for_the_batch_and_one_for_each_failed_attempt(world: World) -> None:
    world.answers = {
        "b": 503,
        "c": NoAnswer(FailureKind.TLS, "example.com: certificate has expired"),
    }
    world.response_times = {"b": 2.5}
    world.send(received("a", age=99.0), received("b", receive_count=2, age=9.0), received("c"))
    assert len(world.lines("delivery.batch")) == 1
    (line,) = world.lines("delivery.batch")
    assert line == {
        "connector": NAME,
        "delivered": 1,
        "dropped": 0,
        "expired": 0,
        "dead_lettered": 0,
        "failed": 2,
        "postponed": 0,
        "undeliverable": 0,
        "not_started": 0,
        "duration_ms": 2500,
        "oldest_age": 101.5,
    }
    by_event = {fields["eventId"]: fields for fields in world.lines("delivery.failed")}
    assert by_event["b"]["attempt"] == 2
    assert (by_event["b"]["kind"], by_event["b"]["status"]) == ("status", 503)
    assert by_event["b"]["next_wait"] == 16
    assert by_event["c"]["kind"] == "tls"
    assert by_event["c"]["error"] == "example.com: certificate has expired"


def test_no_line_holds_a_body_a_header_value_or_a_secret(world: World) -> None:
    world.answers = {"b": 500, "c": NoAnswer(FailureKind.DNS, "no")}
    world.send(
        received("a"), received("b"), received("c"), received("d", text='{"v":1,"body":"a body"}')
    )
    everything = repr(world.logged)
    for hidden in (SECRETS.signature_secret, "value of a header", "a body", '{"id"', "sealed"):
        assert hidden not in everything


def test_the_oldest_age_is_never_negative() -> None:
    assert oldest_age([], NOW) == 0
    assert oldest_age([received("a", age=-5)], NOW) == 0
    assert oldest_age([received("a", age=3), received("b", age=70)], NOW) == 70


def test_a_batchs_attempts_are_counted_in_one_write(world: World) -> None:
    world.answers = {"b": 500, "c": NoAnswer(FailureKind.DNS, "no")}
    world.response_times = {"a": 0.5, "b": 2.0}
    world.send(
        received("a"),
        received("b"),
        received("c"),
        received("d", epoch=2),
        received("e", text="{}"),
    )
    assert world.attempt_counters.calls == 1
    tally = world.attempt_counters.by_connector[NAME]
    assert (tally.successes, tally.errors) == (1, 2)
    assert sum(tally.latencies.values()) == 3
    assert len(world.attempts) == 3


def test_each_connector_of_a_batch_has_its_own_count(world: World) -> None:
    other = "projects/p/dataconnectors/other"
    world.connectors[other] = replace(CONNECTOR, id="other", sealed=None)
    world.send(received("a"), received("b", connector=other), received("c"))
    assert {
        name: tally.successes for name, tally in world.attempt_counters.by_connector.items()
    } == {
        NAME: 2,
        other: 1,
    }


def test_nothing_attempted_is_not_counted(world: World) -> None:
    world.connectors = {NAME: THROTTLED}
    world.send(received("a"))
    assert (world.attempt_counters.calls, world.attempts) == (0, [])


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_count_that_fails_is_logged_and_changes_nothing_else(world: World, error: Any) -> None:
    world.attempt_counters.error = error
    world.answers = {"b": 500}
    assert world.send(received("a"), received("b")) == {"b"}
    assert world.sqs.visibility == {"b": 8}
    assert world.attempt_counters.calls == 1
    (line,) = world.lines("delivery.not_counted")
    assert line["connector"] == NAME


def test_a_count_that_hangs_does_not_hold_a_batch_up(
    world: World, release: threading.Event
) -> None:
    world.attempt_counters.add = lambda *_: release.wait(30)  # type: ignore[method-assign, assignment]
    began = time.monotonic()
    assert world.send(received("a")) == set()
    assert time.monotonic() - began < COUNT_SECONDS + 2
    assert world.lines("delivery.not_counted") == [
        {"connector": NAME, "error": "no answer in time"}
    ]
