"""What the ledger knows: of connectors, their events, queue messages, calls, and batches."""

from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import IntFlag

from dataconnectors.endpoints.outcomes import Answer, NoAnswer
from tests.faults.models.sqs import Message, Queue
from tests.faults.outages import Canary, Row, Watch
from tests.faults.process import Process

CUSTOMERS_FIELDS = frozenset(("active", "paused", "types", "labels", "url", "secret"))
"""The fields of a `Setting` that only a customer may change."""


class State(IntFlag):
    """The state of one event for one connector."""

    SENT = 1  # it was in the queue
    OWED = 2  # the answer to its publisher said that it is accepted
    DELIVERED = 4  # the endpoint saved it
    EXPIRED = 8
    RECORDED = 32  # a record of its expiry was saved before its message was deleted
    DISABLED = 16  # its connector was disabled after the event was accepted
    DELETED = 64  # its connector was deleted after the event was accepted


NEVER = State.EXPIRED | State.DISABLED | State.DELETED
"""The ends of an event that is never delivered."""


@dataclass(frozen=True)
class Setting:
    """A connector as its row was committed at `tick`."""

    tick: int
    exists: bool
    wants: bool
    active: bool
    types: frozenset[str]
    labels: frozenset[str]
    url: str
    secret: str
    paused: bool = False

    def differences(self, other: "Setting") -> set[str]:
        """The names of the customer's fields in which two settings differ."""
        return {name for name in CUSTOMERS_FIELDS if getattr(self, name) != getattr(other, name)}


@dataclass(eq=False)
class Account:
    """A connector's settings over time, and the state of each event of its project.

    `settled` is the tick of the latest disabling or deletion whose call has returned. From then on
    no attempt may begin. `pauses` are the ticks at which it was paused, and `held` is that of the
    latest pause whose call has returned: until it is resumed, no attempt may begin.
    `made_at` is when the connector was created, by the clock of the process
    that created it. `inactive` are the ticks at which it was disabled or deleted. `gone` is the
    tick at which 410 has disabled it, at `gone_at` in epoch seconds.
    """

    name: str
    project: str
    first: int
    made_at: float
    queue_id: str = ""
    lifecycle: str = ""
    settings: list[Setting] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    inactive: list[int] = field(default_factory=list)
    pauses: list[int] = field(default_factory=list)
    settled: int = 0
    held: int = 0
    gone: int = 0
    gone_at: float = 0.0
    watch: Watch = field(default_factory=Watch)
    states: bytearray = field(default_factory=bytearray)
    bodies: "array[int]" = field(default_factory=lambda: array("L"))
    other_bodies: dict[int, set[int]] = field(default_factory=dict)

    def at(self, tick: int) -> Setting:
        """The setting that a read at this tick sees."""
        return self.settings[bisect_right(self.ticks, tick) - 1]

    def during(self, start: int, end: int) -> list[Setting]:
        """Every setting that was current at any moment between two ticks."""
        first = bisect_right(self.ticks, start) - 1
        return self.settings[max(first, 0) : bisect_right(self.ticks, end)]

    def stopped_since(self, tick: int, until: int | None = None) -> bool:
        """Whether it was disabled or deleted after one tick and, if given, not after `until`."""
        position = bisect_right(self.inactive, tick)
        return position < len(self.inactive) and (until is None or self.inactive[position] <= until)

    def is_held(self) -> bool:
        """Whether a call that has paused it has returned, and it was not resumed since."""
        return self.settings[-1].paused and 0 < self.pauses[-1] <= self.held

    def state(self, number: int) -> int:
        position = number - self.first
        return self.states[position] if 0 <= position < len(self.states) else 0

    def mark(self, number: int, state: int) -> None:
        position = number - self.first
        if position >= len(self.states):
            more = position + 1 - len(self.states)
            self.states.extend(bytes(more))
            self.bodies.extend([0] * more)
        self.states[position] |= state

    def unmark(self, number: int, state: int) -> None:
        position = number - self.first
        if 0 <= position < len(self.states):
            self.states[position] &= ~state


@dataclass(eq=False)
class Note:
    """What the ledger knows of a queue message: its event, its connector, and when it was sent.

    `called` is the tick at which the publisher's call began, and `sent` that of the message. What
    a replay has sent (`is_replayed`) has its own end: it is `delivered`, or there is its `record`.
    That is the key of a record of expiry, which copies share that SQS accepted in one millisecond.
    `held_from` is when it was first held since its last attempt, 0 when it is not held; `share` is
    the longest that the last hold could be, and a fault keeps it away until `excused`. These times
    are in seconds of the run.
    """

    account: Account
    number: int
    called: int
    sent: int
    record: tuple[str, str]
    held_from: float = 0.0
    share: float = 0.0
    excused: float = 0.0
    is_replayed: bool = False
    delivered: bool = False


@dataclass(eq=False)
class Call:
    """A publisher's call while ingest serves it. `numbers` are those of its events, in order."""

    project: str
    numbers: Sequence[int]
    types: Sequence[str]
    began: int
    sent: set[tuple[int, int]] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Change:
    """A customer's call to the config API while it is served.

    `began` is the tick at its begin, and `fields` are those that it may change. `stopped` has each
    connector that it disabled or deleted, with the tick, and `paused` each that it paused.
    """

    began: int
    fields: Collection[str]
    stopped: list[tuple[Account, int]] = field(default_factory=list)
    paused: list[tuple[Account, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Attempted:
    """An attempt as the sender saw it. `ended` is in seconds of the run."""

    answer: Answer | NoAnswer
    seconds: float
    ended: float
    age: float

    @property
    def acknowledged(self) -> bool:
        return isinstance(self.answer, Answer) and self.answer.status == 200

    @property
    def retry_after(self) -> float:
        """The seconds that the endpoint asked to wait."""
        return float(self.answer.retry_after or 0) if isinstance(self.answer, Answer) else 0.0


@dataclass(eq=False)
class Batch:
    """A batch while the sender works on it.

    `may_come_again` are messages that may be received again meanwhile, whatever the sender does.
    `posts` counts the attempts by connector name; `acknowledged` and `overdue` count those that
    ended so. `counted` has the successes and errors in each connector's metrics.

    `row` is what it went by: the last read of its connector, at `read_at`, before it `is_decided`
    what to attempt. A read that comes back late is repeated. `claim` is the row after it has
    claimed a canary, and `noted` the rows before and after it has written what it knows of
    failures. `gone` is the connector whose endpoint has answered it 410. It is `over` when its
    invocation has ended.
    """

    queue: Queue
    messages: Sequence[Message]
    handles: Sequence[str]
    receives: Sequence[int]
    may_come_again: Collection[str] = ()
    reads: dict[str, tuple[int, float]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], Attempted] = field(default_factory=dict)
    begun: set[tuple[int, int]] = field(default_factory=set)
    posts: "Counter[str]" = field(default_factory=Counter)
    acknowledged: "Counter[str]" = field(default_factory=Counter)
    overdue: "Counter[str]" = field(default_factory=Counter)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    account: Account | None = None
    process: Process | None = None
    row: Row | None = None
    read_at: float = 0.0
    is_decided: bool = False
    claim: Row | None = None
    noted: list[tuple[Row, Row]] = field(default_factory=list)
    canary: Canary | None = None
    gone: Account | None = None
    over: bool = False
    died: bool = False
