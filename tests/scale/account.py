"""An account in virtual time: concurrency, environments with the real sender, queues, ingest."""

import random
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeVar

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.delivery.attempt_log import Entry
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import ENTRIES_PER_CALL, VisibilityChange
from dataconnectors.endpoints.outcomes import Delivered, Outcome
from dataconnectors.events.message import Message
from dataconnectors.expiry.expired_event import RETENTION_SECONDS, ExpiredEvent
from dataconnectors.store.connector_items import connector_item, read_connector
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.table import Table
from tests.faults.models.dynamodb import DynamoDb, Item, Key
from tests.faults.models.sqs import Message as Queued
from tests.faults.models.sqs import Queue
from tests.faults.process import EPOCH, LATENCY
from tests.outages.account import (
    ANSWER_OF_POLL,
    BATCH,
    COLD_START,
    MAXIMUM_CONCURRENCY,
    POLL_SECONDS,
    SENDER_GB,
    SENDER_TIMEOUT,
    SENDER_WORKERS,
    TIMEOUT_SECONDS,
    VISIBILITY_SECONDS,
)
from tests.outages.neighbours import INGEST_SECONDS, REFUSED_SECONDS
from tests.outages.prices import Usage
from tests.outages.ramp import FIRST_PROCESSES
from tests.scale.endpoints import Endpoint
from tests.scale.engine import Engine
from tests.scale.poller import Poller
from tests.support.rows import a_connector

T = TypeVar("T")

CORE = SENDER_GB * 1024 / 1769
"""AWS: 1,769 MB of memory come with one core, and less with a part of it."""

EVENT_CPU, BATCH_CPU = 0.00044, 0.0016
"""Seconds of CPU on a full core: of an attempt (`python -m bench.sender`), and of a batch's two
calls of DynamoDB (0.79 ms each by botocore on a kept connection). Measured in November 2026."""

NEW_ENVIRONMENTS, NEW_SECONDS = 1000, 10.0
"""AWS: a function gets so many more environments in so many seconds."""

LONG_POLL = 20.0
"""AWS: seconds after which a poll of an empty queue ends, and another begins. Each is billed."""

LOG_BYTES = 800
"""Bytes that a batch logs: its line, two of metrics, and Powertools' fields. `tests.outages` counts
them (800 to 900); each failed attempt adds its line."""

FAILURE_LOG_BYTES = 450

ATTEMPT_UNITS = 3
"""Write units of an attempt in the attempt log (docs/data-model.md)."""

PROJECT = "scale"
TABLE = "scale"
PLAINTEXT = Secrets("0123456789abcdef0123456789abcdef").to_bytes()


class Times(NamedTuple):
    """How long steps take, in seconds; ranges are uniform. `overhead` is the batch's own work,
    `event` that of each attempt, one after another on the same core; `call` is one of AWS."""

    poll: tuple[float, float] = POLL_SECONDS
    answer_of_poll: tuple[float, float] = ANSWER_OF_POLL
    call: tuple[float, float] = LATENCY
    overhead: float = BATCH_CPU / CORE
    event: float = EVENT_CPU / CORE
    cold_start: float = COLD_START
    ingest: float = INGEST_SECONDS


NO_TIME = Times((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 0.0, 0.0)
"""For closed forms: only endpoints and waits take time."""


@dataclass(eq=False, slots=True)
class Line:
    """A connector, its queue, its endpoint, and its poller. `group` names its kind."""

    name: str
    group: str
    queue: Queue
    endpoint: Endpoint
    poller: Poller


@dataclass(slots=True)
class Group:
    """What is known of the connectors of a kind. `latencies` are the seconds from publishing to the
    first POST, of the events that were published at `published`. `in_flight` is the highest of a
    queue."""

    published: "array[float]" = field(default_factory=lambda: array("d"))
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    attempts: int = 0
    failed: int = 0
    delivered: int = 0
    waiting: int = 0
    in_flight: int = 0
    expired: int = 0
    last_delivered: float = 0.0


class Done:
    """A call's future. `took` is how long it took, of which `seconds` were waited for."""

    __slots__ = ("_error", "_in_time", "_result")

    def __init__(self, result: Any, error: Exception | None, in_time: bool) -> None:
        self._result, self._error, self._in_time = result, error, in_time

    def done(self) -> bool:
        return self._in_time

    def cancelled(self) -> bool:
        return False

    def exception(self) -> Exception | None:
        return self._error

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._result


class TogetherWorkers:
    """A sender's workers: all calls begin at the same time, and end when the longest does."""

    count = SENDER_WORKERS

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def run(self, calls: Sequence[Callable[[], T]], seconds: float) -> list[Any]:
        """As `Workers.run`."""
        engine = self._engine
        begin, end = engine.ahead, engine.ahead
        futures = []
        for call in calls:
            engine.ahead = begin
            result, error = None, None
            try:
                result = call()
            except Exception as raised:  # noqa: BLE001  # as an executor does
                error = raised
            in_time = engine.ahead - begin <= seconds
            end = max(end, min(engine.ahead, begin + seconds))
            futures.append(Done(result, error, in_time))
        engine.ahead = end
        return futures


class Silent:
    """A log whose bytes are counted by batch and failed attempt (`LOG_BYTES`). Our own errors end
    the run."""

    def info(self, message: str, /, **_: Any) -> None:
        """Nothing: `LOG_BYTES` counts it."""

    def error(self, message: str, /, **fields: Any) -> None:
        """Nothing here fails, so it is a mistake of the model."""
        raise AssertionError(message, fields)

    warning = error


class Account:
    """An account with a limit of `concurrency` for all of its functions.

    With a `thinning` of 20, each connector stands for 20, and a twentieth of the concurrency is
    there: connectors meet only there. `per_request` events are published in one call.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        concurrency: float = 1000,
        thinning: float = 1,
        per_request: float = 1,
        maximum_concurrency: int = MAXIMUM_CONCURRENCY,
        batch: int = BATCH,
        times: Times | None = None,
        log_mode: LogMode = LogMode.SAMPLED,
    ) -> None:
        self.engine = Engine()
        self.rng = random.Random(seed)
        random.seed(seed)  # our code draws its waits from this
        self.times = times or Times()
        self.usage = Usage()
        self.lines: list[Line] = []
        self.groups: dict[str, Group] = {}
        self.published = array("d")
        self.refused = 0
        self.throttled = 0
        self.cold_starts = 0
        self.running = 0.0
        self.peak = 0.0
        self.noticed: dict[str, float] = {}
        self._limit = concurrency / thinning
        self._ingest = 1 / per_request
        self._maximum = maximum_concurrency
        self._batch = batch
        self._log_mode = log_mode
        self._busy = self._changed = 0.0
        self._new = self._most_new = max(1.0, NEW_ENVIRONMENTS / thinning)
        self._new_at = 0.0
        self._idle: list[Environment] = []
        self._attempted = bytearray()
        self._by_name: dict[str, Line] = {}
        self._rows: dict[str, Connector] = {}
        self.dynamodb = DynamoDb(self.engine.wall, TABLE, written=self._written)

    # --- connectors and events -----------------------------------------------------------------

    def connect(self, group: str, endpoint: Endpoint) -> Line:
        """Add a connector with a signature secret, its queue and its mapping."""
        number = len(self.lines)
        connector = a_connector(
            project=PROJECT,
            id=f"c{number:019d}",
            queue_id=f"{number:020d}",
            sealed=b"sealed",
            create_time="2026-01-01T00:00:00.000000Z",
            update_time="2026-01-01T00:00:00.000000Z",
        )
        self.dynamodb.put_item(TableName=TABLE, Item=connector_item(connector))
        name = f"dc-c-{connector.queue_id}"
        queue = Queue(
            name,
            f"https://sqs.us-east-1.amazonaws.com/1/{name}",
            f"arn:aws:sqs:us-east-1:1:{name}",
            {
                "VisibilityTimeout": str(VISIBILITY_SECONDS),
                "MessageRetentionPeriod": str(RETENTION_SECONDS),
            },
            {},
            EPOCH,
            self.engine.wall,
        )
        line = Line(connector.name, group, queue, endpoint, None)  # type: ignore[arg-type]
        line.poller = Poller(self, line, self._maximum, self._batch)
        self.lines.append(line)
        self._by_name[line.name] = line
        self.groups.setdefault(group, Group())
        return line

    def publish(self, line: Line) -> None:
        """Publish an event to a connector. A publisher that is refused tries again."""
        event = len(self.published)
        self.published.append(self.engine.now)
        self._attempted.append(0)
        self.groups[line.group].waiting += 1
        self._try(line, event)

    def burst(self, line: Line, events: int) -> None:
        """Put so many events into a connector's queue at once, by full batches."""
        for _ in range(events):
            self.published.append(self.engine.now)
            self._attempted.append(0)
            self._put(line, len(self.published) - 1)
        self.groups[line.group].waiting += events
        self.usage.sqs += -(-events // ENTRIES_PER_CALL)
        line.poller.wake_in(self.rng.uniform(*self.times.poll))

    def _try(self, line: Line, event: int) -> None:
        if not self.begin(self._ingest):
            self.refused += 1
            self.engine.after(REFUSED_SECONDS, partial(self._try, line, event))
        elif self.times.ingest:
            self.engine.after(self.times.ingest, partial(self._accepted, line, event))
        else:
            self._accepted(line, event)

    def _accepted(self, line: Line, event: int) -> None:
        self.end(self._ingest)
        self.usage.sqs += 1
        self._put(line, event)
        line.poller.wake_in(self.rng.uniform(*self.times.poll))

    def _put(self, line: Line, event: int) -> None:
        now = int(self.engine.wall() * 1000)
        body = '{"event":{"eventId":"e"}}'
        line.queue.put(Message(line.name, 1, str(event), now, body).to_text())

    # --- concurrency and environments ------------------------------------------------------------

    def begin(self, weight: float = 1.0) -> bool:
        """Begin an invocation, unless the account has no concurrency left for it."""
        if self.running + weight > self._limit + 1e-9:
            return False
        self._add(weight)
        self.peak = max(self.peak, self.running)
        return True

    def end(self, weight: float = 1.0) -> None:
        """End an invocation."""
        self._add(-weight)

    def busy_seconds(self) -> float:
        """The sum of the durations of all invocations so far."""
        self._add(0.0)
        return self._busy

    def _add(self, change: float) -> None:
        now = self.engine.now
        self._busy += self.running * (now - self._changed)
        self._changed = now
        self.running += change

    def environment(self) -> "tuple[Environment, float] | None":
        """An environment, the one that was used last or a new one, and the seconds of its start;
        None when none is left, or Lambda makes no more of them just now."""
        if not self.begin():
            return None
        if self._idle:
            return self._idle.pop(), 0.0
        refill = (self.engine.now - self._new_at) * self._most_new / NEW_SECONDS
        self._new = min(self._most_new, self._new + refill)
        self._new_at = self.engine.now
        if self._new < 1:
            self.end()
            return None
        self._new -= 1
        self.cold_starts += 1
        return Environment(self), self.times.cold_start

    def release(self, environment: "Environment", begun: float) -> None:
        """End an invocation that began at `begun`."""
        self.end()
        self._idle.append(environment)
        self.usage.invocations += 1
        self.usage.log_bytes += LOG_BYTES
        self.usage.gb_seconds += (self.engine.now - begun) * SENDER_GB

    # --- what the sender's code asks for ---------------------------------------------------------

    def call(self) -> None:
        """Let the time of a call of AWS pass."""
        self.engine.sleep(self.rng.uniform(*self.times.call))

    def row(self, name: str) -> Connector:
        """A connector's row as it is now."""
        self.usage.dynamodb += 1
        self.usage.read_units += 1
        return self._rows[name]

    def line_of(self, name: str) -> Line:
        """The connector with this name."""
        return self._by_name[name]

    def attempted(self, line: Line, event: int, outcome: Outcome) -> None:
        """Note an attempt that begins now."""
        group = self.groups[line.group]
        group.attempts += 1
        now = self.engine.clock()
        if not self._attempted[event]:
            self._attempted[event] = 1
            group.published.append(self.published[event])
            group.latencies.append(now - self.published[event])
        if isinstance(outcome, Delivered):
            group.delivered += 1
            group.waiting -= 1
            group.last_delivered = max(group.last_delivered, now + outcome.response_time)
        else:
            group.failed += 1
            self.usage.log_bytes += FAILURE_LOG_BYTES

    def _written(self, _key: Key, item: Item | None) -> None:
        if item is None or "displayName" not in item:
            return
        row = read_connector(item)
        self._rows[row.name] = row
        if row.failing is not None and row.failing.is_outage:
            self.noticed.setdefault(row.name, self.engine.now)


class Environment:
    """An execution environment of the sender, with what AWS answers it."""

    def __init__(self, account: Account) -> None:
        engine = account.engine
        self._account = account
        self._attempts = 0
        self._line: Line
        self._messages: Mapping[str, Queued] = {}
        table = Table(account.dynamodb, TABLE, sleep=engine.sleep)
        self._failing = FailingStore(table)
        self.timeout = TIMEOUT_SECONDS
        self._sender = Sender(
            connectors=self,
            vault=Vault(self, clock=engine.clock),
            endpoint_client=self,  # type: ignore[arg-type]
            visibility=self,  # type: ignore[arg-type]
            dead_letters=self,
            expired_events=self,
            attempt_counters=self,
            failing_connectors=self,
            workers=TogetherWorkers(engine),  # type: ignore[arg-type]
            log=Silent(),
            log_mode=account._log_mode,
            log_one_in=100,
            write_attempts=self._write_attempts,
            clock=engine.clock,
            now=engine.wall,
        )

    def send(
        self, line: Line, messages: Sequence[Queued], handles: Sequence[str]
    ) -> tuple[set[str], float]:
        """Send a batch now; the ids of the messages that stay, and how many seconds it takes.

        `handles` are those of this receive: after the visibility timeout there are others.
        """
        self._attempts = 0
        self._line, self._messages = line, dict(zip(handles, messages, strict=True))
        engine = self._account.engine
        engine.ahead = 0.0
        received = [
            ReceivedMessage(
                message.id,
                handle,
                line.queue.arn,
                message.receives,
                message.sent_at,
                message.first_received_at,
                message.body,
            )
            for message, handle in zip(messages, handles, strict=True)
        ]
        kept = set(self._sender.send(received, SENDER_TIMEOUT))
        took, engine.ahead = engine.ahead, 0.0
        return kept, took

    # --- Connectors, and KMS -----------------------------------------------------------------

    def connector(self, name: str) -> Connector | None:
        """As `Connectors.connector`. What it reads is what was there as the call began."""
        row = self._account.row(name)
        self._account.call()
        return row

    def was_removed(self, _name: str) -> bool:
        """Never: no connector is removed here."""
        return False

    def decrypt(self, **_: Any) -> dict[str, Any]:
        """As KMS's client."""
        self._account.usage.kms += 1
        self._account.call()
        return {"Plaintext": PLAINTEXT}

    # --- EndpointClient ------------------------------------------------------------------------

    def attempt(
        self, _url: str, _secrets: Secrets, _body: bytes, event_id: str, **_: Any
    ) -> Outcome:
        """As `EndpointClient.attempt`. Attempts begin one after another, as their CPU allows."""
        account = self._account
        account.engine.sleep(self._attempts * account.times.event)
        self._attempts += 1
        outcome = self._line.endpoint.answer(account.engine.clock(), account.rng)
        account.attempted(self._line, int(event_id), outcome)
        account.engine.sleep(outcome.response_time)
        return outcome

    # --- writes, which take effect as they end -------------------------------------------------

    def change(self, _queue_arn: str, changes: Sequence[VisibilityChange]) -> Mapping[str, str]:
        """As `QueueVisibility.change`."""
        account = self._account
        account.call()
        account.usage.sqs += -(-len(changes) // ENTRIES_PER_CALL)
        account.engine.then(partial(self._change, self._line.queue, self._messages, changes))
        return {}

    @staticmethod
    def _change(
        queue: Queue, messages: Mapping[str, Queued], changes: Sequence[VisibilityChange]
    ) -> None:
        for change in changes:
            message = messages[change.receipt_handle]
            if message.handle == change.receipt_handle and message.in_flight:
                queue.change(message, change.seconds)

    def add(self, *_: Any) -> None:
        """As `AttemptCounters.add`."""
        self._written_units(1)

    def claim_canary(self, connector: Connector, until: float) -> bool:
        """As `FailingConnectors.claim_canary`."""
        self._written_units(1)
        return self._failing.claim_canary(connector, until)

    def record(self, connector: Connector, failing: Any) -> None:
        """As `FailingConnectors.record`."""
        is_listed = failing.watched and (connector.failing is None or not connector.failing.watched)
        self._written_units(4 if is_listed else 1)
        self._account.engine.then(partial(self._failing.record, connector, failing))

    def clear(self, connector: Connector) -> None:
        """As `FailingConnectors.clear`."""
        self._written_units(1)
        self._account.engine.then(partial(self._failing.clear, connector))

    def _write_attempts(self, entries: Sequence[Entry]) -> int:
        self._written_units(ATTEMPT_UNITS * len(entries))
        return 0

    def save(self, events: Sequence[ExpiredEvent]) -> set[int]:
        """As `ExpiredEvents.save`."""
        self._written_units(len(events))
        for event in events:
            group = self._account.groups[self._account.line_of(event.connector).group]
            group.expired += 1
            group.waiting -= 1
        return set(range(len(events)))

    def count_for_announcement(self, _events: Sequence[ExpiredEvent], _now: float) -> None:
        """As `ExpiredEvents.count_for_announcement`."""
        self._written_units(1)

    def put(self, letters: Sequence[Any]) -> set[str]:
        """As `DeadLetters.put`. Every message here is one of ours."""
        raise AssertionError(letters)

    def _written_units(self, units: int) -> None:
        self._account.usage.dynamodb += 1
        self._account.usage.write_units += units
        self._account.call()


def idle_polls(connectors: float, seconds: float) -> int:
    """The polls of queues that are empty: each mapping has five processes that poll."""
    return round(connectors * FIRST_PROCESSES * seconds / LONG_POLL)
