"""A fake of CloudWatch's GetMetricData, with metrics of queues that a test chooses."""

from datetime import datetime
from typing import Any

import botocore.session
import botocore.validate


class CloudWatch:
    """Metrics by queue and name: the values of minutes, counted from `start`."""

    def __init__(self, start: float, **queues: dict[str, dict[int, float]]) -> None:
        self.start = start
        self.queues = queues
        self.calls = 0
        self.page = 10_000

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        model = botocore.session.get_session().get_service_model("cloudwatch")
        shape: Any = model.operation_model("GetMetricData").input_shape
        report = botocore.validate.ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
        queries = request["MetricDataQueries"]
        assert len(queries) <= 500
        assert len({query["Id"] for query in queries}) == len(queries)
        self.calls += 1
        first = int(request.get("NextToken", "0"))
        answer = [self._result(query, request) for query in queries[first : first + self.page]]
        more = {"NextToken": str(first + self.page)} if len(queries) > first + self.page else {}
        return {"MetricDataResults": answer} | more

    def _result(self, query: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
        statistic = query["MetricStat"]
        metric = statistic["Metric"]
        (dimension,) = metric["Dimensions"]
        values = self.queues.get(dimension["Value"], {}).get(metric["MetricName"], {})
        low, high = (request[name].timestamp() for name in ("StartTime", "EndTime"))
        inside = {
            self.start + minute * 60: value
            for minute, value in values.items()
            if low <= self.start + minute * 60 < high
        }
        times = [datetime.fromtimestamp(moment, request["StartTime"].tzinfo) for moment in inside]
        return {"Id": query["Id"], "Timestamps": times, "Values": list(inside.values())}


def in_queue(
    sent: dict[int, float], deleted: dict[int, float], there: dict[int, float]
) -> dict[str, dict[int, float]]:
    """The metrics of one queue. A third of its messages wait for their next attempt."""
    return {
        "NumberOfMessagesSent": sent,
        "NumberOfMessagesDeleted": deleted,
        "ApproximateNumberOfMessagesVisible": {m: 2 * value for m, value in there.items()},
        "ApproximateNumberOfMessagesNotVisible": there,
    }
