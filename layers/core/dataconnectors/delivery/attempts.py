"""The attempts of a batch: all at the same time, each on a connector that was read just before."""

import math
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.connector_reader import UNREADABLE, reason_of
from dataconnectors.delivery.deadlines import READ_AGAIN_SECONDS, Clocks, longest_attempt
from dataconnectors.delivery.expiring import record_of
from dataconnectors.delivery.gone import GONE
from dataconnectors.delivery.received import QueuedEvent
from dataconnectors.delivery.results import Attempted, Result, Verdict, not_started, postponed
from dataconnectors.delivery.retry import RESPONSE_FACTOR, wait_after
from dataconnectors.delivery.selection import Selected
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.exchange import Exchange
from dataconnectors.endpoints.outcomes import Delivered, Failed, FailureKind, Outcome
from dataconnectors.expiry.expired_event import attempt_fits, wait_to_save_again
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers


class Attempt(NamedTuple):
    """An outcome, and when it was there: by the monotonic clock and in epoch seconds.

    `connector` is the row that the attempt was made on, and `exchange` what was sent and came back;
    None when its thread has not returned.
    """

    outcome: Outcome
    ended: float
    ended_at: float
    connector: Connector | None = None
    exchange: Exchange | None = None


class Attempts:
    """Makes attempts with `workers`, one thread each."""

    def __init__(
        self, endpoint_client: EndpointClient, workers: Workers, log: Log, clocks: Clocks
    ) -> None:
        self._endpoint_client = endpoint_client
        self._workers = workers
        self._log = log
        self._clocks = clocks

    def make(self, selected: Sequence[Selected], last_start: float) -> list[Result]:
        """Attempt all events at the same time, and wait for all of them.

        No attempt starts after `last_start`, in seconds of the monotonic clock.
        """
        longest = longest_attempt(self._endpoint_client.timeout)
        rounds = math.ceil(len(selected) / self._workers.count)
        began = self._clocks.monotonic()
        # Nobody would wait for an attempt that starts later. Its message would be visible again,
        # and another sender might be attempting it at the same time.
        last_start = min(last_start, began + READ_AGAIN_SECONDS + (rounds - 1) * longest)
        started: set[str] = set()
        futures = self._workers.run(
            [partial(self._attempt, each, last_start, started) for each in selected],
            last_start + longest - began,
        )
        return [
            self._result(each, self._ended(each.event, future, began, started))
            for each, future in zip(selected, futures, strict=True)
        ]

    def _attempt(
        self, selected: Selected, last_start: float, started: set[str]
    ) -> Attempt | Verdict:
        """The attempt, or the verdict of a message for which none was started.

        Adds the message's id to `started` when the attempt starts.
        """
        event = selected.event
        if self._clocks.monotonic() > last_start:
            return Verdict.NOT_STARTED
        try:
            read = selected.read.get(last_start)
        except UNREADABLE as error:
            extra = _fields(event) | {"error": reason_of(error)}
            self._log.error("delivery.postponed", extra=extra)
            return Verdict.POSTPONED
        if read is None or not read.connector.sends(event.epoch):
            return Verdict.DROPPED
        if read.connector.is_paused:
            return Verdict.HELD
        # The attempt starts here. Nothing slow may stand between this line and the POST: a
        # disabling call is answered soon after the read was fresh (see `freshness`).
        started.add(event.message.message_id)
        exchange = Exchange()
        outcome = self._endpoint_client.attempt(
            read.connector.url,
            read.secrets,
            event.body,
            event.event_id,
            is_test=event.is_test,
            exchange=exchange,
        )
        ended, ended_at = self._clocks.monotonic(), self._clocks.wall()
        return Attempt(outcome, ended, ended_at, read.connector, exchange)

    def _ended(
        self,
        event: QueuedEvent,
        future: "Future[Attempt | Verdict]",
        began: float,
        started: set[str],
    ) -> Attempt | Verdict:
        """How a call of `_attempt` ended, whatever happened to its thread."""
        if future.cancelled():
            return Verdict.NOT_STARTED
        if future.done():
            try:
                return future.result()
            except Exception as error:  # noqa: BLE001  # a bug must not cost the neighbours
                self._log.error("delivery.crashed", extra=_fields(event), exc_info=error)
                return Verdict.POSTPONED
        if event.message.message_id in started:
            now = self._clocks.monotonic()
            outlasted = "the attempt outlasted its deadline"
            outcome = Failed(FailureKind.TIMEOUT, outlasted, response_time=now - began)
            return Attempt(outcome, now, self._clocks.wall())
        return Verdict.POSTPONED

    def _result(self, selected: Selected, ended: Attempt | Verdict) -> Result:
        event = selected.event
        match ended:
            case Verdict.HELD:
                # It was paused since the batch's first read. The next receive holds it.
                return not_started(event, self._clocks)
            case Verdict.POSTPONED:
                return postponed(event, self._clocks)
            case Verdict.NOT_STARTED:
                return not_started(event, self._clocks)
            case Verdict():
                return Result(event.message, ended)
        connector = ended.connector or selected.connector
        attempted = Attempted(event, connector, ended.ended_at, ended.exchange)
        match ended.outcome:
            case Failed() as failed:
                return self._failed(selected, ended, failed)._replace(attempted=attempted)
            case Delivered() as delivered:
                return Result(
                    event.message,
                    Verdict.DELIVERED,
                    connector=event.connector,
                    outcome=delivered,
                    attempted=attempted,
                )

    def _failed(self, selected: Selected, attempt: Attempt, failed: Failed) -> Result:
        """The event waits for its next attempt. If none fits within its 12 hours, it is recorded
        as expired. A test has no next attempt: it leaves, and nothing is lost with it."""
        event = selected.event
        if event.is_test:
            self._log.info("delivery.failed", extra=_fields(event) | _failure_fields(failed, 0.0))
            return Result(event.message, Verdict.TESTED, connector=event.connector, outcome=failed)
        age = event.age(attempt.ended_at)
        if selected.canary_wait is None:
            wait = wait_after(event.message.receive_count, failed.response_time, age)
        else:
            wait = max(RESPONSE_FACTOR * failed.response_time, selected.canary_wait)
        # The endpoint may ask for a longer wait, but not for one that its event does not survive.
        if failed.retry_after > wait and attempt_fits(age + failed.retry_after):
            wait = failed.retry_after
        self._log.info("delivery.failed", extra=_fields(event) | _failure_fields(failed, wait))
        if attempt_fits(age + wait):
            due, expired = attempt.ended + wait, None
        else:
            due = attempt.ended + wait_to_save_again(age)
            expired = record_of(event, failed, attempt.ended_at)
        return Result(
            event.message,
            Verdict.FAILED,
            due=due,
            expired=expired,
            connector=event.connector,
            outcome=failed,
            gone=attempt.connector if failed.status == GONE else None,
        )


def _fields(event: QueuedEvent) -> dict[str, Any]:
    return {
        "connector": event.connector,
        "eventId": event.event_id,
        "attempt": event.message.receive_count,
    }


def _failure_fields(failed: Failed, wait: float) -> dict[str, Any]:
    return {
        "kind": failed.kind.value,
        "status": failed.status,
        "error": failed.message,
        "duration_ms": round(failed.response_time * 1000),
        "next_wait": round(wait, 1),
    }
