"""Puts messages back for their wait, and writes down how attempts ended at the same time."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.delivery.deadlines import COUNT_SECONDS, Clocks
from dataconnectors.delivery.outcome_counts import counts_of
from dataconnectors.delivery.results import Result
from dataconnectors.delivery.visibility import QueueVisibility, VisibilityChange, longest_wait
from dataconnectors.endpoints.outcomes import Outcome
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers, failure_of


class AttemptCounters(Protocol):
    """What delivery needs of `store.attempt_counts.AttemptCountStore`."""

    def add(self, name: str, counts: AttemptCounts, now: float, /) -> None:
        """Add to a connector's counts at the minute of `now`, in epoch seconds."""


class BackOff:
    """Changes visibility timeouts, counts attempts, and writes evidence of outages.

    When SQS refuses a change, the message comes back after the queue's visibility timeout: late,
    not lost. When DynamoDB refuses a count, the connector's metrics lack it; when it refuses
    evidence, an outage begins or ends with a later batch. Nothing else depends on them.
    """

    def __init__(
        self,
        visibility: QueueVisibility,
        attempt_counters: AttemptCounters,
        workers: Workers,
        log: Log,
        clocks: Clocks,
    ) -> None:
        self._visibility = visibility
        self._attempt_counters = attempt_counters
        self._workers = workers
        self._log = log
        self._clocks = clocks

    def apply(
        self,
        results: Sequence[Result],
        evidence: Mapping[str, Callable[[], None]],
        until: float,
    ) -> None:
        """Do all of it by `until`, in seconds of the monotonic clock.

        `evidence` has the write of `outages` for each connector that needs one. Raises nothing
        that AWS causes.
        """
        clock, now = self._clocks.monotonic(), self._clocks.wall()
        counts = [
            ("delivery.not_counted", name, partial(self._attempt_counters.add, name, attempts, now))
            for name, attempts in _counts(results)
        ]
        notes = [("outage.not_noted", name, write) for name, write in evidence.items()]
        writes: list[tuple[str, str, Callable[[], Any]]] = [*counts, *notes]
        calls = [write for _, _, write in writes]
        changes = [
            _change(result, result.due - clock, now) for result in results if result.due is not None
        ]
        seconds = COUNT_SECONDS
        if changes:
            queue_arn = results[0].message.queue_arn
            calls.append(partial(self._visibility.change, queue_arn, changes))
            seconds = until - clock
        if not calls:
            return
        made = self._workers.run(calls, min(seconds, until - clock))
        for (what, connector, _), call in zip(writes, made, strict=False):
            error = failure_of(call)
            if error:
                self._log.error(what, extra={"connector": connector, "error": error})
        if changes:
            error = failure_of(made[-1]) or ", ".join(
                f"{message_id}: {code}" for message_id, code in made[-1].result().items()
            )
            if error:
                extra = {"queue": queue_arn, "error": error}
                self._log.error("visibility.not_changed", extra=extra)


def _change(result: Result, wait: float, now: float) -> VisibilityChange:
    # The wait is rounded up, and SQS counts it from when it gets the call: never too early.
    seconds = max(0, math.ceil(wait))
    longest = longest_wait(now - result.message.first_received_at)
    return VisibilityChange(
        result.message.message_id, result.message.receipt_handle, min(seconds, longest)
    )


def _counts(results: Sequence[Result]) -> list[tuple[str, AttemptCounts]]:
    """The counts of each connector that had an attempt in the batch."""
    outcomes: dict[str, list[Outcome]] = {}
    for result in results:
        if result.outcome is not None:
            outcomes.setdefault(result.connector, []).append(result.outcome)
    return [(connector, counts_of(found)) for connector, found in outcomes.items()]
