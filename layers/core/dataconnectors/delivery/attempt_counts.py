"""How attempts went, in numbers that add up: successes, errors, and a histogram of latencies.

Tallies of batches, minutes and processes are merged by adding; a percentile of the sum is as good
as one of the attempts themselves, within `RELATIVE_ERROR`.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from dataconnectors.aws.metrics import Values
from dataconnectors.endpoints.outcomes import Delivered, Outcome

RELATIVE_ERROR = 0.05
"""Of a percentile, either way. Halving it would double the size of what is stored."""

SHORTEST = 0.001
"""Seconds: what is shorter counts as this. Answers show milliseconds."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
"""From one bucket's upper end to the next one's: what `latency_of` gives is off by `RELATIVE_ERROR`
at either end. Attempts last 330 s at most, which is bucket 127."""


def bucket_of(seconds: float) -> int:
    """The number of the bucket that a latency belongs in."""
    if seconds <= SHORTEST:
        return 0
    return math.ceil(math.log(seconds / SHORTEST, _GROWTH))


def latency_of(bucket: int) -> float:
    """Seconds: what a latency in this bucket is taken for."""
    if bucket == 0:
        return SHORTEST
    upper = SHORTEST * _GROWTH**bucket
    return 2 * upper / (_GROWTH + 1)


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """`latencies` holds how many attempts, successful or not, took a bucket's time."""

    successes: int = 0
    errors: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> Self:
        """Of attempts."""
        results = list(outcomes)
        successes = sum(isinstance(outcome, Delivered) for outcome in results)
        latencies = Counter(bucket_of(outcome.response_time) for outcome in results)
        return cls(successes, len(results) - successes, latencies)

    def __add__(self, other: "AttemptCounts") -> "AttemptCounts":
        return AttemptCounts(
            self.successes + other.successes,
            self.errors + other.errors,
            Counter(self.latencies) + Counter(other.latencies),
        )

    def percentile(self, percent: int) -> float:
        """Seconds: that many of a hundred attempts took no longer. 0 without any attempt."""
        count = sum(self.latencies.values())
        # In whole numbers: 0.99 * 100 is a little more than 99.
        left = -(-count * percent // 100)
        for bucket, attempts in sorted(self.latencies.items()):
            left -= attempts
            if left <= 0:
                return latency_of(bucket)
        return 0.0


def metric_values(outcomes: Sequence[Outcome]) -> Values:
    """CloudWatch metrics of a batch's attempts, those of one connector or of several."""
    delivered = sum(isinstance(outcome, Delivered) for outcome in outcomes)
    times = [round(outcome.response_time * 1000) for outcome in outcomes]
    return {
        "Delivered": (delivered, "Count"),
        "Failed": (len(outcomes) - delivered, "Count"),
        "ResponseTime": (times, "Milliseconds"),
    }
