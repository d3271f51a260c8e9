"""CloudWatch metrics in the embedded metric format: a line on standard output, no call, no SDK."""

import json
from collections.abc import Mapping, Sequence

SERVICE = "dataconnectors"
"""The one dimension. One per connector would cost $0.30 a month for each of them."""


Values = Mapping[str, tuple[float | Sequence[float], str]]
"""By a metric's name, its value (or 100 values at most) and its CloudWatch unit."""


def line(namespace: str, values: Values, now: float) -> str:
    """The line that CloudWatch turns into metrics.

    `now` is in epoch seconds. The functions' namespace is the stack's name.
    """
    definition = {
        "Namespace": namespace,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
    }
    metadata = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [definition]}
    fields = {name: value for name, (value, _) in values.items()}
    return json.dumps({"_aws": metadata, "service": SERVICE, **fields}, separators=(",", ":"))
