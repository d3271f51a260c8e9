"""Before a message leaves its queue undelivered: its dead letter or its record has to be confirmed.

A message that leaves unconfirmed would be lost without a trace. So one whose confirmation fails
stays in its queue, and this is tried again at its next receive.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from dataconnectors.delivery.dead_letters import DeadLetter
from dataconnectors.delivery.deadlines import Clocks
from dataconnectors.delivery.results import Result, Verdict
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers, failure_of


class DeadLetters(Protocol):
    """What delivery needs of `dead_letters.DeadLetterQueue`."""

    def put(self, dead_letters: Sequence[DeadLetter], /) -> set[str]:
        """Put messages there; the ids of those that SQS has confirmed."""


class ExpiredEvents(Protocol):
    """What delivery needs of `store.expired_events.ExpiredEventStore`."""

    def save(self, events: Sequence[ExpiredEvent], /) -> set[int]:
        """Save records; the positions of those that DynamoDB has confirmed."""

    def count_for_announcement(self, events: Sequence[ExpiredEvent], now: float, /) -> None:
        """Count them for the next announcement. `now` is in epoch seconds."""


class Departures:
    """Confirms what has to be kept of messages that are about to leave, and announces the rest.

    `report_expired` is called with the number of events that have expired, when there are any.
    """

    def __init__(
        self,
        dead_letters: DeadLetters,
        expired_events: ExpiredEvents,
        workers: Workers,
        log: Log,
        clocks: Clocks,
        report_expired: Callable[[int], object],
    ) -> None:
        self._dead_letters = dead_letters
        self._expired_events = expired_events
        self._workers = workers
        self._log = log
        self._clocks = clocks
        self._report_expired = report_expired

    def confirm(self, results: Sequence[Result], until: float) -> list[Result]:
        """The results after dead letters are put and records are saved, both by `until`.

        A message whose dead letter or record is confirmed leaves; any other keeps its verdict.
        """
        dead_letters = [result.dead_letter for result in results if result.dead_letter is not None]
        expired = [result for result in results if result.expired is not None]
        calls: list[Callable[[], set[str]]] = []
        if dead_letters:
            calls.append(partial(self._dead_letters.put, dead_letters))
        if expired:
            calls.append(partial(self._save, expired))
        if not calls:
            return list(results)
        for letter in dead_letters:
            ids = {"queue": letter.message.queue_arn, "messageId": letter.message.message_id}
            self._log.error("delivery.dead_letter", extra=ids | {"error": letter.reason})
        confirmed: set[str] = set()
        for call in self._workers.run(calls, until - self._clocks.monotonic()):
            error = failure_of(call)
            if error:
                self._log.error("delivery.not_recorded", extra={"error": error})
            else:
                confirmed |= call.result()
        return [
            _leaving(result) if result.message.message_id in confirmed else result
            for result in results
        ]

    def count_expired(self, results: Sequence[Result], until: float) -> None:
        """Log and count the events that have expired. The records stay when counting fails."""
        expired = [
            result.expired
            for result in results
            if result.verdict is Verdict.EXPIRED and result.expired is not None
        ]
        if not expired:
            return
        for event in expired:
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
        self._report_expired(len(expired))
        count = partial(self._expired_events.count_for_announcement, expired, self._clocks.wall())
        (call,) = self._workers.run([count], until - self._clocks.monotonic())
        if failure_of(call):
            self._log.error("delivery.not_announced", extra={"events": len(expired)})

    def _save(self, results: Sequence[Result]) -> set[str]:
        """Save the records; the ids of the messages that may leave now."""
        records = [result.expired for result in results if result.expired is not None]
        return {results[place].message.message_id for place in self._expired_events.save(records)}


def _leaving(result: Result) -> Result:
    verdict = Verdict.EXPIRED if result.dead_letter is None else Verdict.DEAD_LETTERED
    return result._replace(verdict=verdict, due=None)
