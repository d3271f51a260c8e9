"""How long a failed event waits."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.delivery.retry import wait_after

RETENTION = 12 * 3600

SCHEDULE = [
    *(8, 16, 32, 64, 128, 256, 512, 1024, 2048),
    *[3600] * 10,
]
"""Seconds after each failed attempt, until no further one fits the 12 hours."""


def test_twenty_attempts_fit_the_twelve_hours() -> None:
    age, waits = 0.0, []
    for receive_count in range(1, 100):
        wait = wait_after(receive_count, 0.0, age)
        if age + wait > RETENTION:
            break
        waits.append(wait)
        age += wait
    assert waits == SCHEDULE
    assert (len(waits) + 1, math.floor(age / 3600)) == (20, 11)


@pytest.mark.parametrize(
    ("receive_count", "response_time", "age", "expected"),
    [
        (1, 0.1, 0.1, 8),
        (1, 0.1, 500.0, 8),
        (3, 0.0, 24.0, 32),
        (6, 0.0, 100_000.0, 256),
        (10, 0.0, 100_000.0, 3600),
        (1_000_000, 0.0, 100_000.0, 3600),
        # A slow endpoint gets four times what it took, in the beginning and later.
        (1, 10.0, 10.0, 40),
        (2, 10.0, 50.0, 40),
        (4, 10.0, 200.0, 64),
        (10, 300.0, 30_000.0, 3600),
        # Some receives made no attempt: the event's age limits the wait.
        (9, 0.0, 20.0, 28),
        (20, 0.0, 0.0, 8),
        (20, 5.0, 0.0, 20),
        # Our clock is behind that of SQS.
        (1, 0.0, -3.0, 8),
        (5, 0.0, -3.0, 8),
    ],
)
def test_the_wait(receive_count: int, response_time: float, age: float, expected: float) -> None:
    assert wait_after(receive_count, response_time, age) == expected


TIMES = st.floats(0, 50_000)
COUNTS = st.integers(1, 10_000)


@given(COUNTS, st.floats(0, 900), st.floats(-3600, 50_000))
def test_the_wait_is_the_formula(receive_count: int, response_time: float, age: float) -> None:
    doubled = 8 * 2 ** (receive_count - 1)  # exact, however large
    assert wait_after(receive_count, response_time, age) == max(
        4 * response_time, min(doubled, max(age, 0) + 8, 3600)
    )


@given(st.lists(st.floats(0, 900), min_size=1, max_size=25), st.data())
def test_the_age_never_shortens_the_wait_when_each_receive_was_an_attempt(
    response_times: list[float], data: st.DataObject
) -> None:
    """This holds however slow the endpoint is, and however late each attempt comes."""
    age = 0.0
    for receive_count, response_time in enumerate(response_times, 1):
        age += response_time
        wait = wait_after(receive_count, response_time, age)
        assert wait == pytest.approx(
            max(4 * response_time, min(8 * 2 ** (receive_count - 1), 3600)), abs=1e-6
        )
        age += wait + data.draw(st.floats(0, 200))


@given(COUNTS, TIMES, st.integers(0, 100))
def test_receives_without_attempts_never_lengthen_the_wait_beyond_the_events_age(
    receive_count: int, age: float, handed_back: int
) -> None:
    """And the wait is never shorter than it would be without those receives."""
    wait = wait_after(receive_count + handed_back, 0.0, age)
    assert wait_after(receive_count, 0.0, age) <= wait <= age + 8
