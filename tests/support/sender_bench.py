"""A sender whose surroundings are fakes: connectors, KMS, endpoints, SQS, stores and a log."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from dataconnectors.connectors.connector import Connector, Status
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.outcomes import Answer, NoAnswer, Outcome
from dataconnectors.events.message import Message
from dataconnectors.kernel.errors import VaultError
from dataconnectors.kernel.workers import Workers
from tests.support.attempt_counters import AttemptCounters
from tests.support.failing_connectors import FailingConnectors
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

CUTOFF = 43_200 - 120
"""Seconds of an event's age: no attempt may begin later."""


class SenderBench:
    """A sender, and fakes of everything that it uses. `others` are further arguments of `Sender`.

    `answers` has what the endpoint answers by event id; for other events it answers 200.
    `response_times` has how many seconds that takes, by event id. The clock moves by these alone.
    """

    def __init__(
        self,
        *,
        workers: int = 10,
        timeout: float = 10.0,
        disables_gone: bool = False,
        **others: Any,
    ) -> None:
        self.elapsed = 0.0
        self.connectors: dict[str, Connector | ClientError | ReadTimeoutError] = {NAME: CONNECTOR}
        self.reads: list[str] = []
        self.secrets: bytes | VaultError = SECRETS.to_bytes()
        self.opened = 0
        self.answers: dict[str, int | Answer | NoAnswer | Exception] = {}
        self.response_times: dict[str, float] = {}
        self.posted: list[str] = []
        self.signed: list[bool] = []
        self.tests: list[str] = []
        self.before_post: Callable[[str], object] = lambda event_id: None
        self.removed: set[str] = set()
        self.sqs = Sqs()
        self.dead_letters = DeadLetters()
        self.expired_events = ExpiredEvents()
        self.attempt_counters = AttemptCounters()
        self.failing_connectors = FailingConnectors()
        self.attempts: list[Outcome] = []
        self.expired: list[int] = []
        self.disabled: list[Connector] = []
        self.disable_fails: Exception | None = None
        self.logged: list[tuple[str, dict[str, Any]]] = []
        self.sender = a_sender(
            self,
            sqs=self.sqs,
            dead_letters=self.dead_letters,
            expired_events=self.expired_events,
            attempt_counters=self.attempt_counters,
            failing_connectors=self.failing_connectors,
            workers=Workers(workers),
            report_attempts=lambda outcomes, _waits: self.attempts.extend(outcomes),
            report_expired=self.expired.append,
            disable_gone=self.disable if disables_gone else None,
            timeout=timeout,
            clock=self.clock,
            now=self.now,
            **others,
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
        return found and self.failing_connectors.row(found)

    def was_removed(self, name: str) -> bool:
        return name in self.removed

    def disable(self, connector: Connector, reason: str) -> Connector | None:
        """As `store.system_disabling.disable_by_system`."""
        if self.disable_fails is not None:
            raise self.disable_fails
        found = self.connectors[connector.name]
        # What the sender notes about failures is in the row too, and makes no new version of it.
        if isinstance(found, Exception) or found.version != connector.version:
            return None
        disabled = replace(connector, status=Status.SYSTEM_DISABLED, epoch=connector.epoch + 1)
        self.connectors[connector.name] = disabled
        self.disabled.append(connector)
        return disabled

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
        if headers.get("X-Dt-Test") == "true":
            self.tests.append(event_id)
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

    def send(self, *messages: ReceivedMessage, seconds: float = 30.0) -> set[str]:
        """Send a batch; the ids of the messages that stay in the queue."""
        remaining = self.sender.send(messages, seconds)
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
    origin: str = "",
) -> ReceivedMessage:
    """A received message whose message id and receipt handle are the event's id."""
    message = Message(connector, epoch, event_id, 0, json.dumps({"id": event_id}), origin)
    return ReceivedMessage(
        message_id=event_id,
        receipt_handle=event_id,
        queue_arn=ARN,
        receive_count=receive_count,
        sent_at=NOW - age,
        first_received_at=NOW - age,
        text=message.to_text() if text is None else text,
    )
