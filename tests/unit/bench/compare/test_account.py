"""What is said of delays, of lost events, and of those that came twice."""

import math

import pytest

from bench.compare.account import account, percentile


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([], 50, math.inf),
        ([3.0], 99, 3.0),
        ([4.0, 1.0, 3.0, 2.0], 50, 2.0),
        ([float(number) for number in range(1, 101)], 95, 95.0),
        ([float(number) for number in range(1, 101)], 99, 99.0),
        ([1.0] * 99 + [math.inf], 99, 1.0),
        ([1.0] * 98 + [math.inf] * 2, 99, math.inf),
    ],
)
def test_a_percentile_is_a_value_that_was_measured(
    values: list[float], part: float, expected: float
) -> None:
    assert percentile(values, part) == expected


def test_an_event_counts_by_its_first_arrival_and_once_when_it_came_more_often() -> None:
    arrivals = [("b", 1, 12.5, True), ("a", 0, 10.5, True), ("a", 0, 99.0, True)]
    arrivals += [("c", 2, at, True) for at in (13.5, 14.0, 15.0)]
    found = account({"a": 10.0, "b": 12.0, "c": 13.0}, arrivals)
    assert found.delays == (0.5, 0.5, 0.5)
    assert (found.lost, found.duplicated, found.last) == (0, 2, 13.5)


def test_an_event_that_did_not_come_is_lost_and_its_delay_has_no_end() -> None:
    found = account({"a": 10.0, "b": 9.0}, [("a", 0, 10.5, True), ("of another run", 0, 1.0, True)])
    assert found.delays == (math.inf, 0.5)
    assert (found.lost, found.duplicated) == (1, 0)


def test_a_delivery_that_a_receiver_would_refuse_is_none() -> None:
    found = account({"a": 10.0}, [("a", 0, 10.5, False)])
    assert (found.lost, found.duplicated, found.last) == (1, 0, -math.inf)
