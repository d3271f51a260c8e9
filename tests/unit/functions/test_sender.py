"""The sender's rules: what leaves the queue, what stays, and for how long it waits."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from dataconnectors.connectors import Connector, Lifecycle, Secrets, Status
from dataconnectors.delivery import Courier
from dataconnectors.destinations import Destination
from dataconnectors.errors import VaultError
from dataconnectors.messages import Message
from dataconnectors.outcomes import Fault, Kind
from dataconnectors.records import Record, oldest_age
from dataconnectors.sender import MALFORMED_WAIT, Sender
from dataconnectors.transport import Headers
from dataconnectors.visibility import Visibility
from dataconnectors.workers import Workers
from tests.support.sqs_visibility import Sqs

NOW = 1_790_000_000.0
ARN = "arn:aws:sqs:eu-west-1:111122223333:dc-c-abc"
NAME = "projects/p/dataconnectors/c"

CONNECTOR = Connector(
    project="p",
    id="c",
    display_name="",
    status=Status.ACTIVE,
    event_types=(),
    labels=(),
    url="https://example.com/hook",
    sealed=b"sealed",
    lifecycle=Lifecycle.READY,
    epoch=3,
    version=7,
    queue_id="abc",
    queue_url="",
    mapping_id="",
    provisioned="",
    create_time="",
    update_time="",
)
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
        self.answers: dict[str, int | Fault | Exception] = {}
        self.response_times: dict[str, float] = {}
        self.posted: list[str] = []
        self.signed: list[bool] = []
        self.before_post: Callable[[str], object] = lambda event_id: None
        self.sqs = Sqs()
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.sender = Sender(
            connectors=self,
            vault=self,  # type: ignore[arg-type]  # this fake has `open`, all that is used
            courier=Courier(self, timeout=timeout, clock=self.clock, now=self.now),
            visibility=Visibility(self.sqs),
            workers=Workers(workers),
            log=self,
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

    def open(self, ciphertext: bytes, name: str) -> bytes:
        assert (ciphertext, name) == (CONNECTOR.sealed, NAME)
        self.opened += 1
        if isinstance(self.secrets, VaultError):
            raise self.secrets
        return self.secrets

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> int | Fault:
        assert destination == Destination("example.com", 443, "/hook")
        event_id = json.loads(body)["id"]
        self.before_post(event_id)
        self.posted.append(event_id)
        self.signed.append("X-Dt-Signature" in headers)
        self.elapsed += self.response_times.get(event_id, 0.0)
        answer = self.answers.get(event_id, 200)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def info(self, message: str, /, *, extra: Any) -> None:
        self.logged.append((message, dict(extra)))

    def error(self, message: str, /, *, extra: Any, exc_info: Any = None) -> None:
        self.logged.append((message, dict(extra)))

    def lines(self, message: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self.logged if name == message]

    def send(self, *records: Record, seconds: float = 30.0) -> set[str]:
        remaining = self.sender.send(records, seconds)
        assert len(remaining) == len(set(remaining))
        return set(remaining)


def record(
    event_id: str,
    *,
    text: str | None = None,
    connector: str = NAME,
    epoch: int = 3,
    receive_count: int = 1,
    age: float = 0.5,
) -> Record:
    """A record whose message id and receipt handle are the event's id."""
    message = Message(connector, epoch, event_id, 0, json.dumps({"id": event_id}))
    return Record(
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
    world.answers = {"b": 500, "d": Fault(Kind.CONNECT, "no connection")}
    assert world.send(*map(record, "abcde")) == {"b", "d"}
    assert sorted(world.posted) == list("abcde")
    assert world.sqs.visibility == {"b": 8, "d": 8}


def test_a_healthy_batch_costs_one_read_and_one_opening_and_nothing_else(world: World) -> None:
    assert world.send(*map(record, "abcdefghij")) == set()
    assert (world.reads, world.opened, world.sqs.calls) == ([NAME], 1, [])
    assert all(world.signed)


def test_ten_failures_cost_one_call_of_sqs(world: World) -> None:
    world.answers = dict.fromkeys("abcdefghij", 500)
    assert world.send(*map(record, "abcdefghij")) == set("abcdefghij")
    assert len(world.sqs.calls) == 1


def test_all_posts_of_a_batch_are_under_way_at_the_same_time(world: World) -> None:
    together = threading.Barrier(10, timeout=5)
    world.before_post = lambda event_id: together.wait()
    assert world.send(*map(record, "abcdefghij")) == set()


@pytest.mark.parametrize(
    ("receive_count", "age", "response_time", "expected"),
    [
        (1, 0.5, 0.0, 8),
        (2, 8.5, 0.0, 16),
        (4, 60.0, 0.0, 64),
        (30, 40_000.0, 0.0, 3195),  # 12 hours of invisibility end earlier than the hour
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
    world.send(record("a", receive_count=receive_count, age=age))
    assert world.sqs.visibility == {"a": expected}


def test_what_the_rest_of_the_batch_took_is_subtracted() -> None:
    world = World(workers=1)
    world.answers = dict.fromkeys("abc", 500)
    world.response_times = {"a": 0.25, "b": 3.0, "c": 6.0}
    world.send(*map(record, "abc"))
    # Attempts ended at 0.25, 3.25 and 9.25, when SQS was called.
    assert world.sqs.visibility == {"a": 0, "b": 6, "c": 24}


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
    else:
        world.connectors = {NAME: replace(CONNECTOR, sealed=None, **change)}
    assert world.send(record("a"), record("b")) == set()
    assert world.posted == []
    assert world.lines("delivery.batch")[0]["dropped"] == 2


def test_a_disabled_connectors_events_are_dropped_while_kms_is_down(world: World) -> None:
    world.connectors = {NAME: replace(CONNECTOR, status=Status.USER_DISABLED)}
    world.secrets = VaultError("KMS is down")
    assert world.send(record("a")) == set()


def test_a_connector_that_is_not_provisioned_to_the_end_sends(world: World) -> None:
    world.connectors = {NAME: replace(CONNECTOR, lifecycle=Lifecycle.PROVISIONING)}
    assert world.send(record("a")) == set()
    assert world.posted == ["a"]


def test_only_the_messages_of_the_present_epoch_are_sent(world: World) -> None:
    assert world.send(record("a", epoch=2), record("b"), record("c", epoch=1)) == set()
    assert world.posted == ["b"]


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_events_wait_when_the_connector_cannot_be_read(world: World, error: Any) -> None:
    world.connectors = {NAME: error}
    assert world.send(record("a"), record("b", receive_count=9, age=12.0)) == {"a", "b"}
    assert world.posted == []
    assert world.sqs.visibility == {"a": 8, "b": 20}
    assert world.lines("delivery.postponed")[0]["connector"] == NAME


def test_events_wait_when_the_secret_cannot_be_opened_and_are_never_sent_unsigned(
    world: World,
) -> None:
    world.secrets = VaultError("KMS did not open a secret: Throttling")
    assert world.send(record("a")) == {"a"}
    assert world.posted == []
    assert world.sqs.visibility == {"a": 8}


def test_each_connector_is_read_once_and_one_that_fails_does_not_hold_another(
    world: World,
) -> None:
    other = "projects/p/dataconnectors/other"
    world.connectors[other] = THROTTLED
    records = [record("a"), record("b", connector=other), record("c"), record("d", connector=other)]
    assert world.send(*records) == {"b", "d"}
    assert sorted(world.reads) == sorted([NAME, other])
    assert sorted(world.posted) == ["a", "c"]


@pytest.mark.parametrize("text", ["", "no JSON", "{}", '{"v":9}', "[" * 5000])
def test_a_malformed_message_stays_and_is_no_burden_to_its_neighbours(
    world: World, text: str
) -> None:
    assert world.send(record("a"), record("bad", text=text), record("c")) == {"bad"}
    assert sorted(world.posted) == ["a", "c"]
    assert world.sqs.visibility == {"bad": MALFORMED_WAIT}
    (line,) = world.lines("delivery.malformed")
    assert line["messageId"] == "bad"


def test_a_body_that_is_no_unicode_text_is_malformed(world: World) -> None:
    text = Message(NAME, 3, "e", 0, "\ud800").to_text()
    assert world.send(record("bad", text=text), record("b")) == {"bad"}
    assert world.posted == ["b"]


def test_a_bug_of_ours_in_one_attempt_costs_its_neighbours_nothing(world: World) -> None:
    world.answers = {"b": RuntimeError("bug")}
    assert world.send(*map(record, "abc")) == {"b"}
    assert world.sqs.visibility == {"b": 8}
    assert world.lines("delivery.broken")[0]["eventId"] == "b"


def test_nothing_is_started_that_cannot_end_in_time(world: World) -> None:
    # 10 s an attempt and a tenth, 2 s for SQS, 0.5 s to return
    assert world.send(record("a"), seconds=13.4) == {"a"}
    assert (world.reads, world.posted, world.sqs.calls) == ([], [], [])
    assert world.send(record("a"), seconds=13.6) == set()


def test_what_there_was_no_time_left_for_goes_back_untouched() -> None:
    world = World(workers=1)
    world.response_times = {"a": 9.0, "b": 9.0, "c": 9.0}
    world.answers = {"b": 500}
    assert world.send(*map(record, "abcd"), seconds=30.0) == {"b", "c", "d"}
    assert world.posted == ["a", "b"]
    assert set(world.sqs.visibility) == {"b"}
    assert world.lines("delivery.batch")[0]["untouched"] == 2


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
    assert world.send(record("stuck"), record("a"), seconds=3.0) == {"stuck"}
    assert world.sqs.visibility == {"stuck": 8}
    # Both workers are there again for the next batches.
    assert world.send(record("stuck"), record("a"), seconds=3.0) == {"stuck"}
    together = threading.Barrier(2, timeout=5)
    world.before_post = lambda event_id: together.wait()
    assert world.send(record("b"), record("c"), seconds=3.0) == set()


@pytest.mark.parametrize("error", [THROTTLED, UNREACHED])
def test_a_failure_of_the_visibility_call_is_not_fatal(world: World, error: Any) -> None:
    world.sqs.error = error
    world.answers = {"a": 500}
    assert world.send(record("a"), record("b")) == {"a"}
    assert world.lines("visibility.unchanged")[0]["queue"] == ARN


def test_a_refusal_within_the_visibility_answer_is_seen(world: World) -> None:
    world.sqs.refused = {"a": "ReceiptHandleIsInvalid"}
    world.answers = {"a": 500, "b": 500}
    assert world.send(record("a"), record("b")) == {"a", "b"}
    assert world.lines("visibility.unchanged") == [
        {"queue": ARN, "error": "a: ReceiptHandleIsInvalid"}
    ]


def test_one_line_for_the_batch_and_one_for_each_failed_attempt(world: World) -> None:
    world.answers = {"b": 503, "c": Fault(Kind.TLS, "example.com: certificate has expired")}
    world.response_times = {"b": 2.5}
    world.send(record("a", age=99.0), record("b", receive_count=2, age=9.0), record("c"))
    assert len(world.lines("delivery.batch")) == 1
    (line,) = world.lines("delivery.batch")
    assert line == {
        "connector": NAME,
        "delivered": 1,
        "dropped": 0,
        "failed": 2,
        "postponed": 0,
        "malformed": 0,
        "untouched": 0,
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
    world.answers = {"b": 500, "c": Fault(Kind.DNS, "no")}
    world.send(record("a"), record("b"), record("c"), record("d", text='{"v":1,"body":"a body"}'))
    everything = repr(world.logged)
    for hidden in (SECRETS.signature_secret, "value of a header", "a body", '{"id"', "sealed"):
        assert hidden not in everything


def test_the_oldest_age_is_never_negative() -> None:
    assert oldest_age([], NOW) == 0
    assert oldest_age([record("a", age=-5)], NOW) == 0
    assert oldest_age([record("a", age=3), record("b", age=70)], NOW) == 70
