"""Checks what is promised of outages and pauses: canaries, held events, and how they come back.

A connector's row says whether its connector is in an outage. A batch acts by what its first read of
the row says, so the checks go by that, too. All numbers here are those of the promises, and are
written down a second time: nothing is imported from the code that is checked.

Processes have clocks of their own, which differ. A canary is due by the clock of the process that
makes it, at a time that another process has written by its own clock. So times of different
processes are compared as these processes see them, which takes no tolerance. In the run's time a
canary may be late by `SKEW` in addition.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.faults.models.sqs import Message
from tests.faults.process import EPOCH, Process

if TYPE_CHECKING:
    from tests.faults.accounts import Account, Batch, Note

FAILURES = 100
"""Failed attempts in a minute without a success that make an outage."""

LEASE = 60.0
"""Seconds for which a canary keeps others from starting."""

SLOWEST_CLAIM = 10.0
"""Seconds that a claim may take: a lease counts from its begin, and the ledger sees its commit."""

SHORTEST_INTERVAL, LONGEST_INTERVAL, INTERVAL_SHARE = 8.0, 60.0, 1 / 8
SHORTEST_HOLD, LONGEST_HOLD, HOLD_SHARE, LEAST_SPREAD = 10.0, 300.0, 1 / 4, 0.5
SLOT = 5.0
ROUND = 40.0
"""Seconds from a failed canary to the next, and those for which the other events are held: shares
of the outage's age, within bounds. Held events come back in whole slots, and those of an old outage
in slots that come once in a round."""

LONGEST_ATTEMPT = 11.0
"""Seconds that an attempt takes at most, as the sender sees it."""

LAST_LOOK = 43_200 - 120 - 15
"""Seconds of an event's age. Held events come back then at the latest."""

SKEW = 30.0
"""Seconds by which a clock is wrong at most. Two clocks that differ by more are in the run, but
then two canaries may be in flight at once: a lease outlasts an attempt by so much."""

ON_TIME = 3.0
"""Seconds of rounding up, of polling, and of the calls before an attempt."""

UNDISTURBED = frozenset({"update_item", "transact_write_items"})
"""Writes of evidence and counts. When they fail, messages go back as usual."""

PREFIX = "not attempted at the last, because the endpoint failed for long: "


class Row(NamedTuple):
    """What a connector's row says of failed attempts and of a pause. Zeros where it says nothing.

    Times are in epoch seconds, by the clocks of the processes that wrote them.
    """

    version: int = 0
    since: float = 0.0
    window: float = 0.0
    failures: int = 0
    failed_at: float = 0.0
    canary_at: float = 0.0
    kind: str = ""
    status: str = "0"
    message: str = ""
    paused_at: float = 0.0

    @classmethod
    def of(cls, item: dict[str, Any] | None) -> "Row":
        """What an item says; the same as an empty one when it is gone."""
        if item is None:
            return cls()
        version = int(item["version"]["N"])
        paused_at = float(item["pausedAt"]["N"]) if "pausedAt" in item else 0.0
        if "failingSince" not in item:
            return cls(version, paused_at=paused_at)
        return cls(
            version,
            since=float(item["failingSince"]["N"]),
            window=float(item["failuresFrom"]["N"]),
            failures=int(item["failures"]["N"]),
            failed_at=float(item["failedAt"]["N"]),
            canary_at=float(item["canaryAt"]["N"]),
            kind=item["failureKind"]["S"],
            status=item["failureStatus"]["N"],
            message=item["failureMessage"]["S"],
            paused_at=paused_at,
        )

    @property
    def is_outage(self) -> bool:
        """Whether only a canary may be attempted."""
        return self.failures >= FAILURES and not self.paused_at

    @property
    def held_since(self) -> float:
        """Since when events are held; 0 when they are not."""
        return self.paused_at or (self.window if self.is_outage else 0.0)

    @property
    def key(self) -> tuple[object, ...]:
        """Evidence is written only while this is as the batch has read it."""
        return self.version, self.since, self.window, self.is_outage


_NOTHING = Row()


@dataclass(eq=False)
class Canary:
    """An attempt in an outage. Walls are times by the clock of its process, in epoch seconds."""

    outage: tuple[float, float]
    batch: "Batch"
    message: Message
    skew: float
    began_wall: float
    ended_wall: float | None = None
    acknowledged: bool = False


@dataclass(eq=False)
class Watch:
    """What is known of a connector's outages. Times are in seconds of the run.

    `due` is when the end of an outage has to be noticed at the latest, if the endpoint works by
    then: when the next canary goes, and `herald` is its message. Anything that keeps that message
    or that canary back moves it. `crowded` is when no sender was free for the queue.
    """

    row: Row = _NOTHING
    canary: Canary | None = None
    herald: Message | None = None
    due: float = 0.0
    crowded: float = 0.0


class Outages:
    """The checks. `violated` takes note of a broken promise; `now` gives epoch seconds."""

    def __init__(self, violated: Callable[[str], None], now: Callable[[], float]) -> None:
        self.count = 0
        self.canaries = 0
        self.held = 0
        self.recovered = 0
        self._violated = violated
        self._now = now

    # --- rows ----------------------------------------------------------------------------------

    def written(
        self,
        account: "Account",
        item: dict[str, Any] | None,
        batch: "Batch | None",
        process: Process | None,
    ) -> None:
        """Take note of a row's commit, by a batch of the sender or by somebody else."""
        watch = account.watch
        before, after = watch.row, Row.of(item)
        watch.row = after
        if batch is None or process is None:
            if before.version < after.version and after.since:
                self._violated(f"{account.name} was changed and its failures are not forgotten")
            if before.paused_at and not after.paused_at:
                watch.due = max(watch.due, self._seconds())
            return
        if before._replace(canary_at=after.canary_at) == after:
            batch.claim = after
            lease = after.canary_at - process.now()
            if not LEASE - SLOWEST_CLAIM <= lease <= LEASE + 0.01:
                self._violated(f"a canary of {account.name} is claimed for {lease:.1f} s")
            return
        batch.noted.append((before, after))
        if len(batch.noted) > 1:
            self._violated(f"a batch has written twice what it knows of {account.name}")
        if after.is_outage and not before.is_outage:
            self.count += 1
            watch.due = max(watch.due, self._seconds())

    def read(self, batch: "Batch", account: "Account", process: Process) -> None:
        """Take note of a read of a row in a batch that has not decided what to attempt."""
        if batch.account not in (None, account) or batch.is_decided:
            return
        batch.account, batch.process = account, process
        batch.row, batch.read_at = account.watch.row, process.clock()

    # --- attempts ------------------------------------------------------------------------------

    def posted(
        self,
        process: Process,
        batch: "Batch",
        messages: Sequence[Message],
        where: str,
        healthy_since: float,
    ) -> None:
        """Check an attempt of an event, of which the batch holds these messages."""
        row = batch.row
        if row is None or batch.account is None:
            return
        watch = batch.account.watch
        if row.paused_at:
            self._violated(f"{where} was sent although its connector is paused")
        elif row.is_outage:
            self._check_canary(process, batch, row, watch, where)
            if messages:
                watch.herald = messages[0]
                outage = row.since, row.window
                watch.canary = Canary(outage, batch, messages[0], process.skew, process.now())
                batch.canary = watch.canary
        for message in messages:
            self._check_recovery(message.note, watch, process, where, healthy_since)
            message.note.held_from = 0.0

    def _check_canary(
        self, process: Process, batch: "Batch", row: Row, watch: Watch, where: str
    ) -> None:
        """One attempt at a time, at intervals, and each of them claimed."""
        self.canaries += 1
        if batch.claim is None:
            self._violated(f"{where} was attempted in an outage, and is no canary")
        elif batch.canary is not None:
            self._violated(f"{where} was attempted in an outage beside the canary of its batch")
        if process.now() < row.canary_at:
            early = row.canary_at - process.now()
            self._violated(f"{where} was attempted in an outage {early:.1f} s before its canary")
        before = watch.canary
        if before is None or before.outage != (row.since, row.window):
            return
        if before.ended_wall is not None:
            earliest = before.ended_wall + SHORTEST_INTERVAL
        else:  # its process has died, or the sender has given it up
            earliest = before.began_wall + (
                LEASE - SLOWEST_CLAIM if before.batch.died else SHORTEST_INTERVAL
            )
        if process.now() < earliest:
            self._violated(f"{where}: {earliest - process.now():.1f} s too soon after a canary")
        in_flight = before.ended_wall is None and not before.batch.over
        if in_flight and abs(before.skew - process.skew) <= SKEW:
            self._violated(f"{where} is a second canary beside another")

    def answered(self, batch: "Batch", process: Process, *, acknowledged: bool) -> None:
        """Take note of the end of a canary, if the attempt that has ended is one."""
        if batch.canary is not None:
            batch.canary.ended_wall = process.now()
            batch.canary.acknowledged = acknowledged

    def _check_recovery(
        self, note: "Note", watch: Watch, process: Process, where: str, healthy_since: float
    ) -> None:
        """After its endpoint works again, a held event comes back within its hold.

        Counted from the moment when the outage's end had to be noticed. A fault that kept back the
        message itself, the canary or its message has moved that moment.
        """
        if not note.held_from or process.faulted or healthy_since == float("inf"):
            return
        self.recovered += 1
        from_ = max(watch.due, healthy_since, note.held_from, note.excused, watch.crowded)
        seconds = process.clock() - from_
        longest = LONGEST_ATTEMPT + note.share + SLOT + ON_TIME
        if seconds > longest:
            self._violated(
                f"{where} was held, and comes {seconds:.0f} s after the outage had to be noticed "
                f"to be over, not within {longest:.0f} s"
            )

    # --- the ends of batches -------------------------------------------------------------------

    def finished(
        self, batch: "Batch", deleted: Sequence[str] | None, faulted: Collection[str]
    ) -> None:
        """Check what a batch did with the messages that it has not attempted, and what it wrote."""
        batch.over = True
        row, account, process = batch.row, batch.account, batch.process
        disturbed = deleted is None or bool(set(faulted) - UNDISTURBED)
        leaves = frozenset(deleted or ())
        if row is None or account is None or process is None:
            self.uninvoked(batch.messages)
            return
        held = 0
        for message, handle, receives in zip(
            batch.messages, batch.handles, batch.receives, strict=True
        ):
            note = message.note
            if note is None or message.id in leaves:
                continue
            ours = message.handle == handle and message.id in batch.queue.messages
            if disturbed or not ours or message.id in batch.may_come_again:
                self._excuse(message)
            elif (id(account), note.number) in batch.begun:
                note.held_from = 0.0
            elif row.held_since:
                held += 1
                self._check_hold(batch, row, process, message, receives)
        self._after_batch(batch, row, account.watch, leaves)
        if faulted:
            return
        self._check_evidence(batch, row, account)
        current = account.watch.row
        wall = EPOCH + batch.read_at + process.skew
        is_due = row.is_outage and wall >= row.canary_at and row == current
        if is_due and held and batch.claim is None:
            self._violated(f"a canary of {account.name} was due, and none was made")

    def _check_hold(
        self, batch: "Batch", row: Row, process: Process, message: Message, receives: int
    ) -> None:
        """How long a held message is invisible: a share of the outage's age, in slots, not longer
        than its own back-off, and not past its last look."""
        self.held += 1
        note = message.note
        now, first = self._seconds(), batch.read_at
        wall = EPOCH + process.skew
        age = max(0.0, wall + now - message.sent_at)
        share = hold_share(wall + now - row.held_since)
        note.share = share
        note.held_from = note.held_from or now
        if age > LAST_LOOK - 1:
            return  # it expires, and its record is checked
        visible = message.visible_at - EPOCH
        look = message.sent_at + LAST_LOOK - wall
        longest = min(now + min(share, _back_off(receives, age)) + SLOT, look) + 1.1
        clock = _back_off(receives, max(0.0, wall + first - message.sent_at))
        least = _shortest_hold(hold_share(wall + first - row.held_since), clock)
        shortest = min(first + least, look)
        if batch.claim is not None and batch.canary is None:
            shortest = 0.0  # it was not started, because the row had changed since
        if not shortest - 0.1 <= visible <= longest:
            where = f"event {note.number} for {note.account.name}"
            self._violated(
                f"{where} was held for {visible - now:.1f} s at an age of {age:.0f} s, not for "
                f"{shortest - now:.1f} to {longest - now:.1f} s"
            )

    def _after_batch(self, batch: "Batch", row: Row, watch: Watch, leaves: Collection[str]) -> None:
        """When the end of the outage has to be noticed, after a batch that has not noticed it."""
        if not row.is_outage:
            return
        canary = batch.canary
        if canary is not None and canary.acknowledged and watch.row.since != row.since:
            watch.herald = None
            return
        if batch.claim is not None:
            # A clock that is behind makes the next canary so much later.
            watch.due = max(watch.due, watch.row.canary_at - EPOCH + SKEW)
        self._move(batch.messages, watch, leaves, everyone=batch.claim is not None)

    def _move(
        self,
        messages: Sequence[Message],
        watch: Watch,
        leaves: Collection[str] = (),
        *,
        everyone: bool = False,
    ) -> None:
        """Wait for the message of the next canary, or for any message if there is none."""
        for message in messages:
            if message is watch.herald or (everyone and watch.herald is None):
                watch.due = max(watch.due, message.visible_at - EPOCH)
                if message.id in leaves:
                    self._lost_herald(watch)

    def _lost_herald(self, watch: Watch) -> None:
        """Any other message has to do. The next one comes after the longest hold at the latest."""
        watch.herald = None
        watch.due = max(watch.due, self._seconds() + LONGEST_HOLD + SLOT + ON_TIME)

    def _check_evidence(self, batch: "Batch", row: Row, account: "Account") -> None:
        """A batch without faults has written what its attempts say, unless the row has changed, or
        another canary was claimed since its own."""
        attempts = [
            attempt for (owner, _), attempt in batch.attempts.items() if owner == id(account)
        ]
        if not attempts or batch.posts[account.name] != len(attempts):
            return  # an attempt has outlasted its deadline, or an event was there twice
        failed = [attempt for attempt in attempts if not attempt.acknowledged]
        current = account.watch.row
        if len(failed) < len(attempts):
            if row.since and current.since == row.since and current.version == row.version:
                self._violated(f"{account.name} works again, and its row says that it fails")
            return
        if not batch.noted:
            is_latest = batch.claim is None or batch.claim.canary_at == current.canary_at
            if current.key == row.key and is_latest:
                self._violated(f"{len(failed)} failures of {account.name} are not in its row")
            return
        ((before, after),) = batch.noted
        if not after.since:
            self._violated(f"{account.name} fails, and its failures are forgotten")
            return
        more = after.failures - (before.failures if before.window == after.window else 0)
        if row.is_outage:
            ended = batch.canary.ended_wall if batch.canary is not None else None
            wait = 0.0 if ended is None else after.canary_at - ended
            interval = 0.0 if ended is None else canary_interval(ended - row.window)
            if not interval - 0.01 <= wait <= interval + 1:
                self._violated(
                    f"the next canary of {account.name} goes {wait:.1f} s after the last, not "
                    f"{interval:.1f} s"
                )
        elif more != len(failed):
            self._violated(f"{len(failed)} failures of {account.name} count for {more} in its row")

    def died(self, batch: "Batch") -> None:
        """Take note that a batch's process has died."""
        batch.over = batch.died = True
        if batch.row is not None and batch.account is not None and batch.claim is not None:
            watch = batch.account.watch
            watch.due = max(watch.due, watch.row.canary_at - EPOCH + SKEW)
        self.uninvoked(batch.messages)

    def uninvoked(self, messages: Sequence[Message]) -> None:
        """Take note that received messages come again when their visibility timeout is over."""
        for message in messages:
            if message.note is not None:
                self._excuse(message)

    def crowded(self, messages: Iterable[Message]) -> None:
        """Take note that no sender is free for these messages of a queue."""
        note = next((message.note for message in messages if message.note is not None), None)
        if note is not None:
            note.account.watch.crowded = self._seconds()

    def left(self, message: Message) -> None:
        """Take note that a message has left its queue, or that it was received by others."""
        if message.note is not None and message is message.note.account.watch.herald:
            self._lost_herald(message.note.account.watch)

    def _excuse(self, message: Message) -> None:
        """A fault keeps a message away until it is visible again."""
        note = message.note
        note.excused = max(note.excused, message.visible_at - EPOCH)
        self._move([message], note.account.watch)

    def record(self, batch: "Batch") -> dict[str, str] | None:
        """What a record says of an event that was held; None when its connector is in no outage.

        Nothing is certain after a fault: without the connector's secrets its events are postponed.
        """
        row, process = batch.row, batch.process
        if row is None or process is None or not row.is_outage:
            return None
        if not process.faulted <= UNDISTURBED:
            return {}
        expected = {"kind": row.kind, "message": PREFIX + row.message}
        return expected | ({"status": row.status} if row.status != "0" else {})

    def _seconds(self) -> float:
        return self._now() - EPOCH


def hold_share(age: float) -> float:
    """The longest seconds for which events are held in an outage of this age."""
    return min(max(age * HOLD_SHARE, SHORTEST_HOLD), LONGEST_HOLD)


def _back_off(receives: int, age: float) -> float:
    """The longest seconds for which an event of this age is held after so many receives."""
    return min(8 * 2.0 ** min(receives - 1, 9), age + 8, 3600.0)


def _shortest_hold(share: float, clock: float) -> float:
    """The least seconds for which an event is held. Slots that take turns may end a round before
    the longest hold, or before the event's clock."""
    turns = min(share, clock) - ROUND - 1
    shortest = min(share * LEAST_SPREAD, clock)
    return min(shortest, turns) if share >= LONGEST_HOLD - 1 and turns > ROUND - 2 else shortest


def canary_interval(age: float) -> float:
    """Seconds from a failed canary to the next in an outage of this age."""
    return min(max(age * INTERVAL_SHARE, SHORTEST_INTERVAL), LONGEST_INTERVAL)
