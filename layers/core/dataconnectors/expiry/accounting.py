"""An hour of a queue in numbers: what came, what was deleted, and what nobody has seen go.

SQS drops what is 12 hours old without a word. What the sender has received it records before that
(see `expiry`); what it never received (throttled, more than 120,000 in flight, a sender that always
crashes) shows in the queue's own metrics alone: it came, it was not deleted, and it is not there.

All of it is approximate, as AWS says of these metrics: a gauge is sampled each minute, and a second
delete of a message counts too. Small differences are therefore nothing, see `TOLERANCE`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.connectors.connector import Lifecycle, LifecycleEntry
from dataconnectors.expiry.expired_event import UNACCOUNTED, ExpiredEvent

HOUR = 3600

SETTLE_MINUTES = 25
"""After the full hour: SQS's metrics of it are there by then, also those of a queue that slept."""

HOURS_MADE_UP = 12
"""Of those in which nothing ran, at most. AWS: CloudWatch keeps minutes for 15 days."""

TOLERANCE = 10
"""Events that are within the measurement, and besides them a hundredth of what has passed."""

STEP = 60
"""Seconds: SQS reports each minute."""

LOOK_BACK = 5 * STEP
"""How far before the hour the last sample of what was there then may be."""

QUEUES_PER_CALL = 100
"""AWS: GetMetricData takes 500 queries and gives 100,800 values; each queue has 4 of 65."""

NO_TIME = "no time left"

SUMS = ("NumberOfMessagesSent", "NumberOfMessagesDeleted")
GAUGES = ("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible")


@dataclass(frozen=True, slots=True)
class QueueHour:
    """Messages of a queue in an hour. `deleted` were acknowledged, dropped, recorded as expired or
    set aside; `before` and `after` were in the queue at its two ends."""

    sent: int
    deleted: int
    before: int
    after: int

    @property
    def unaccounted(self) -> int:
        """About how many SQS has dropped; 0 for what may be an error of measurement."""
        missing = self.sent + self.before - self.deleted - self.after
        passed = max(self.sent + self.before, self.deleted + self.after)
        return missing if missing > TOLERANCE + passed // 100 else 0


def hour_to_account(now: float, accounted: float | None) -> float | None:
    """The start of the hour that is to be accounted for, or None in most minutes.

    `accounted` is that of the last one that was. Hours are made up for, one in each run.
    """
    last = (now - SETTLE_MINUTES * 60) // HOUR * HOUR - HOUR
    if accounted is None:
        return last
    due = max(accounted + HOUR, last - (HOURS_MADE_UP - 1) * HOUR)
    return due if due <= last else None


def balances(
    cloudwatch: Any, queues: Iterable[str], start: float, more: Callable[[], bool]
) -> Iterator[tuple[str, QueueHour]]:
    """The hour from `start` (epoch seconds) of each queue that was in use, by its name.

    Asks `more()` before each call. Raises botocore's errors.
    """
    names = iter(queues)
    while (part := list(islice(names, QUEUES_PER_CALL))) and more():
        series = _series(cloudwatch, part, start)
        for position, name in enumerate(part):
            balance = _balance(series, position, start)
            if balance is not None:
                yield name, balance


class Rows(Protocol):
    """What `store.connectors.ConnectorStore` offers here."""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        """The index, eventually consistent."""


class Records(Protocol):
    """What `store.expired.ExpiredStore` offers here."""

    def keep(self, events: Sequence[ExpiredEvent], /) -> set[int]:
        """Keep records; the positions of those that are kept."""

    def accounted(self) -> float | None:
        """The hour that was accounted for last, by its start in epoch seconds."""

    def set_accounted(self, hour: float, /) -> None:
        """It is now this one."""


@dataclass(frozen=True, slots=True)
class AccountingReport:
    """An hour of all queues: how many were in use, and about how many events are unaccounted for,
    of which connectors. `error` is "" or why not all were looked at, or recorded."""

    queues: int
    unaccounted: int
    connectors: tuple[str, ...]
    error: str = ""


class Accountant:
    """Accounts for an hour of every connector. `name_of` makes a queue's name of its id."""

    def __init__(
        self, cloudwatch: Any, rows: Rows, records: Records, name_of: Callable[[str], str]
    ) -> None:
        self._cloudwatch = cloudwatch
        self._rows = rows
        self._records = records
        self._name_of = name_of

    def run(self, now: float, more: Callable[[], bool]) -> AccountingReport | None:
        """Account for the next hour, if one is due by `now`. Raises nothing for what AWS does.

        An hour in which AWS failed is tried again, and so is one whose process died: its records
        are the same then.
        """
        try:
            start = hour_to_account(now, self._records.accounted())
            if start is None:
                return None
            accounted = self._account(start, more)
            # What there was no time for now, there will not be time for in a minute.
            if accounted.error in ("", NO_TIME):
                self._records.set_accounted(start)
        except (ClientError, BotoCoreError) as failure:
            return AccountingReport(0, 0, (), f"{type(failure).__name__}: {failure}")
        return accounted

    def _account(self, start: float, more: Callable[[], bool]) -> AccountingReport:
        """The hour from `start`, in epoch seconds.

        What is missing is recorded among its connector's expired events, as one for all.
        """
        found: list[tuple[str, QueueHour]] = []
        missing: list[ExpiredEvent] = []
        error = ""
        try:
            entries = self._rows.connectors_in(Lifecycle.READY)
            owners = {self._name_of(entry.queue_id): entry.name for entry in entries}
            for queue, balance in balances(self._cloudwatch, owners, start, more):
                found.append((queue, balance))
                if balance.unaccounted:
                    missing.append(_record(owners[queue], balance, start))
            if missing and len(self._records.keep(missing)) < len(missing):
                error = "DynamoDB did not take all records"
        except (ClientError, BotoCoreError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return AccountingReport(
            queues=len(found),
            unaccounted=sum(balance.unaccounted for _, balance in found),
            connectors=tuple(record.connector for record in missing),
            error=error or ("" if more() else NO_TIME),
        )


def _record(connector: str, balance: QueueHour, start: float) -> ExpiredEvent:
    return ExpiredEvent(
        connector=connector,
        event_id="",
        event_type="",
        target="",
        attempts=0,
        kind=UNACCOUNTED,
        message=(
            f"about {balance.unaccounted} events are neither delivered nor in the queue: of "
            f"{balance.before} there and {balance.sent} sent in this hour, {balance.deleted} "
            f"left it and {balance.after} are there"
        ),
        status=None,
        accepted_at=start,
        expired_at=start + HOUR,
    )


Series = Mapping[str, Mapping[float, float]]


def _series(cloudwatch: Any, names: Sequence[str], start: float) -> Series:
    """Values by query and then by time."""
    request: dict[str, Any] = {
        "MetricDataQueries": [
            {
                "Id": f"{metric[0].lower()}{metric[1:]}{position}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SQS",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "QueueName", "Value": name}],
                    },
                    "Period": STEP,
                    "Stat": "Sum" if metric in SUMS else "Maximum",
                },
            }
            for position, name in enumerate(names)
            for metric in SUMS + GAUGES
        ],
        "StartTime": datetime.fromtimestamp(start - LOOK_BACK, UTC),
        "EndTime": datetime.fromtimestamp(start + HOUR, UTC),
    }
    found: dict[str, dict[float, float]] = {}
    while True:
        answer = cloudwatch.get_metric_data(**request)
        for result in answer["MetricDataResults"]:
            times = [moment.timestamp() for moment in result["Timestamps"]]
            found.setdefault(result["Id"], {}).update(zip(times, result["Values"], strict=True))
        if not answer.get("NextToken"):
            return found
        request["NextToken"] = answer["NextToken"]


def _balance(series: Series, position: int, start: float) -> QueueHour | None:
    """None for a queue that did not report to the end: it sleeps, or its metrics are late."""

    def values(metric: str) -> Mapping[float, float]:
        return series.get(f"{metric[0].lower()}{metric[1:]}{position}", {})

    def total(metric: str) -> int:
        return round(sum(value for moment, value in values(metric).items() if moment >= start))

    def there(since: float, until: float) -> int | None:
        """The last sample in a time; None without any."""
        samples = [
            {moment: value for moment, value in values(metric).items() if since <= moment < until}
            for metric in GAUGES
        ]
        if not all(samples):
            return None
        return round(sum(sample[max(sample)] for sample in samples))

    end = start + HOUR
    after = there(end - LOOK_BACK, end)
    if after is None:
        return None
    # A queue that reports since this hour only has slept before, and was empty.
    before = there(start - LOOK_BACK, start) or 0
    return QueueHour(total(SUMS[0]), total(SUMS[1]), before, after)
