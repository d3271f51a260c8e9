"""How the attempts of a connector are counted, and the percentiles of their latencies."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.delivery.attempt_counts import (
    RELATIVE_ERROR,
    SHORTEST,
    AttemptCounts,
    bucket_of,
    latency_of,
)
from dataconnectors.delivery.outcome_counts import counts_of, metric_values
from dataconnectors.endpoints.outcomes import Delivered, Failed, FailureKind, Outcome

LATENCIES = st.floats(min_value=0.0, max_value=330.0)


def outcomes(latencies: list[float]) -> list[Outcome]:
    return [Delivered(200, latency) for latency in latencies]


@given(LATENCIES)
def test_a_latency_is_known_within_the_stated_error(seconds: float) -> None:
    known = latency_of(bucket_of(seconds))
    assert known == pytest.approx(max(seconds, SHORTEST), rel=RELATIVE_ERROR + 1e-9)


def test_only_first_attempts_are_measured_from_publishing() -> None:
    assert "PublishToPost" not in metric_values([])
    values = metric_values([], [0.0314, 0.25])
    assert values["PublishToPost"] == ([31, 250], "Milliseconds")


def test_the_longest_attempt_has_a_bucket_of_three_digits() -> None:
    assert bucket_of(330.0) == 127
    assert bucket_of(0.0) == bucket_of(SHORTEST) == 0


@given(st.lists(LATENCIES, min_size=1, max_size=300), st.integers(1, 100))
def test_a_percentile_is_exact_within_the_stated_error(
    latencies: list[float], percent: int
) -> None:
    exact = sorted(latencies)[math.ceil(len(latencies) * percent / 100) - 1]
    estimated = counts_of(outcomes(latencies)).percentile(percent)
    assert estimated == pytest.approx(max(exact, SHORTEST), rel=RELATIVE_ERROR + 1e-9)


def test_the_99th_percentile_leaves_out_the_slowest_one_of_a_hundred() -> None:
    counts = counts_of(outcomes([0.1] * 99 + [9.0]))
    assert counts.percentile(99) == pytest.approx(0.1, rel=RELATIVE_ERROR)
    assert counts.percentile(100) == pytest.approx(9.0, rel=RELATIVE_ERROR)
    assert counts_of(outcomes([0.1] * 98 + [9.0] * 2)).percentile(99) > 8


def test_latencies_of_successes_and_errors_are_counted() -> None:
    counts = counts_of([Delivered(200, 0.1), Failed(FailureKind.STATUS, "500", 3.0, 500)])
    assert (counts.successes, counts.errors) == (1, 1)
    assert counts.percentile(99) == pytest.approx(3.0, rel=RELATIVE_ERROR)


def test_no_attempts_have_empty_counts() -> None:
    assert AttemptCounts() == counts_of([])
    assert AttemptCounts().percentile(99) == 0


def test_the_sum_of_counts_is_the_count_of_all_attempts() -> None:
    rng = random.Random(1)
    latencies = [rng.expovariate(2) for _ in range(500)]
    parts = (counts_of(outcomes(latencies[start : start + 7])) for start in range(0, 500, 7))
    assert sum(parts, AttemptCounts()) == counts_of(outcomes(latencies))
