"""What happened in a queue in one hour, according to CloudWatch's metrics of it.

The numbers are approximate, as AWS says of these metrics: SQS samples a gauge once a minute, and a
message that is deleted twice counts twice. Small differences therefore mean nothing; see
`TOLERANCE`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

HOUR = 3600

TOLERANCE = 10
"""Missing events that count as an error of measurement, together with a hundredth of all events
that passed through the queue."""

METRIC_PERIOD = 60
"""Seconds between two values: SQS reports each minute."""

LOOK_BACK = 5 * METRIC_PERIOD
"""How many seconds before a moment the last sample of a gauge may lie that holds for it."""

QUEUES_PER_CALL = 100
"""AWS: GetMetricData takes 500 queries and returns 100,800 values. Each queue has 4 queries of 65
values."""

COUNTERS = ("NumberOfMessagesSent", "NumberOfMessagesDeleted")
"""SQS's metrics whose values are added up over the hour."""

GAUGES = ("ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible")
"""SQS's metrics whose last values together say how many messages the queue has."""

MetricValues = Mapping[str, Mapping[float, float]]
"""The values of each query, by query id and then by time in epoch seconds."""


@dataclass(frozen=True, slots=True)
class QueueHour:
    """The messages of a queue in one hour.

    `sent` came in. `deleted` left: acknowledged, dropped, recorded as expired, or moved to the dead
    letters. `before` and `after` are how many the queue had at the beginning and at the end.
    """

    sent: int
    deleted: int
    before: int
    after: int

    @property
    def unaccounted(self) -> int:
        """About how many messages SQS deleted by itself; 0 for a mere error of measurement."""
        missing = self.sent + self.before - self.deleted - self.after
        passed = max(self.sent + self.before, self.deleted + self.after)
        return missing if missing > TOLERANCE + passed // 100 else 0


def queue_hours(
    cloudwatch: Any, queue_names: Iterable[str], start: float, has_time: Callable[[], bool]
) -> Iterator[tuple[str, QueueHour]]:
    """Yield the name and the hour of each queue that was in use in the hour after `start`.

    `start` is in epoch seconds. `has_time` is asked before each call; when it says no, the queues
    that are left are skipped. Raises botocore's errors.
    """
    names = iter(queue_names)
    while (part := list(islice(names, QUEUES_PER_CALL))) and has_time():
        values = _read_metrics(cloudwatch, part, start)
        for position, name in enumerate(part):
            hour = _queue_hour(values, position, start)
            if hour is not None:
                yield name, hour


def _read_metrics(cloudwatch: Any, queue_names: Sequence[str], start: float) -> MetricValues:
    request: dict[str, Any] = {
        "MetricDataQueries": [
            {
                "Id": _query_id(metric, position),
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SQS",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "QueueName", "Value": name}],
                    },
                    "Period": METRIC_PERIOD,
                    "Stat": "Sum" if metric in COUNTERS else "Maximum",
                },
            }
            for position, name in enumerate(queue_names)
            for metric in COUNTERS + GAUGES
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


def _queue_hour(values: MetricValues, position: int, start: float) -> QueueHour | None:
    """The hour of the queue at this position of the request.

    None for a queue that did not report up to the end: it sleeps, or its metrics are late.
    """

    def values_of(metric: str) -> Mapping[float, float]:
        return values.get(_query_id(metric, position), {})

    def total(metric: str) -> int:
        return round(sum(value for moment, value in values_of(metric).items() if moment >= start))

    def messages_at(moment: float) -> int | None:
        """How many messages the queue had, or None when a gauge has no sample shortly before."""
        samples = [
            {
                sampled_at: value
                for sampled_at, value in values_of(metric).items()
                if moment - LOOK_BACK <= sampled_at < moment
            }
            for metric in GAUGES
        ]
        if not all(samples):
            return None
        return round(sum(sample[max(sample)] for sample in samples))

    after = messages_at(start + HOUR)
    if after is None:
        return None
    # A queue that began to report in this hour has slept before, and so was empty.
    before = messages_at(start) or 0
    sent, deleted = COUNTERS
    return QueueHour(total(sent), total(deleted), before, after)


def _query_id(metric: str, position: int) -> str:
    """AWS: a query's id begins with a lower-case letter."""
    return f"{metric[0].lower()}{metric[1:]}{position}"
