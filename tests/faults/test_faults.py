"""No event is lost in short runs, whatever fails. `make faults` does long runs."""

import dataclasses
import time

import pytest

from tests.faults.world import Report, Scenario, run

EVENTS = 800
FEWEST_KINDS = 60
"""Kinds of faults that so few events must meet. A long run has about 150."""


def fields(report: Report) -> dict[str, object]:
    """The fields of a report, without the time that the run took."""
    return dataclasses.asdict(report) | {"seconds": 0.0}


@pytest.mark.parametrize(("seed", "intensity"), [(1, 1.0), (2, 4.0), (3, 2.0), (None, 3.0)])
def test_nothing_is_lost_and_no_promise_is_broken(seed: int | None, intensity: float) -> None:
    # The last seed differs each time. It is chosen here, because test names must not depend on
    # time.
    seed = int(time.time()) if seed is None else seed
    report = run(Scenario(seed, EVENTS, intensity))
    again = f"python -m tests.faults --seed {seed} --events {EVENTS} --intensity {intensity:g}"
    assert list(report.violations) == [], again
    assert report.lost == 0, again
    assert report.events >= EVENTS
    assert report.attempts > EVENTS / 4, again


def test_faults_of_many_kinds_are_injected() -> None:
    report = run(Scenario(4, 2 * EVENTS, 4.0))
    assert len(report.injected) >= FEWEST_KINDS, sorted(report.injected)
    # Processes have to die at every step, so that every order of effects is tried.
    for step in ("SendMessageBatch", "BatchWriteItem", "GetItem", "POST"):
        assert any(step in kind and "killed" in kind for kind in report.injected), step
    assert "outage" in report.injected
    assert min(report.outages, report.canaries, report.held, report.recovered) > 0
    assert report.replays > 0


def test_endpoints_that_answer_410_lose_nothing() -> None:
    report = run(Scenario(6, 300, 3.0, gone="disables"))
    assert list(report.violations) == []
    assert report.lost == 0
    assert report.injected["endpoint is gone"] > 0


def test_a_run_is_the_same_for_the_same_seed() -> None:
    scenario = Scenario(5, 200, 4.0)
    assert fields(run(scenario)) == fields(run(scenario))
