"""How long a failed event waits."""

import math

import pytest

from dataconnectors.retry import wait_after

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
        # Receives without an attempt: the wait is what an event of this age has come to.
        (9, 0.0, 20.0, 28),
        (20, 0.0, 0.0, 8),
        (20, 5.0, 0.0, 20),
        # A clock behind that of SQS.
        (1, 0.0, -3.0, 8),
        (5, 0.0, -3.0, 8),
    ],
)
def test_the_wait(receive_count: int, response_time: float, age: float, expected: float) -> None:
    assert wait_after(receive_count, response_time, age) == expected
