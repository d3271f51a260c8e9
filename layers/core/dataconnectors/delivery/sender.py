"""A batch of queue messages: what is sent, what becomes of each, and when the rest comes back."""

import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any, Literal, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.settings import DEADLINE_SLACK
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets, open_secrets
from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.delivery.dead_letters import DeadLetter
from dataconnectors.delivery.expiring import expired
from dataconnectors.delivery.freshness import FreshRead
from dataconnectors.delivery.received import QueuedEvent, ReceivedMessage, oldest_age
from dataconnectors.delivery.retry import LONGEST_WAIT, wait_after
from dataconnectors.delivery.visibility import QueueVisibility, VisibilityChange, longest_wait
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.outcomes import Delivered, Failed, FailureKind, Outcome
from dataconnectors.expiry.expired_event import ExpiredEvent, fits, keep_again_in
from dataconnectors.kernel.errors import MessageError, StaleError, UnknownConnectorError, VaultError
from dataconnectors.kernel.workers import Workers

STRAY_WAIT = 3600
"""Seconds until a message that is our fault is tried again, when the queue of our faults did not
take it: it must not take room in batches meanwhile."""

FINISH_SECONDS = 2.0
"""Kept free after the last attempt, for one change of visibility."""

POSTPONE_SECONDS = 1.0
"""Of those, what is left for it by the calls that have to be made before, if any: to set messages
aside and to keep records of expired events."""

COUNT_SECONDS = 1.0
"""For counting attempts, where nothing else is to be done: it must not hold the answer up, after
which SQS forgets what was delivered."""

READ_AGAIN_SECONDS = 3.0
"""For reads of the connector when an attempt is due and what was read is not fresh any more: as
long as one try of one call takes at most (see `aws`)."""

RETURN_SECONDS = 0.5
"""Kept free at the very end: what is cut off by the function's timeout is all sent again."""


class Verdict(StrEnum):
    """What became of a message. Only the first four leave the queue."""

    DELIVERED = "delivered"
    DROPPED = "dropped"  # of a connector that is deleted, or was disabled since
    EXPIRED = "expired"  # no attempt fits any more, and a record of it is kept
    SET_ASIDE = "set_aside"  # our fault, and now in the queue of our faults
    FAILED = "failed"  # the endpoint did not acknowledge
    POSTPONED = "postponed"  # not tried: we have no configuration, or no secret to sign with
    STRAY = "stray"  # not one of our messages, or of no connector that ever was
    UNTOUCHED = "untouched"  # not tried: there was no time left


_DONE = frozenset({Verdict.DELIVERED, Verdict.DROPPED, Verdict.EXPIRED, Verdict.SET_ASIDE})


class Connectors(Protocol):
    """What `store.connectors.ConnectorStore` offers here."""

    def connector(self, name: str) -> Connector | None:
        """The connector's row as it is now, or None without any."""

    def was_removed(self, name: str) -> bool:
        """Whether the connector was removed in the last 13 hours."""


class Faults(Protocol):
    """What `faults.DeadLetterQueue` offers."""

    def put(self, strays: Sequence[DeadLetter], /) -> set[str]:
        """Put messages there; the ids of those that are there for certain."""


class Records(Protocol):
    """What `store.expired.ExpiredStore` offers here."""

    def keep(self, events: Sequence[ExpiredEvent], /) -> set[int]:
        """Keep records; the positions of those that are kept for certain."""

    def note(self, events: Sequence[ExpiredEvent], now: float, /) -> None:
        """Count them for the next announcement."""


class Tallies(Protocol):
    """What `store.tallies.AttemptCountStore` offers here."""

    def add(self, name: str, tally: AttemptCounts, now: float, /) -> None:
        """Count a connector's attempts."""


class Log(Protocol):
    """What loggers have in common."""

    def info(self, message: str, /, *, extra: Mapping[str, Any]) -> None:
        """Something expected."""

    def error(self, message: str, /, *, extra: Mapping[str, Any], exc_info: Any = None) -> None:
        """A fault of ours."""


@dataclass(frozen=True, slots=True)
class Result:
    """`due` is when the message may be received again, by the monotonic clock in seconds. With
    None it stays invisible for what is left of the queue's visibility timeout.

    Once `stray` is set aside, or the record `expired` is kept, the message leaves its queue.
    `outcome` is that of an attempt, and counts for `connector`.
    """

    record: ReceivedMessage
    verdict: Verdict
    due: float | None = None
    stray: DeadLetter | None = None
    expired: ExpiredEvent | None = None
    connector: str = ""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """An outcome, and when it was there: by the monotonic clock and by the wall's."""

    outcome: Outcome
    ended: float
    ended_at: float


_UNCONFIGURED = (VaultError, StaleError, UnknownConnectorError, ClientError, BotoCoreError)
"""Why there may be no configuration to send with, for now."""

Configuration = tuple[Connector, Secrets]
Current = FreshRead[Configuration | None]


class Sender:
    """Sends batches. One for each process: it keeps threads, and its courier connections."""

    def __init__(
        self,
        connectors: Connectors,
        vault: Vault,
        endpoint_client: EndpointClient,
        visibility: QueueVisibility,
        faults: Faults,
        records: Records,
        tallies: Tallies,
        workers: Workers,
        log: Log,
        *,
        tell_attempts: Callable[[Sequence[Outcome]], object] = lambda outcomes: None,
        tell_expired: Callable[[int], object] = lambda count: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`tell_attempts` hears of the attempts of a batch, and `tell_expired` how many of its
        events have expired, if any."""
        self._connectors = connectors
        self._vault = vault
        self._endpoint_client = endpoint_client
        self._visibility = visibility
        self._faults = faults
        self._tell_attempts = tell_attempts
        self._tell_expired = tell_expired
        self._records = records
        self._tallies = tallies
        self._workers = workers
        self._log = log
        self._clock = clock
        self._now = now

    def send(self, records: Sequence[ReceivedMessage], seconds_left: float) -> list[str]:
        """Send what is to be sent, and return the ids of the messages that stay in the queue.

        Ends within `seconds_left`, less what it takes to return. Raises nothing for what
        endpoints, messages and AWS do.
        """
        started = self._clock()
        end = started + seconds_left - RETURN_SECONDS
        last_start = end - FINISH_SECONDS - self._endpoint_client.timeout * DEADLINE_SLACK
        jobs, results = self._read(records)
        sendable, others = self._configure(jobs, last_start)
        results += others + self._deliver(sendable, last_start)
        results = self._let_go(results, end - POSTPONE_SECONDS)
        self._postpone(results, end)
        self._announce(results, end)
        outcomes = [result.outcome for result in results if result.outcome is not None]
        if outcomes:
            self._tell_attempts(outcomes)
        counts = Counter(result.verdict.value for result in results)
        self._log.info(
            "delivery.batch",
            extra={
                "connector": ", ".join(sorted({job.message.connector for job in jobs})),
                **{verdict.value: counts[verdict.value] for verdict in Verdict},
                "duration_ms": round((self._clock() - started) * 1000),
                "oldest_age": round(oldest_age(records, self._now()), 3),
            },
        )
        return [result.record.message_id for result in results if result.verdict not in _DONE]

    def _read(self, records: Sequence[ReceivedMessage]) -> tuple[list[QueuedEvent], list[Result]]:
        jobs, strays = [], []
        for record in records:
            try:
                jobs.append(QueuedEvent.of(record))
            except MessageError as error:
                strays.append(self._stray(record, str(error)))
        return jobs, strays

    def _stray(self, record: ReceivedMessage, reason: str) -> Result:
        ids = {"queue": record.queue_arn, "messageId": record.message_id}
        self._log.error("delivery.dead_letter", extra=ids | {"error": reason})
        due = self._clock() + STRAY_WAIT
        return Result(record, Verdict.STRAY, due, stray=DeadLetter(record, reason))

    def _configure(
        self, jobs: Sequence[QueuedEvent], until: float
    ) -> tuple[list[tuple[QueuedEvent, Current]], list[Result]]:
        """The jobs to be done, each with its connector, which can be asked for again.

        After `until` no attempt could begin any more.
        """
        if self._clock() > until:
            return [], [self._untouched(job) for job in jobs]
        names = list(dict.fromkeys(job.message.connector for job in jobs))
        currents: list[Current] = [
            FreshRead(partial(self._configuration, name), clock=self._clock) for name in names
        ]
        reads = self._workers.run(
            [partial(current.get, until) for current in currents], until - self._clock()
        )
        found = {
            name: (current, self._configuration_of(name, read))
            for name, current, read in zip(names, currents, reads, strict=True)
        }
        sendable, results = [], []
        for job in jobs:
            match found[job.message.connector]:
                case current, (connector, _) if connector.sends(job.message.epoch):
                    if fits(self._now() - job.record.sent_at):
                        sendable.append((job, current))
                    else:
                        results.append(self._overdue(job))
                case _, Verdict.POSTPONED:
                    results.append(self._postponed(job))
                case _, Verdict.STRAY:
                    reason = f"connector {job.message.connector!a:.200} was never there"
                    results.append(self._stray(job.record, reason))
                case _:
                    results.append(Result(job.record, Verdict.DROPPED))
        return sendable, results

    def _configuration(self, name: str) -> Configuration | None:
        connector = self._connectors.connector(name)
        if connector is None:
            # Read after the row: both change in one transaction.
            if self._connectors.was_removed(name):
                return None
            raise UnknownConnectorError(f"{name:.200} was never there")
        # One that sends nothing needs no secrets: its messages are dropped whatever KMS does.
        if not connector.is_active:
            return connector, NO_SECRETS
        return connector, open_secrets(connector, self._vault)

    def _configuration_of(
        self, name: str, read: "Future[Configuration | None]"
    ) -> Configuration | Literal[Verdict.DROPPED, Verdict.POSTPONED, Verdict.STRAY]:
        """What was read, or else what becomes of the connector's messages. Without its secret
        nothing is sent: an unsigned event is worse than a late one."""
        if not read.done() or read.cancelled():
            reason = "no answer in time"
        else:
            try:
                return read.result() or Verdict.DROPPED
            except UnknownConnectorError:
                return Verdict.STRAY
            except _UNCONFIGURED as error:
                reason = _reason(error)
        self._log.error("delivery.postponed", extra={"connector": name, "error": reason})
        return Verdict.POSTPONED

    def _postponed(self, job: QueuedEvent) -> Result:
        now = self._now()
        age = now - job.record.sent_at
        wait = wait_after(job.record.receive_count, 0, age)
        if not fits(age + wait):
            return self._overdue(job)
        return Result(job.record, Verdict.POSTPONED, self._clock() + wait)

    def _untouched(self, job: QueuedEvent) -> Result:
        """It comes back after the queue's visibility timeout; at once if that might be too late."""
        old = not fits(self._now() - job.record.sent_at + LONGEST_WAIT)
        return Result(job.record, Verdict.UNTOUCHED, self._clock() if old else None)

    def _overdue(self, job: QueuedEvent) -> Result:
        """Of a message that no attempt was made for, and none will be."""
        now = self._now()
        record = expired(job, "no attempt could be made at the last", now)
        due = self._clock() + keep_again_in(now - job.record.sent_at)
        return Result(job.record, Verdict.POSTPONED, due, expired=record)

    def _deliver(
        self, sendable: Sequence[tuple[QueuedEvent, Current]], last_start: float
    ) -> list[Result]:
        """Attempt all at the same time, and wait for all."""
        longest = self._endpoint_client.timeout * DEADLINE_SLACK
        rounds = math.ceil(len(sendable) / self._workers.count)
        began = self._clock()
        # What begins later would not be waited for: somebody else may have the message by then.
        last_start = min(last_start, began + READ_AGAIN_SECONDS + (rounds - 1) * longest)
        begun: set[str] = set()
        attempts = self._workers.run(
            [partial(self._attempt, job, current, last_start, begun) for job, current in sendable],
            last_start + longest - began,
        )
        return [
            self._result(job, attempt, began, begun)
            for (job, _), attempt in zip(sendable, attempts, strict=True)
        ]

    def _attempt(
        self, job: QueuedEvent, current: Current, last_start: float, begun: set[str]
    ) -> Attempt | Verdict:
        """What came of it, or why none was begun. `begun` takes the ids of messages."""
        if self._clock() > last_start:
            return Verdict.UNTOUCHED
        try:
            configuration = current.get(last_start)
        except _UNCONFIGURED as error:
            extra = _ids(job) | {"error": _reason(error)}
            self._log.error("delivery.postponed", extra=extra)
            return Verdict.POSTPONED
        if configuration is None or not configuration[0].sends(job.message.epoch):
            return Verdict.DROPPED
        # From here on the attempt has begun: nothing may come between that takes its time.
        begun.add(job.record.message_id)
        connector, secrets = configuration
        outcome = self._endpoint_client.attempt(connector.url, secrets, job.body)
        return Attempt(outcome, self._clock(), self._now())

    def _result(
        self, job: QueuedEvent, future: "Future[Attempt | Verdict]", began: float, begun: set[str]
    ) -> Result:
        record = job.record
        if future.cancelled():
            return self._untouched(job)
        if future.done():
            try:
                ended = future.result()
            except Exception as error:  # noqa: BLE001  # a bug must not cost the neighbours their success
                self._log.error("delivery.crashed", extra=_ids(job), exc_info=error)
                return self._postponed(job)
        elif record.message_id in begun:
            spent = self._clock() - began
            outcome = Failed(FailureKind.TIMEOUT, "the attempt outlasted its deadline", spent)
            ended = Attempt(outcome, self._clock(), self._now())
        else:
            ended = Verdict.POSTPONED
        match ended:
            case Verdict.POSTPONED:
                return self._postponed(job)
            case Verdict.UNTOUCHED:
                return self._untouched(job)
            case Verdict():
                return Result(record, ended)
        counted: dict[str, Any] = {"connector": job.message.connector, "outcome": ended.outcome}
        match ended.outcome:
            case Delivered():
                return Result(record, Verdict.DELIVERED, **counted)
            case Failed() as failed:
                age = ended.ended_at - record.sent_at
                wait = wait_after(record.receive_count, failed.response_time, age)
                self._log.info("delivery.failed", extra=_ids(job) | _failure(failed, wait))
                if fits(age + wait):
                    return Result(record, Verdict.FAILED, ended.ended + wait, **counted)
                due = ended.ended + keep_again_in(age)
                last = expired(job, failed, ended.ended_at)
                return Result(record, Verdict.FAILED, due, expired=last, **counted)

    def _let_go(self, results: list[Result], until: float) -> list[Result]:
        """Set strays aside and keep records of expired events; the results, as they are then.

        What was not confirmed stays in its queue: nothing vanishes unseen.
        """
        strays = [result.stray for result in results if result.stray is not None]
        events = [result.expired for result in results if result.expired is not None]
        calls: list[Callable[[], set[str]]] = []
        if strays:
            calls.append(partial(self._faults.put, strays))
        if events:
            calls.append(partial(self._keep, results))
        done: set[str] = set()
        for call in self._workers.run(calls, until - self._clock()) if calls else ():
            if not call.done() or call.cancelled():
                error = "no answer in time"
            else:
                try:
                    done |= call.result()
                    continue
                except Exception as failure:  # noqa: BLE001  # as in `_result`
                    error = f"{type(failure).__name__}: {failure}"
            self._log.error("delivery.not_recorded", extra={"error": error})
        return [_gone(result) if result.record.message_id in done else result for result in results]

    def _keep(self, results: Sequence[Result]) -> set[str]:
        """Keep records of expired events; the ids of the messages that may leave then."""
        ids = [result.record.message_id for result in results if result.expired is not None]
        events = [result.expired for result in results if result.expired is not None]
        return {ids[position] for position in self._records.keep(events)}

    def _announce(self, results: Sequence[Result], end: float) -> None:
        """Tell of what has expired. When nobody hears it, the records are kept all the same."""
        events = [
            result.expired
            for result in results
            if result.verdict is Verdict.EXPIRED and result.expired is not None
        ]
        if not events:
            return
        for event in events:
            self._log.info(
                "delivery.expired",
                extra={
                    "connector": event.connector,
                    "eventId": event.event_id,
                    "attempt": event.attempts,
                    "kind": event.kind,
                    "status": event.status,
                    "error": event.message,
                },
            )
        self._tell_expired(len(events))
        note = partial(self._records.note, events, self._now())
        (call,) = self._workers.run([note], end - self._clock())
        if not call.done() or call.cancelled() or call.exception() is not None:
            self._log.error("delivery.not_announced", extra={"events": len(events)})

    def _postpone(self, results: Sequence[Result], end: float) -> None:
        """Tell SQS when the messages are due, and count the attempts meanwhile.

        Where the first fails they come back after the queue's visibility timeout: late, not lost.
        Where the second fails the connector's metrics lack them: nothing else depends on it.
        """
        clock, now = self._clock(), self._now()
        postponements = [
            VisibilityChange(
                result.record.message_id,
                result.record.receipt_handle,
                # Rounded up, and counted by SQS from when it gets the call: never early.
                min(
                    max(0, math.ceil(result.due - clock)),
                    longest_wait(now - result.record.first_received_at),
                ),
            )
            for result in results
            if result.due is not None
        ]
        tallies = _tallies(results)
        calls: list[Callable[[], Any]] = [
            partial(self._tallies.add, connector, tally, now) for connector, tally in tallies
        ]
        seconds = COUNT_SECONDS
        if postponements:
            queue_arn = results[0].record.queue_arn
            calls.append(partial(self._visibility.postpone, queue_arn, postponements))
            seconds = end - clock
        if not calls:
            return
        made = self._workers.run(calls, min(seconds, end - clock))
        for (connector, _), call in zip(tallies, made, strict=False):
            error = _failure_of(call)
            if error:
                extra = {"connector": connector, "error": error}
                self._log.error("delivery.not_counted", extra=extra)
        if postponements:
            error = _failure_of(made[-1])
            if not error:
                refused = made[-1].result()
                error = ", ".join(f"{message}: {code}" for message, code in refused.items())
            if error:
                self._log.error(
                    "visibility.not_changed", extra={"queue": queue_arn, "error": error}
                )


def _tallies(results: Sequence[Result]) -> list[tuple[str, AttemptCounts]]:
    """Of each connector that anything was attempted for."""
    outcomes: dict[str, list[Outcome]] = {}
    for result in results:
        if result.outcome is not None:
            outcomes.setdefault(result.connector, []).append(result.outcome)
    return [(connector, AttemptCounts.of(found)) for connector, found in outcomes.items()]


def _failure_of(call: "Future[Any]") -> str:
    """Why a call has no result, "" when it has one."""
    if not call.done() or call.cancelled():
        return "no answer in time"
    failure = call.exception()
    return "" if failure is None else f"{type(failure).__name__}: {failure}"


def _gone(result: Result) -> Result:
    verdict = Verdict.EXPIRED if result.stray is None else Verdict.SET_ASIDE
    return replace(result, verdict=verdict, due=None)


def _ids(job: QueuedEvent) -> dict[str, Any]:
    return {
        "connector": job.message.connector,
        "eventId": job.message.event_id,
        "attempt": job.record.receive_count,
    }


def _failure(failed: Failed, wait: float) -> dict[str, Any]:
    return {
        "kind": failed.kind.value,
        "status": failed.status,
        "error": failed.message,
        "duration_ms": round(failed.response_time * 1000),
        "next_wait": round(wait, 1),
    }


def _reason(error: Exception) -> str:
    """Errors of ours say what happened; AWS's do with their class."""
    if isinstance(error, VaultError | StaleError):
        return str(error)
    return f"{type(error).__name__}: {error}"
