"""Counts of attempts: successes, errors, and a histogram of how long they took.

The counts of batches, minutes and processes can be added up. A percentile of the sum differs from
that of the attempts themselves by `RELATIVE_ERROR` at most.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

RELATIVE_ERROR = 0.05
"""Of a percentile, up or down. Half of it would double the size of what is stored."""

SHORTEST = 0.001
"""Seconds. Shorter attempts count as if they took this long: answers show milliseconds."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
"""The upper end of a bucket, divided by that of the bucket before. At both ends of a bucket,
`latency_of` is off by `RELATIVE_ERROR`. Attempts last 330 s at most, which is bucket 127."""


def bucket_of(seconds: float) -> int:
    """The number of the bucket for a latency."""
    if seconds <= SHORTEST:
        return 0
    return math.ceil(math.log(seconds / SHORTEST, _GROWTH))


def latency_of(bucket: int) -> float:
    """The seconds that stand for every latency in a bucket."""
    if bucket == 0:
        return SHORTEST
    upper = SHORTEST * _GROWTH**bucket
    return 2 * upper / (_GROWTH + 1)


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """`latencies` maps a bucket to the number of attempts in it, successful or not."""

    successes: int = 0
    errors: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: "AttemptCounts") -> "AttemptCounts":
        return AttemptCounts(
            self.successes + other.successes,
            self.errors + other.errors,
            Counter(self.latencies) + Counter(other.latencies),
        )

    def percentile(self, percent: int) -> float:
        """The seconds that `percent` of the attempts did not exceed; 0 without any attempt."""
        count = sum(self.latencies.values())
        # In whole numbers, because 0.99 * 100 is a little more than 99.
        left = -(-count * percent // 100)
        for bucket, attempts in sorted(self.latencies.items()):
            left -= attempts
            if left <= 0:
                return latency_of(bucket)
        return 0.0
