"""An AWS account in virtual time: queues, Lambda's pollers, concurrency, and the real sender."""

import contextlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer
from dataconnectors.events.message import Message
from dataconnectors.expiry.expired_event import RETENTION_SECONDS
from dataconnectors.store.connector_items import connector_item
from dataconnectors.store.failing_items import FAILING_SINCE, read_failing
from tests.faults.models.dynamodb import DynamoDb, Item, Key
from tests.faults.models.kms import Kms
from tests.faults.models.sqs import Message as Queued
from tests.faults.models.sqs import Queue, Sqs, attributes
from tests.faults.plan import Plan
from tests.faults.process import EPOCH, Context, InlineWorkers, Process, Surroundings
from tests.faults.program import Program
from tests.faults.scheduler import Scheduler
from tests.outages.prices import READ_UNIT_BYTES, WRITE_UNIT_BYTES, Usage, item_bytes, units
from tests.outages.ramp import Ramp
from tests.support.rows import a_connector

MAXIMUM_CONCURRENCY = 50
BATCH = 10
SENDER_GB = 0.25
SENDER_TIMEOUT = 30.0
VISIBILITY_SECONDS = 180
"""The template's defaults."""

SENDER_WORKERS = 10

POLL_SECONDS = (0.005, 0.2)
"""Seconds from a message's arrival to its receive. An assumption: AWS gives no figure."""

ANSWER_OF_POLL = (0.005, 0.02)
"""Seconds that SQS's answer takes to a poller. An assumption."""

RETRY_SECONDS = (0.2, 3.0)
"""Seconds until Lambda invokes a throttled batch again: doubled from the first to the second.
An assumption: AWS only says that it does so until the visibility timeout is over."""

COLD_START = 0.6
"""Seconds of a new environment's start. An assumption, as nothing of this has run on AWS."""

OVERHEAD = 0.005
"""Seconds of the sender's own work in a batch. On 256 MB, CPU is a seventh of a core."""

TIMEOUT_SECONDS = 10.0
ERROR_SECONDS = 0.1
ANSWER_SECONDS = (0.05, 0.15)
"""Seconds of an attempt that is not answered, of one that is answered with an error, and of one
that succeeds."""

BODY = json.dumps(
    {
        "event": {"eventId": "%s", "eventType": "temperature", "data": {"temperature": "x" * 250}},
        "labels": {"name": "Fridge", "room": "2"},
        "metadata": {"deviceId": "d", "projectId": "p", "deviceType": "temperature"},
    }
)

PROJECT = "outages"


@dataclass(eq=False)
class Endpoint:
    """A customer's endpoint, down from `down_from` until `down_until`, in seconds of the run.

    `hangs`: it times out while it is down; otherwise it answers 503. `posted` is called with each
    attempt as it begins: its event's number, its start and end, and whether it succeeds.
    """

    posted: Callable[[int, float, float, bool], None]
    hangs: bool = True
    down_from: float = float("inf")
    down_until: float = float("inf")

    def is_down(self, now: float) -> bool:
        """Whether it acknowledges nothing now."""
        return self.down_from <= now < self.down_until


@dataclass(eq=False)
class Line:
    """A connector, its queue, its endpoint, and what its poller does."""

    connector: Connector
    queue: Queue
    endpoint: Endpoint
    poller: "Poller"


class Forgetful:
    """A store of failing connectors that keeps nothing: every event has a clock of its own."""

    def __init__(self, _table: object) -> None:
        pass

    def claim_canary(self, _connector: Connector, _until: float) -> bool:
        """Never called, because no row says that its connector fails."""
        raise AssertionError

    def record(self, _connector: Connector, _failing: object) -> None:
        """Write nothing."""

    def clear(self, _connector: Connector) -> None:
        """Write nothing."""


class MeteredDynamoDb(DynamoDb):
    """Counts calls and units."""

    def __init__(self, clock: Callable[[], float], usage: Usage, **options: Any) -> None:
        super().__init__(
            clock, os.environ["TABLE_NAME"], unread=("ATTEMPTS#", "METRICS#"), **options
        )
        self._usage = usage

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        """As `DynamoDb.get_item`."""
        # A connector's row is smaller than a unit: `put_item` has checked it.
        self._usage.dynamodb += 1
        self._usage.read_units += 1
        return super().get_item(**parameters)

    def put_item(self, **parameters: Any) -> dict[str, Any]:
        """As `DynamoDb.put_item`, of a connector's row."""
        assert units(item_bytes(parameters["Item"]), READ_UNIT_BYTES) == 1
        return super().put_item(**parameters)

    def update_item(self, *, TableName: str, Key: Item, **change: Any) -> dict[str, Any]:
        """As `DynamoDb.update_item`. A refused write costs as much."""
        self._usage.dynamodb += 1
        try:
            return super().update_item(TableName=TableName, Key=Key, **change)
        finally:
            self._usage.write_units += self._write_units(Key)

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        """As `DynamoDb.transact_write_items`."""
        self._usage.dynamodb += 1
        try:
            return super().transact_write_items(TransactItems=TransactItems)
        finally:
            for entry in TransactItems:
                (action,) = entry.values()
                self._usage.write_units += 2 * self._write_units(
                    action.get("Key", action.get("Item"))
                )

    def _write_units(self, key: Item) -> int:
        item = self._items.get((key["pk"]["S"], key["sk"]["S"]))
        return units(item_bytes(item), WRITE_UNIT_BYTES)


class Output(io.TextIOBase):
    """Standard output and log of the sender, of which only the size is kept."""

    def __init__(self, usage: Usage) -> None:
        self._usage = usage

    def write(self, text: str) -> int:
        """Count the text."""
        self._usage.log_bytes += len(text)
        return len(text)

    def info(self, message: str, /, *, extra: Mapping[str, Any], **_: Any) -> None:
        """Count a line of the log, with the fields that Powertools adds."""
        self._usage.log_bytes += LOGGER_BYTES + len(message) + len(json.dumps(extra))

    warning = error = info


LOGGER_BYTES = 200
"""Bytes of the fields that Powertools adds to each line: time, level, place, service, trace."""


class Account:
    """An account with a limit of `concurrency` for all of its functions.

    `holds`: without it, outages are never noticed, because the sender's store keeps nothing.
    `noticed` has when a connector's outage began, by its row's key.
    """

    def __init__(self, seed: int, *, holds: bool = True, concurrency: int = 1000) -> None:
        self.rng = random.Random(seed)
        random.seed(seed)  # our code draws its waits from this
        self.scheduler = Scheduler()
        self.usage = Usage()
        self.concurrency = concurrency
        self.running = 0
        self.peak = 0
        self.throttled: dict[str, int] = {"ingest": 0, "sender": 0}
        self.noticed: dict[Key, float] = {}
        self.output = Output(self.usage)
        self.lines: list[Line] = []
        self._busy = 0.0
        self._changed = 0.0
        self._holds = holds
        self._idle: list[Process] = []
        self._kms = Kms()
        self._dynamodb = MeteredDynamoDb(self.epoch, self.usage, written=self._written)
        self._sqs = Sqs(self.epoch)
        self._surroundings = Surroundings(
            self.scheduler,
            Plan(self.rng, 1.0),
            self.rng,
            {"sqs": self._sqs, "dynamodb": self._dynamodb, "kms": self._kms},
            called=lambda process, service, operation, parameters: None,
            observe=self._observe,
            slowed=lambda process, method: None,
        )
        self._program = Program("sender")
        self._endpoints: dict[str, Endpoint] = {}

    def epoch(self) -> float:
        """Epoch seconds."""
        return EPOCH + self.scheduler.now

    @contextlib.contextmanager
    def open(self) -> Iterator["Account"]:
        """Take the sender's standard output, and end its threads at the end."""
        with contextlib.redirect_stdout(self.output):
            try:
                yield self
            finally:
                self.scheduler.close()

    # --- connectors and events -----------------------------------------------------------------

    def connect(self, endpoint: Endpoint, maximum_concurrency: int = MAXIMUM_CONCURRENCY) -> Line:
        """Add a connector with a signature secret, its queue, and its poller."""
        number = len(self.lines)
        connector = a_connector(
            project=PROJECT,
            id=f"c{number:019d}",
            display_name="Cold rooms",
            url=f"https://endpoint-{number}.example.com/hook",
            queue_id=f"{number:020d}",
        )
        secrets = Secrets("0123456789abcdef0123456789abcdef").to_bytes()
        answer = self._kms.encrypt(
            KeyId="key", Plaintext=secrets, EncryptionContext={"name": connector.name}
        )
        connector = a_connector(
            **{name: getattr(connector, name) for name in ("project", "id", "display_name", "url")},
            queue_id=connector.queue_id,
            sealed=answer["CiphertextBlob"],
        )
        self._dynamodb.put_item(TableName=os.environ["TABLE_NAME"], Item=connector_item(connector))
        name = f"dc-c-{connector.queue_id}"
        retention = {
            "VisibilityTimeout": str(VISIBILITY_SECONDS),
            "MessageRetentionPeriod": str(RETENTION_SECONDS),
        }
        self._sqs.create_queue(QueueName=name, Attributes=retention)
        queue = self._sqs.queues[name]
        poller = Poller(self, queue, maximum_concurrency)
        line = Line(connector, queue, endpoint, poller)
        self.lines.append(line)
        self._endpoints[f"endpoint-{number}.example.com"] = endpoint
        return line

    def publish(self, line: Line, event: int) -> None:
        """Send the event with this number to a connector's queue, as ingest does."""
        text = Message(
            line.connector.name,
            line.connector.epoch,
            f"e{event:09d}",
            int(self.epoch() * 1000),
            BODY.replace("%s", f"e{event:09d}"),
        ).to_text()
        line.queue.put(text)
        line.poller.wake_in(self.rng.uniform(*POLL_SECONDS))

    # --- concurrency ---------------------------------------------------------------------------

    def begin(self, function: str) -> bool:
        """Begin an invocation, unless the account has no concurrency left."""
        if self.running >= self.concurrency:
            self.throttled[function] += 1
            return False
        self._add(1)
        self.peak = max(self.peak, self.running)
        return True

    def end(self) -> None:
        """End an invocation."""
        self._add(-1)

    def busy_seconds(self) -> float:
        """The sum of the durations of all invocations so far."""
        self._add(0)
        return self._busy

    def _add(self, change: int) -> None:
        now = self.scheduler.now
        self._busy += self.running * (now - self._changed)
        self._changed = now
        self.running += change

    # --- the sender ----------------------------------------------------------------------------

    def invoke_sender(self, event: Any) -> Any:
        """Run the handler in an idle environment, the one that was used last, or in a new one."""
        begun = self.scheduler.now
        process = self._idle.pop() if self._idle else self._cold_start()
        self.scheduler.sleep(OVERHEAD)
        try:
            context = Context(process, self.scheduler.now + SENDER_TIMEOUT)
            return process.handler(event, context)
        finally:
            self._idle.append(process)
            self.usage.invocations += 1
            self.usage.gb_seconds += (self.scheduler.now - begun) * SENDER_GB

    def _cold_start(self) -> Process:
        process = Process("sender", self._surroundings)
        program = self._program.start(process)
        program["logger"] = self.output
        if not self._holds:
            program["FailingStore"] = Forgetful
        program["sender"] = program["make_sender"](
            Transport(self._endpoints, process, self.rng),
            InlineWorkers(process, SENDER_WORKERS),
            now=process.now,
            clock=process.clock,
        )
        process.handler = program["lambda_handler"]
        self.scheduler.sleep(COLD_START)
        return process

    def _observe(self, _process: Process, method: str, _parameters: Mapping[str, Any]) -> None:
        if method == "change_message_visibility_batch":
            self.usage.sqs += 1
        elif method == "decrypt":
            self.usage.kms += 1

    def _written(self, key: Key, item: Item | None) -> None:
        if item is None or FAILING_SINCE not in item or key in self.noticed or not self._holds:
            return
        if key[1].startswith("CONNECTOR#") and read_failing(item).is_outage:
            self.noticed[key] = self.scheduler.now


class Transport:
    """A process's stand-in for `endpoints.transport.Transport`."""

    def __init__(
        self, endpoints: Mapping[str, Endpoint], process: Process, rng: random.Random
    ) -> None:
        self._endpoints = endpoints
        self._process = process
        self._rng = rng

    def post(
        self, destination: Destination, _headers: Any, body: bytes, _timeout: float, /
    ) -> Answer | NoAnswer:
        """As `Transport.post`."""
        endpoint, process = self._endpoints[destination.host], self._process
        start = process.clock()
        is_down = endpoint.is_down(start)
        if not is_down:
            seconds = self._rng.uniform(*ANSWER_SECONDS)
        else:
            seconds = TIMEOUT_SECONDS if endpoint.hangs else ERROR_SECONDS
        place = body.index(b'"eventId": "e') + len(b'"eventId": "e')
        endpoint.posted(int(body[place : place + 9]), start, start + seconds, not is_down)
        process.sleep(seconds)
        if not is_down:
            return Answer(200)
        if endpoint.hangs:
            return NoAnswer(FailureKind.TIMEOUT, f"{destination.host}: no answer within 10 s")
        return Answer(503)


class Poller:
    """Lambda's processes that read one queue, as AWS documents them.

    Each makes long polls for up to ten messages, invokes the sender with what it gets, deletes what
    was delivered, and polls again. `maximum` is the mapping's MaximumConcurrency.
    """

    def __init__(self, account: Account, queue: Queue, maximum: int) -> None:
        self._account = account
        self._queue = queue
        self._ramp = Ramp(maximum)
        self._running = 0
        self._wakes_at = float("inf")

    def wake_in(self, seconds: float) -> None:
        """Poll after so many seconds, unless a poll comes sooner."""
        self._wake_at(self._account.scheduler.now + seconds)

    def _wake_at(self, moment: float) -> None:
        if moment < self._wakes_at:
            self._wakes_at = moment
            self._account.scheduler.at(moment, partial(self._poll, moment))

    def _poll(self, moment: float) -> None:
        if moment != self._wakes_at:
            return
        self._wakes_at = float("inf")
        queue, account = self._queue, self._account
        while self._running < self._ramp.processes:
            messages = queue.receive(BATCH, queue.visibility_timeout)
            if not messages:
                break
            account.usage.sqs += 1
            self._running += 1
            account.scheduler.spawn(partial(self._send, messages))
        else:
            if queue.visible:
                self._ramp.left(account.scheduler.now)
            return  # the end of an invocation wakes it
        self._ramp.emptied(account.scheduler.now)
        timer = queue.next_timer()
        if timer is not None:
            self._wake_at(timer - EPOCH)

    def _send(self, messages: Sequence[Queued]) -> None:
        account, scheduler = self._account, self._account.scheduler
        given_up = scheduler.now + self._queue.visibility_timeout
        event = {"Records": [self._record(message) for message in messages]}
        handles = [message.handle for message in messages]
        scheduler.sleep(account.rng.uniform(*ANSWER_OF_POLL))
        wait, longest = RETRY_SECONDS
        while not account.begin("sender"):
            if scheduler.now + wait >= given_up:
                break  # the messages have come back
            scheduler.sleep(wait)
            wait = min(2 * wait, longest)
        else:
            answer = account.invoke_sender(event)
            account.end()
            kept = {entry["itemIdentifier"] for entry in answer["batchItemFailures"]}
            self._delete(
                [
                    message
                    for message, handle in zip(messages, handles, strict=True)
                    if message.id not in kept and message.handle == handle
                ]
            )
        self._running -= 1
        self.wake_in(0.0)

    def _delete(self, messages: Sequence[Queued]) -> None:
        if messages:
            self._account.usage.sqs += 1
            self._account.scheduler.sleep(self._account.rng.uniform(*ANSWER_OF_POLL))
            for message in messages:
                if message.id in self._queue.messages:
                    self._queue.remove(message)

    def _record(self, message: Queued) -> dict[str, Any]:
        return {
            "messageId": message.id,
            "receiptHandle": message.handle,
            "body": message.body,
            "attributes": attributes(message),
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": "us-east-1",
        }
