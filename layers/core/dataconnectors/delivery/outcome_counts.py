"""Counts the outcomes of a batch's attempts, for a connector's metrics and for CloudWatch."""

from collections import Counter
from collections.abc import Sequence

from dataconnectors.aws.metrics import Values
from dataconnectors.delivery.attempt_counts import AttemptCounts, bucket_of
from dataconnectors.endpoints.outcomes import Delivered, Outcome


def counts_of(outcomes: Sequence[Outcome]) -> AttemptCounts:
    """The counts of some attempts."""
    successes = _delivered(outcomes)
    latencies = Counter(bucket_of(outcome.response_time) for outcome in outcomes)
    return AttemptCounts(successes, len(outcomes) - successes, latencies)


def metric_values(outcomes: Sequence[Outcome], first_waits: Sequence[float] = ()) -> Values:
    """CloudWatch metrics of a batch's attempts, those of one connector or of several.

    `first_waits` are the seconds from accepting an event to its first attempt, of those events of
    the batch that had theirs.
    """
    delivered = _delivered(outcomes)
    times = [round(outcome.response_time * 1000) for outcome in outcomes]
    values: dict[str, tuple[float | Sequence[float], str]] = {
        "Delivered": (delivered, "Count"),
        "Failed": (len(outcomes) - delivered, "Count"),
        "ResponseTime": (times, "Milliseconds"),
    }
    if first_waits:
        waits = [round(wait * 1000) for wait in first_waits]
        values["PublishToPost"] = (waits, "Milliseconds")
    return values


def _delivered(outcomes: Sequence[Outcome]) -> int:
    return sum(isinstance(outcome, Delivered) for outcome in outcomes)
