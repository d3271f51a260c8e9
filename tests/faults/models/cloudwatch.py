"""CloudWatch as far as SQS's metrics go: of each queue, by the minute."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.faults.models.errors import refusal
from tests.faults.models.sqs import Queue

QUERIES = 500
"""AWS: what one GetMetricData takes."""

MINUTE = 60


class CloudWatch:
    """Metrics of `queues`. Every message counts as visible: only the sum of the gauges is right.

    A gauge is what there was at its minute's end; AWS's are sampled at some moment of it.
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
        """All values, in one answer."""
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
    """By the minute, once there is the queue."""
    there = [minute for minute in minutes if minute >= queue.made_at // MINUTE]
    match metric:
        case "NumberOfMessagesSent":
            return {
                minute: queue.minutes[minute].sent for minute in there if minute in queue.minutes
            }
        case "NumberOfMessagesDeleted":
            return {
                minute: queue.minutes[minute].deleted for minute in there if minute in queue.minutes
            }
        case "ApproximateNumberOfMessagesNotVisible":
            return dict.fromkeys(there, 0.0)
    assert metric == "ApproximateNumberOfMessagesVisible", metric
    levels: dict[int, float] = {}
    level = 0.0
    for minute, counted in sorted(queue.minutes.items()):
        if there and minute <= there[0]:
            level = counted.there
    for minute in there:
        if minute in queue.minutes:
            level = queue.minutes[minute].there
        levels[minute] = level
    return levels
