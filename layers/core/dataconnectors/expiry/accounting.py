"""Once an hour, looks in each queue's metrics for events that SQS deleted without anybody noticing.

SQS deletes a message 12 hours after it was accepted, and says nothing. The sender records before
that what it has received (see `expired_event`). What it has never received shows in the queue's
metrics alone: more messages came in than were deleted or are still there. That happens when the
sender is throttled, when more than 120,000 messages are in flight, or when it crashes each time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.connectors.connector import Lifecycle, LifecycleEntry
from dataconnectors.expiry.expired_event import UNACCOUNTED, ExpiredEvent
from dataconnectors.expiry.queue_hours import HOUR, QueueHour, queue_hours

METRICS_DELAY_MINUTES = 25
"""Minutes after an hour's end. By then SQS's metrics of the hour are complete, even those of a
queue that slept."""

CATCH_UP_HOURS = 12
"""How many missed hours are made up for, at most. AWS: CloudWatch keeps values of a minute for 15
days."""

NO_TIME = "no time left"
"""The report's `error` when the run ended before all queues were looked at."""


def hour_to_account(now: float, last_accounted: float | None) -> float | None:
    """The start of the hour to account for next, or None when none is due yet.

    All times are in epoch seconds. `last_accounted` is the start of the hour that was accounted for
    last. Missed hours are made up for one by one, each in a run of its own.
    """
    latest = (now - METRICS_DELAY_MINUTES * 60) // HOUR * HOUR - HOUR
    if last_accounted is None:
        return latest
    due = max(last_accounted + HOUR, latest - (CATCH_UP_HOURS - 1) * HOUR)
    return due if due <= latest else None


class ConnectorIndex(Protocol):
    """What the accounting needs of `store.connectors.ConnectorStore`."""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        """All connectors in a lifecycle, from the eventually consistent index."""


class ExpiredEventRecords(Protocol):
    """What the accounting needs of `store.expired_events.ExpiredEventStore`."""

    def save(self, events: Sequence[ExpiredEvent], /) -> set[int]:
        """Save records; returns the positions of those that are saved."""

    def last_accounted_hour(self) -> float | None:
        """The start of the hour that was accounted for last, in epoch seconds."""

    def set_last_accounted_hour(self, start: float, /) -> None:
        """Remember that the hour from `start` on, in epoch seconds, is accounted for."""


@dataclass(frozen=True, slots=True)
class AccountingReport:
    """One hour of all queues.

    `queues` is how many were in use. About `unaccounted` events are missing, of the `connectors`
    with these names. `error` says why not all queues were looked at or not all records were saved,
    or is "".
    """

    queues: int
    unaccounted: int
    connectors: tuple[str, ...]
    error: str = ""


class Accountant:
    """Accounts for the queues of all connectors, one hour at a time.

    `cloudwatch` is a botocore client. `queue_name` gives the name of a queue by its id.
    """

    def __init__(
        self,
        cloudwatch: Any,
        index: ConnectorIndex,
        records: ExpiredEventRecords,
        queue_name: Callable[[str], str],
    ) -> None:
        self._cloudwatch = cloudwatch
        self._index = index
        self._records = records
        self._queue_name = queue_name

    def run(self, now: float, has_time: Callable[[], bool]) -> AccountingReport | None:
        """Account for the next hour; None when none is due by `now`, in epoch seconds.

        Raises nothing when AWS fails: the report's `error` says so, and the next run tries the same
        hour again. So it does when the process dies; the records are then written over with the
        same content.
        """
        try:
            start = hour_to_account(now, self._records.last_accounted_hour())
            if start is None:
                return None
            report = self._account(start, has_time)
            # An hour that took too long is not tried again: it would take too long in the next
            # minute too.
            if report.error in ("", NO_TIME):
                self._records.set_last_accounted_hour(start)
        except (ClientError, BotoCoreError) as failure:
            return AccountingReport(0, 0, (), f"{type(failure).__name__}: {failure}")
        return report

    def _account(self, start: float, has_time: Callable[[], bool]) -> AccountingReport:
        """Account for the hour from `start` on, in epoch seconds.

        A connector's missing events are recorded as one expired event, which stands for all.
        """
        hours: list[QueueHour] = []
        missing: list[ExpiredEvent] = []
        error = ""
        try:
            connector_of = {
                self._queue_name(entry.queue_id): entry.name
                for entry in self._index.connectors_in(Lifecycle.READY)
            }
            for queue, hour in queue_hours(self._cloudwatch, connector_of, start, has_time):
                hours.append(hour)
                if hour.unaccounted:
                    missing.append(_missing_events(connector_of[queue], hour, start))
            if missing and len(self._records.save(missing)) < len(missing):
                error = "DynamoDB did not save all records"
        except (ClientError, BotoCoreError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return AccountingReport(
            queues=len(hours),
            unaccounted=sum(hour.unaccounted for hour in hours),
            connectors=tuple(record.connector for record in missing),
            error=error or ("" if has_time() else NO_TIME),
        )


def _missing_events(connector: str, hour: QueueHour, start: float) -> ExpiredEvent:
    return ExpiredEvent(
        connector=connector,
        event_id="",
        event_type="",
        target="",
        attempts=0,
        kind=UNACCOUNTED,
        message=(
            f"about {hour.unaccounted} events are neither delivered nor in the queue: it had "
            f"{hour.before} at the start of this hour, {hour.sent} came in, {hour.deleted} left, "
            f"and {hour.after} were there at the end"
        ),
        status=None,
        accepted_at=start,
        expired_at=start + HOUR,
        count=hour.unaccounted,
    )
