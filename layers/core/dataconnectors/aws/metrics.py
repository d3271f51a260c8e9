"""CloudWatch metrics in the embedded metric format: a line on standard output instead of a call."""

import json
from collections.abc import Mapping, Sequence

SERVICE = "dataconnectors"
"""Value of the only dimension. A dimension for each connector would cost $0.30 a month for each."""

Values = Mapping[str, tuple[float | Sequence[float], str]]
"""For each metric by name: its value, or up to 100 values, and its CloudWatch unit."""


def line(namespace: str, values: Values, now: float) -> str:
    """The line of a function's log that CloudWatch turns into metrics.

    `namespace` is the stack's name, and `now` is in epoch seconds.
    """
    definition = {
        "Namespace": namespace,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in values.items()],
    }
    metadata = {"Timestamp": int(now * 1000), "CloudWatchMetrics": [definition]}
    fields = {name: value for name, (value, _) in values.items()}
    return json.dumps({"_aws": metadata, "service": SERVICE, **fields}, separators=(",", ":"))
