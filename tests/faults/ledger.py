"""Compares the answers that publishers got with what endpoints received, for each event.

The ledger observes the models from outside: rows when they are committed, messages when they arrive
in queues, and POSTs. It never relies on what our code reports. `violations` are broken promises. A
run without violations has `lost: 0`.
"""

import base64
import hashlib
import hmac
import json
import re
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.outcomes import Answer, NoAnswer
from dataconnectors.kernel import times
from tests.faults.accounts import (
    NEVER,
    Account,
    Attempted,
    Batch,
    Call,
    Change,
    Note,
    Setting,
    State,
)
from tests.faults.models.dynamodb import Item
from tests.faults.models.kms import plaintext_of
from tests.faults.models.sqs import Message, Queue
from tests.faults.outages import SLOT, Outages, Row, canary_interval
from tests.faults.process import EPOCH, Process
from tests.faults.replays import ReplayRun, Replays

MAXIMUM_VIOLATIONS = 20
"""Only the first violations are kept, because they show the cause."""

FRESH_SECONDS = 20.0
"""From the read of a connector's row to the last attempt that may use it. One call to KMS may take
that long."""

GONE = 410
GONE_SETTLES = 0.6
"""The status of an endpoint that is gone, and the seconds after which no attempt begins any more
for the connector that it has disabled."""

LAST_ATTEMPT = 43_000
"""Seconds of an event's age. An event whose next attempt would come later may expire instead."""

LATEST_ATTEMPT = LAST_ATTEMPT + 100
"""Seconds of an event's age. No attempt comes later."""

FIRST_EXPIRY = 43_200 - 3_600 - 240
"""Seconds of an event's age. A younger event has time for another attempt, even after the longest
wait, so it must not expire."""

CLOCKS_DIFFER = 70.0
"""Seconds between the run's clock and that of a process: its skew and the rest of its
invocation."""

RECORDS_KEPT = 31 * 24 * 3600
"""Seconds for which a record of an expired event can be read."""

SAME_CALL_SECONDS = 30.0
"""Seconds after a connector was created in which an equal create call must not create a second one.
The idempotency record lasts a minute, but a call may need the rest of it to read it and to write
its row."""

RESENT = 5000
"""How many of a project's latest events a publisher may still publish again."""

_VALUE = re.compile(r'\\?"(?:value|ppm|pascal|total)\\?":\s*(\d+)')
"""The field of an event that has its number. In a queue message its quotes are escaped."""


class Ledger:
    """The accounts of all connectors.

    `tick` counts the commits of rows, and orders reads. `process` is the process that acts at the
    moment.
    """

    def __init__(self, now: Callable[[], float], *, gone_disables: bool = False) -> None:
        self.now = now
        self.tick = 0
        self.accounts: dict[str, Account] = {}
        self.by_url: dict[str, Account] = {}
        self.by_project: dict[str, list[Account]] = {}
        self.next_number: dict[str, int] = {}
        self.attempts = 0
        self.duplicates = 0
        self.expired = 0
        self.unrecorded = 0
        self.late = 0
        self.disabled = 0
        self.deleted = 0
        self.uncounted = 0
        self.removed: dict[str, list[float]] = {}
        self._recorded_kinds: dict[tuple[str, str], str] = {}
        self.acknowledged = 0
        self.violations: list[str] = []
        self.outages = Outages(self.violated, now)
        self.replays = Replays(self.violated, self._has_stopped, self._has_wanted)
        self.lost = 0
        self._gone_disables = gone_disables
        self.process: Process | None = None

    def violated(self, text: str) -> None:
        if len(self.violations) < MAXIMUM_VIOLATIONS:
            self.violations.append(text)

    def has_violated(self, pattern: str) -> bool:
        """Whether a promise was broken in a way that fits a pattern."""
        return any(re.search(pattern, text) for text in self.violations)

    # --- connectors ----------------------------------------------------------------------------

    def written(self, key: tuple[str, str], item: Item | None) -> None:
        """Take note that an item of the table was written."""
        if key[1].startswith("CONNECTOR#"):
            self._commit(key, item)
        elif key[0].startswith("HISTORY#"):
            self._keep(key, item)
        elif key[0].startswith("REPLAYS#") and item is not None:
            began = getattr(self.process and self.process.invocation, "began", self.tick)
            self.replays.written(key, item, began)
        elif key[0].startswith("METRICS#") and item is not None:
            self._count(key[0].split("#")[1], item)
        elif key[0].startswith("EXPIRED#") and item is not None:
            self._record(key, item)

    def _keep(self, key: tuple[str, str], item: Item | None) -> None:
        """Take note of an event in history; without an item, it has expired there."""
        if item is None:
            self.replays.expired(key)
            return
        call = self.process.invocation if self.process is not None else None
        found = _VALUE.search(item["event"]["S"])
        if isinstance(call, Call) and found is not None:
            call.kept.add(int(found[1]))
            self.replays.kept(key, item, int(found[1]))

    def _has_stopped(self, name: str, tick: int) -> bool:
        """Whether a connector was disabled or deleted after a tick."""
        return self.accounts[name].stopped_since(tick)

    def _has_wanted(self, name: str, event_type: str, tick: int) -> bool:
        """Whether a connector has wanted events of a type all the time since a tick."""
        settings = self.accounts[name].during(tick, self.tick)
        return all(_wants(setting, event_type) for setting in settings)

    def _count(self, name: str, item: Item) -> None:
        """Check the counts that were added to a connector's metrics.

        The model keeps no metrics, so the item has just the counts of this write.
        """
        batch = self.process.invocation if self.process is not None else None
        if not isinstance(batch, Batch):
            return
        if name in batch.counted:
            self.violated(f"attempts of {name} were counted twice")
        counts = {key: int(value["N"]) for key, value in item.items() if "N" in value}
        batch.counted[name] = counts["successes"], counts["errors"]
        latencies = sum(count for key, count in counts.items() if key.startswith("b"))
        if latencies != counts["successes"] + counts["errors"]:
            self.violated(f"{name} has other latencies than attempts in its metrics: {counts}")

    def _record(self, key: tuple[str, str], item: Item) -> None:
        """Check a record of an expired event. Its message may be deleted from now on."""
        batch = self.process.invocation if self.process is not None else None
        if not isinstance(batch, Batch):
            self._unaccounted(key, item)
            return
        for message, receives in zip(batch.messages, batch.receives, strict=True):
            note = message.note
            if note is None or note.record != key:
                continue
            if not note.is_replayed:
                note.account.mark(note.number, State.RECORDED)
            where = f"event {note.number} for {note.account.name}"
            kind = item["kind"]["S"]
            if kind == "untried" and self._recorded_kinds.get(key, kind) != kind:
                self.violated(f"{where} was attempted, and its record now says untried")
            self._recorded_kinds[key] = kind
            age = self.now() - message.sent_at
            if age < FIRST_EXPIRY:
                self.violated(f"{where} was given up at an age of {age:.0f} s")
            event = json.loads(json.loads(message.body)["body"])["event"]
            expected = {
                "attempts": str(receives),
                "eventType": event["eventType"],
                "target": event["targetName"],
                "eventTime": str(round(times.from_text(event["timestamp"]) * 1_000_000)),
            } | self._last_error(batch, note)
            written = {name: next(iter(value.values())) for name, value in item.items()}
            if any(written.get(name) != value for name, value in expected.items()):
                self.violated(f"{where} is recorded as {written}, expected {expected}")
            expired_at = int(written["expiredAt"]) / 1_000_000
            if abs(expired_at - self.now()) > CLOCKS_DIFFER:
                self.violated(f"{where} is recorded as expired at {expired_at:.0f}")
            if int(written["expiresAt"]) - expired_at < RECORDS_KEPT - 1:
                self.violated(f"{where} is recorded until {written['expiresAt']}")
            return
        self.violated(f"{key} is a record of an event that its batch does not hold")

    def _last_error(self, batch: Batch, note: Note) -> dict[str, str]:
        """The fields about the last attempt that a record must have, as far as they are certain."""
        copies = sum(_is_of(message, note.account, note.number) for message in batch.messages)
        if copies > 1:
            return {}
        if (id(note.account), note.number) not in batch.begun:
            held = self.outages.record(batch)
            return {"kind": "untried"} if held is None else held
        attempt = batch.attempts.get((id(note.account), note.number))
        match attempt.answer if attempt is not None else None:
            case None:
                return {"kind": "timeout"}
            case NoAnswer(kind):
                return {"kind": kind.value}
            case Answer(200):
                return {"kind": "no record: the event was acknowledged"}
            case Answer(status):
                return {"kind": "status", "status": str(status)}

    def _unaccounted(self, key: tuple[str, str], item: Item) -> None:
        """Check a record of unaccounted events, which SQS deleted before the sender received
        them."""
        queue_id = self.accounts[key[0].removeprefix("EXPIRED#")].queue_id
        hour = int(key[1].partition("#")[0]) // 1_000_000
        found = re.search("about ([0-9]+) events", item["message"]["S"])
        removed = self.removed.get(queue_id, [])
        deleted = sum(hour - 300 <= moment < hour + 3660 for moment in removed)
        if found is None or int(found[1]) > deleted:
            self.violated(f"unaccounted, of {deleted} that SQS removed: {item['message']['S']}")

    def changed(self, change: Change, name: str, *, stopped: bool) -> None:
        """Take note that a call that changed a connector has returned.

        `stopped` says that its answer shows the connector as disabled or deleted. No attempt may
        begin from then on, also if another call did that before this one began.
        """
        account = self.accounts[name]
        ticks = [tick for changed, tick in change.stopped if changed is account]
        if stopped:
            ticks += account.inactive[: bisect_right(account.inactive, change.began)][-1:]
        account.settled = max([account.settled, *ticks])

    def paused(self, change: Change, name: str) -> None:
        """Take note that a call that paused a connector has returned.

        No attempt may begin from then on, also if another call did that before this one began.
        """
        account = self.accounts[name]
        ticks = [tick for changed, tick in change.paused if changed is account]
        ticks += account.pauses[: bisect_right(account.pauses, change.began)][-1:]
        account.held = max([account.held, *ticks])

    def _commit(self, key: tuple[str, str], item: Item | None) -> None:
        self.tick += 1
        project = key[0].removeprefix("PROJECT#")
        name = f"projects/{project}/dataconnectors/{key[1].removeprefix('CONNECTOR#')}"
        account = self.accounts.get(name)
        if account is None:
            first = max(0, self.next_number.get(project, 0) - RESENT)
            account = Account(name, project, first, self._clock_of_process())
            self.accounts[name] = account
            self.by_project.setdefault(project, []).append(account)
        account.lifecycle = "" if item is None else item["lifecycle"]["S"]
        if item is None:
            setting = Setting(self.tick, False, False, False, frozenset(), frozenset(), "", "")
        else:
            account.queue_id = item["queueId"]["S"]
            exists = account.lifecycle != "DELETING"
            active = exists and item["status"]["S"] == "ACTIVE"
            sealed = plaintext_of(item["sealed"]["B"]) if "sealed" in item else b"{}"
            setting = Setting(
                tick=self.tick,
                exists=exists,
                wants=active and item["lifecycle"]["S"] == "READY",
                active=active,
                types=frozenset(entry["S"] for entry in item["eventTypes"]["L"]),
                labels=frozenset(entry["S"] for entry in item["labels"]["L"]),
                url=item["url"]["S"],
                secret=json.loads(sealed).get("signatureSecret", ""),
                paused="pausedAt" in item,
            )
        change = self.process.invocation if self.process is not None else None
        batch = change if isinstance(change, Batch) else None
        # The sender may disable a connector whose endpoint has answered it 410.
        is_gone = batch is not None and self._gone_disables and batch.gone is account
        is_stopped = is_gone and account.settings[-1].active and not setting.active
        if is_stopped:  # its failures stay in the row until its owner enables it
            account.watch.row = Row.of(item)
        else:
            self.outages.written(account, item, batch, self.process)
        if setting.exists and account.settings:
            meant = change.fields if isinstance(change, Change) else ("active",) * is_stopped
            for name in setting.differences(account.settings[-1]).difference(meant):
                self.violated(f"{account.name}: {name} was changed by a call that leaves it out")
            if not account.settings[-1].exists:
                self.violated(f"{account.name} was deleted and is there again")
        if is_stopped:
            account.gone_at, account.gone = self.now(), self.tick
        elif batch is not None:
            return  # the sender writes what it knows of failures, and no setting
        if setting.paused and not (account.settings and account.settings[-1].paused):
            account.pauses.append(self.tick)
            if isinstance(change, Change):
                change.paused.append((account, self.tick))
        account.settings.append(setting)
        account.ticks.append(self.tick)
        twin = self.by_url.get(setting.url) if len(account.settings) == 1 else None
        # After a change of the first connector an equal call means another one (decision 10).
        unchanged = twin and not twin.settings[0].differences(twin.settings[-1])
        if twin and unchanged and account.made_at < twin.made_at + SAME_CALL_SECONDS:
            self.violated(f"{account.name} was made by a call that has made {twin.name} already")
        self.by_url[setting.url] = account
        if not setting.active:
            account.inactive.append(self.tick)
            if isinstance(change, Change):
                change.stopped.append((account, self.tick))

    def _clock_of_process(self) -> float:
        return 0.0 if self.process is None else self.process.now()

    # --- ingest --------------------------------------------------------------------------------

    def sent(self, queue: Queue, message: Message) -> None:
        """Take note that a message has arrived in a queue."""
        call = self.process.invocation if self.process is not None else None
        found = _VALUE.search(message.body)
        if not isinstance(call, (Call, ReplayRun)) or found is None:
            return
        number = int(found[1])
        fields = json.loads(message.body)
        account = self.accounts[fields["connector"]]
        event_type = json.loads(fields["body"])["event"]["eventType"]
        if not any(
            _wants(setting, event_type) for setting in account.during(call.began, self.tick)
        ):
            self.violated(f"{account.name} was queued event {number} that it does not want")
        account.mark(number, State.SENT)
        _remember_body(account, number, fields["body"].encode())
        # A message that was sent twice, but not in one millisecond, has two records.
        accepted = int(message.sent_at * 1000) * 1000
        record = (f"EXPIRED#{account.name}", f"{accepted}#{fields['eventId']}")
        message.note = Note(account, number, call.began, self.tick, record)
        if isinstance(call, Call):
            call.sent.add((id(account), number))
        else:
            message.note.is_replayed = True
            self.replays.queued(call, number)

    def confirmed(self, call: Call, numbers: Iterable[int]) -> None:
        """Take note that the answer to a publisher says that these events are accepted."""
        types = dict(zip(call.numbers, call.types, strict=True))
        candidates = [
            (account, settings)
            for account in self.by_project[call.project]
            if (settings := account.during(call.began, self.tick))
            and settings[0].tick <= call.began
            and all(setting.wants for setting in settings)
        ]
        for number in numbers:
            self.acknowledged += 1
            if number not in call.kept:
                self.violated(f"event {number} was accepted and is not in history")
            for account, settings in candidates:
                if not all(_wants(setting, types[number]) for setting in settings):
                    continue
                if (id(account), number) not in call.sent:
                    self.lost += 1
                    self.violated(f"event {number} was accepted and not queued for {account.name}")
                account.mark(number, State.OWED)

    # --- sender --------------------------------------------------------------------------------

    def read(self, process: Process, key: Item) -> None:
        """Take note that a process reads an item, strongly consistent or not."""
        batch = process.invocation
        if isinstance(batch, Batch) and key["sk"]["S"].startswith("CONNECTOR#"):
            project = key["pk"]["S"].removeprefix("PROJECT#")
            name = f"projects/{project}/dataconnectors/{key['sk']['S'].removeprefix('CONNECTOR#')}"
            batch.reads[name] = (self.tick, process.clock())
            if name in self.accounts:
                self.outages.read(batch, self.accounts[name], process)

    def posted(
        self,
        process: Process,
        destination: Destination,
        headers: Any,
        body: bytes,
        *,
        healthy_since: float,
    ) -> tuple[Account, int] | None:
        """Check an attempt at its begin. The endpoint works since `healthy_since`, in seconds of
        the run, or it does not work at an infinite time."""
        self.attempts += 1
        batch: Batch = process.invocation
        url = f"https://{destination.host}{destination.target}"
        account = self.by_url[url]
        found = _VALUE.search(body.decode())
        if found is None:
            self.violated(f"{account.name} was sent a body without an event")
            return None
        number = int(found[1])
        batch.posts[account.name] += 1
        batch.begun.add((id(account), number))
        batch.is_decided = True
        where = f"event {number} for {account.name}"
        if not account.state(number) & State.SENT:
            self.violated(f"{where} was sent and never queued")
        elif zlib.crc32(body) not in _bodies(account, number):
            self.violated(f"{where} was sent with another body than it was accepted with")
        tick, read_at = batch.reads.get(account.name, (-1, 0.0))
        if tick < 0 or process.clock() - read_at > FRESH_SECONDS:
            self.violated(f"{where} was sent without a fresh read of its connector")
            tick = self.tick
        setting = account.at(tick)
        messages = [message for message in batch.messages if _is_of(message, account, number)]
        copies = [message.note for message in messages]
        self.outages.posted(process, batch, messages, where, healthy_since)
        if not copies:
            self.violated(f"{where} was sent by a batch that does not hold it")
        elif not setting.active or all(
            account.stopped_since(note.sent, until=tick) for note in copies
        ):
            self.violated(f"{where} was sent after the connector was disabled or deleted")
        elif len(batch.reads) == 1 and all(note.sent < account.settled for note in copies):
            self.violated(f"{where} was sent after the call that disabled its connector returned")
        elif (
            len(batch.reads) == 1
            and self.now() > account.gone_at + GONE_SETTLES
            and all(note.sent < account.gone for note in copies)
        ):
            self.violated(f"{where} was sent after its endpoint's 410 has disabled its connector")
        elif setting.paused:
            self.violated(f"{where} was sent although its connector is paused")
        elif len(batch.reads) == 1 and account.is_held():
            self.violated(f"{where} was sent after the call that paused its connector returned")
        if url != setting.url:
            self.violated(f"{where} was sent to {url}, not to {setting.url}")
        token = headers.get("X-Dt-Signature", "")
        if not _is_signed(token, setting.secret, body):
            self.violated(f"{where} was sent with a signature {token!r:.60} that does not fit")
        return account, number

    def saved(self, process: Process, where: tuple[Account, int]) -> None:
        """Take note that an endpoint has saved an event. One attempt may make it save it twice."""
        account, number = where
        messages = process.invocation.messages
        copies = [message.note for message in messages if _is_of(message, account, number)]
        for note in copies:
            note.delivered = True
        if copies and all(note.is_replayed for note in copies):
            return
        if account.state(number) & State.DELIVERED:
            self.duplicates += 1
        self._is_delivered_after_all(account, number)
        account.mark(number, State.DELIVERED)

    def answered(
        self,
        process: Process,
        where: tuple[Account, int],
        seconds: float,
        answer: Answer | NoAnswer | None,
    ) -> None:
        """Take note of an attempt's end: an answer, the reason for none, or None after the
        deadline."""
        account, number = where
        batch: Batch = process.invocation
        if answer is None:
            batch.overdue[account.name] += 1
            return
        note = next(message for message in batch.messages if _is_of(message, account, number))
        age = max(0.0, process.now() - note.sent_at)
        attempt = Attempted(answer, seconds, process.clock(), age)
        batch.attempts[id(account), number] = attempt
        batch.acknowledged[account.name] += attempt.acknowledged
        if isinstance(answer, Answer) and answer.status == GONE:
            batch.gone = account
        self.outages.answered(batch, process, acknowledged=attempt.acknowledged)

    def finished(
        self,
        batch: Batch,
        deleted: Sequence[str] | None,
        now: float,
        faulted: Collection[str],
    ) -> None:
        """Check a batch whose invocation has ended without being killed.

        `deleted` are the messages that the poller deletes after its answer, and `faulted` the
        clients' methods in which a fault was injected.
        """
        postponed = "change_message_visibility_batch" not in faulted
        self._check_metrics(batch, faulted)
        self.outages.finished(batch, deleted, faulted)
        self._check_gone(batch, faulted)
        by_event: dict[tuple[int, int], int] = {}
        for message in batch.messages:
            if message.note is not None:
                key = (id(message.note.account), message.note.number)
                by_event[key] = by_event.get(key, 0) + 1
        for message, handle, receives in zip(
            batch.messages, batch.handles, batch.receives, strict=True
        ):
            if message.note is None:
                continue
            key = (id(message.note.account), message.note.number)
            attempt = batch.attempts.get(key)
            if attempt is None or by_event[key] > 1:
                continue
            where = f"event {message.note.number} for {message.note.account.name}"
            leaves = deleted is not None and message.id in deleted
            if attempt.acknowledged and not leaves:
                self.violated(f"{where} was acknowledged and is sent again")
            if leaves or not postponed or message.id in batch.may_come_again:
                continue
            wait, rise = _wait(batch, attempt, receives)
            asked = attempt.retry_after
            if attempt.age + asked < LAST_ATTEMPT:
                wait = max(wait, asked)
            elif attempt.age + asked < LATEST_ATTEMPT:
                continue  # it may wait so long, or not
            due = attempt.ended + wait
            if attempt.age + wait > LAST_ATTEMPT:
                continue
            late = message.visible_at - EPOCH - due
            ours = message.handle == handle and message.id in batch.queue.messages
            if ours and not -0.01 <= late <= now - attempt.ended + 2 + rise:
                self.violated(
                    f"{where}: attempt {receives} of {attempt.seconds:.1f} s at an age of "
                    f"{attempt.age:.0f} s is due after {wait:.1f} s and comes {late:.1f} s late"
                )

    def _check_gone(self, batch: Batch, faulted: Collection[str]) -> None:
        """Check that a connector is disabled after a 410, unless its row has changed meanwhile."""
        account = batch.gone
        if account is None or not self._gone_disables or faulted:
            return
        tick, _ = batch.reads.get(account.name, (-1, 0.0))
        if account.settings[-1].active and account.ticks[-1] <= tick:
            self.violated(f"{account.name} is gone, and is not disabled")

    def _check_metrics(self, batch: Batch, faulted: Collection[str]) -> None:
        """Check that each attempt is in its connector's metrics, unless that write has failed."""
        for name, posts in batch.posts.items():
            if name not in batch.counted:
                self.uncounted += 1
                if not faulted:
                    self.violated(f"{posts} attempts of {name} are not in its metrics")
                continue
            successes, errors = batch.counted[name]
            # The sender may or may not have waited for answers that came after the deadline.
            late = successes - batch.acknowledged[name]
            if not 0 <= late <= batch.overdue[name] or successes + errors != posts:
                self.violated(
                    f"{name} has {successes} successes and {errors} errors in its metrics, of "
                    f"{posts} attempts {batch.acknowledged[name]} were acknowledged"
                )

    # --- how messages end ----------------------------------------------------------------------

    def acknowledged_to_sqs(self, message: Message, batch: Batch) -> None:
        """Check a message that was deleted after an answer of the sender."""
        self.outages.left(message)
        note = message.note
        if note is None:
            return
        # The sender may drop a message only if its read showed the connector disabled or deleted.
        tick, _ = batch.reads.get(note.account.name, (-1, 0.0))
        self._gone(note, until=tick)

    def _gone(self, note: Note, until: int | None = None) -> None:
        """Check why one copy of an event is gone, if the event was not delivered before."""
        account, number = note.account, note.number
        state = account.state(number)
        if note.is_replayed:
            is_over = note.delivered or note.record in self._recorded_kinds
            if not is_over and not account.stopped_since(note.called, until):
                self.lost += 1
                self.violated(f"replayed event {number} for {account.name} was deleted undelivered")
            return
        if state & State.DELIVERED:
            return
        if account.stopped_since(note.called, until):
            exists = account.settings[-1].exists
            end = State.DISABLED if exists else State.DELETED
            if not state & NEVER:
                self.disabled += exists
                self.deleted += not exists
        elif state & State.RECORDED:
            end = State.EXPIRED
            self.expired += not state & NEVER
        else:
            self.lost += 1
            self.violated(f"event {number} for {account.name} was deleted undelivered")
            return
        if not state & NEVER:
            account.mark(number, end)

    def _is_delivered_after_all(self, account: Account, number: int) -> None:
        """Correct the state of an event that is delivered after another end.

        Another copy of it was delivered, or the same message once more after a process died.
        """
        state = account.state(number)
        if state & State.RECORDED and not state & State.DELIVERED:
            self.late += 1
        self.expired -= bool(state & State.EXPIRED)
        self.disabled -= bool(state & State.DISABLED)
        self.deleted -= bool(state & State.DELETED)
        account.unmark(number, NEVER)

    def expired_in(self, queue: Queue, message: Message) -> None:
        """Take note that SQS has deleted a message because of its age."""
        self.removed.setdefault(queue.name.rpartition("-")[2], []).append(self.now())
        self.outages.left(message)
        note = message.note
        if note is None or note.is_replayed:
            return
        if note.account.state(note.number) & (State.DELIVERED | NEVER):
            return
        self.expired += 1
        self.unrecorded += not note.account.state(note.number) & State.RECORDED
        note.account.mark(note.number, State.EXPIRED)

    def queue_deleted(self, queue: Queue) -> None:
        """Check the messages of a queue that was deleted."""
        for message in list(queue.messages.values()):
            if message.note is not None:
                self._gone(message.note)

    def close(self, queues: Iterable[Queue]) -> None:
        """Count events that are neither delivered, dropped, expired nor still in a queue as
        lost."""
        waiting = {
            (id(message.note.account), message.note.number)
            for queue in queues
            for message in queue.messages.values()
            if message.note is not None and not message.note.is_replayed
        }
        self.replays.close()
        settled = State.DELIVERED | NEVER
        for account in self.accounts.values():
            for position, state in enumerate(account.states):
                if state & State.OWED and not state & settled:
                    number = account.first + position
                    if (id(account), number) not in waiting:
                        self.lost += 1
                        self.violated(f"event {number} for {account.name} is lost")

    def check_order(self, queues: Collection[str], mapped: Sequence[str]) -> None:
        """Check that each connector has one queue and one mapping after the reconciler has run.

        `queues` are the ids of all queues, and `mapped` those of the queues of all mappings.
        """
        owners = {account.queue_id: account.name for account in self.accounts.values()}
        for account in self.accounts.values():
            if account.lifecycle not in ("READY", ""):
                self.violated(f"{account.name} is still {account.lifecycle}")
        ready = {entry.queue_id for entry in self.accounts.values() if entry.lifecycle == "READY"}
        for queue_id in ready ^ set(queues):
            what = "no queue" if queue_id in ready else "a queue, and is gone"
            self.violated(f"{owners.get(queue_id, 'nobody')} has {what}: {queue_id}")
        for queue_id, count in Counter([*ready, *mapped]).items():
            if count != 2 or queue_id not in ready:
                self.violated(f"{owners.get(queue_id, 'nobody')} has {count - 1} mappings")


def _wait(batch: Batch, attempt: Attempted, receives: int) -> tuple[float, float]:
    """The seconds after a failed attempt, and how much longer they may be.

    The event of a canary comes back when the next one is due. The sender goes by the outage's age
    at some moment before the attempt.
    """
    if batch.canary is None or batch.row is None:
        return max(4 * attempt.seconds, min(8 * 2.0 ** (receives - 1), attempt.age + 8, 3600)), 0.0
    first = EPOCH + batch.read_at + batch.canary.skew - batch.row.window
    shortest, longest = (
        max(4 * attempt.seconds, canary_interval(age) + SLOT)
        for age in (first, first + attempt.ended - attempt.seconds - batch.read_at)
    )
    return shortest, longest - shortest


def _wants(setting: Setting, event_type: str) -> bool:
    return setting.wants and (not setting.types or event_type in setting.types)


def _is_of(message: Message, account: Account, number: int) -> bool:
    note = message.note
    return note is not None and note.account is account and note.number == number


def _remember_body(account: Account, number: int, body: bytes) -> None:
    checksum = zlib.crc32(body)
    position = number - account.first
    if account.bodies[position] in (0, checksum):
        account.bodies[position] = checksum
    else:  # its publisher has sent it again, and the labels have changed since
        account.other_bodies.setdefault(number, set()).add(checksum)


def _bodies(account: Account, number: int) -> set[int]:
    return {account.bodies[number - account.first]} | account.other_bodies.get(number, set())


def _is_signed(token: str, secret: str, body: bytes) -> bool:
    """Whether a receiver accepts the signature. Without a secret there must be no token."""
    if not token or not secret:
        return bool(token) == bool(secret)
    text, _, signature = token.rpartition(".")
    expected = hmac.digest(secret.encode(), text.encode(), "sha256")
    if base64.urlsafe_b64encode(expected).rstrip(b"=") != signature.encode():
        return False
    claims = json.loads(base64.urlsafe_b64decode(text.partition(".")[2] + "=="))
    return bool(claims["checksum_sha256"] == hashlib.sha256(body).hexdigest())
