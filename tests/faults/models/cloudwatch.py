"""CloudWatch with SQS's metrics of each queue, by the minute."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.faults.models.errors import refusal
from tests.faults.models.sqs import Queue

QUERIES = 500
"""AWS: the most queries of one GetMetricData."""

MINUTE = 60


class CloudWatch:
    """Metrics of `queues`. Every message counts as visible, so only the sum of the gauges is right.

    A gauge has the value at its minute's end. AWS samples it at some moment of the minute.
    """

    name = "cloudwatch"

    def __init__(self, queues: Mapping[str, Queue]) -> None:
        self._queues = queues

    def get_metric_data(
        self,
        *,
        MetricDataQueries: Sequence[Mapping[str, Any]],
        StartTime: datetime,
        EndTime: datetime,
    ) -> dict[str, Any]:
        """Return all values in one answer."""
        if not 1 <= len(MetricDataQueries) <= QUERIES:
            raise refusal("ValidationError", "GetMetricData", f"{len(MetricDataQueries)} queries")
        minutes = range(
            int(StartTime.timestamp()) // MINUTE, -(-int(EndTime.timestamp()) // MINUTE)
        )
        results = []
        for query in MetricDataQueries:
            metric = query["MetricStat"]["Metric"]
            assert query["MetricStat"]["Period"] == MINUTE
            queue = self._queues.get(metric["Dimensions"][0]["Value"])
            values = {} if queue is None else _values(queue, metric["MetricName"], minutes)
            times = [datetime.fromtimestamp(minute * MINUTE, UTC) for minute in values]
            results.append(
                {"Id": query["Id"], "Timestamps": times, "Values": list(values.values())}
            )
        return {"MetricDataResults": results}


def _values(queue: Queue, metric: str, minutes: range) -> dict[int, float]:
    """A metric's values by minute, from the queue's creation on."""
    existing = [minute for minute in minutes if minute >= queue.made_at // MINUTE]
    match metric:
        case "NumberOfMessagesSent":
            return {
                minute: queue.minutes[minute].sent for minute in existing if minute in queue.minutes
            }
        case "NumberOfMessagesDeleted":
            return {
                minute: queue.minutes[minute].deleted
                for minute in existing
                if minute in queue.minutes
            }
        case "ApproximateNumberOfMessagesNotVisible":
            return dict.fromkeys(existing, 0.0)
    assert metric == "ApproximateNumberOfMessagesVisible", metric
    levels: dict[int, float] = {}
    level = 0.0
    for minute, counted in sorted(queue.minutes.items()):
        if existing and minute <= existing[0]:
            level = counted.present
    for minute in existing:
        if minute in queue.minutes:
            level = queue.minutes[minute].present
        levels[minute] = level
    return levels
