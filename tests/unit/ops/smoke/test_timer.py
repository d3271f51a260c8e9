"""A run ends in minutes, whatever it waits for."""

import pytest

from ops.smoke.report import SmokeError
from ops.smoke.timer import ARRIVAL_S, POLL_S, RUN_S, Timer
from tests.support.virtual_time import Clock


@pytest.mark.parametrize(
    ("comes", "began", "seen"),
    [
        (0.0, 0.0, 0.0),
        (30.0, 0.0, 30.0),
        (ARRIVAL_S, 0.0, ARRIVAL_S),
        (RUN_S, 0.0, ARRIVAL_S + POLL_S),  # Not in time for itself
        (2 * RUN_S, RUN_S - 10, RUN_S + POLL_S),  # Nor for the run
    ],
)
def test_it_waits_until_it_sees_enough_or_time_is_up(
    comes: float, began: float, seen: float
) -> None:
    clock = Clock()
    timer = Timer(clock, clock.sleep)
    clock.now = began
    assert timer.wait(clock, lambda now: now >= comes) == seen


def test_a_run_that_takes_too_long_is_over() -> None:
    clock = Clock()
    timer = Timer(clock, clock.sleep)
    clock.now = RUN_S
    timer.raise_when_over()
    clock.now += 1
    with pytest.raises(SmokeError, match="the checks have not ended within 240 s"):
        timer.raise_when_over()
