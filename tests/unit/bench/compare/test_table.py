"""What the comparison says about ours, line by line."""

import dataclasses
from typing import Literal

import pytest

from bench.compare.account import Account
from bench.compare.scenarios import Cpu, Fault, Result
from bench.compare.table import MEASURES, Measure, Value, lines
from bench.report import BUSY

NONE_LOST = Account((0.02, 0.03, 0.04), lost=0, duplicated=0, last=60.0)


def a_result(seconds: float, account: Account = NONE_LOST) -> Result:
    """A contender that takes so many CPU seconds for an event."""
    cpu = Cpu(application=(seconds,), both=(2 * seconds,))
    fault = Fault(account, 31.0)
    return Result(cpu, cpu, account, account, fault, fault, peak=50_000_000, processes=2)


def a_measure(better: Literal["higher", "lower"] | None) -> Measure:
    return Measure("it", lambda result: 0.0, better, "of physics", "ms")


@pytest.mark.parametrize(
    ("better", "ours", "theirs", "said"),
    [
        ("higher", Value(100.0), 50.0, "ours is best"),
        ("higher", Value(100.0), 200.0, "ours loses to them: of physics"),
        ("lower", Value(100.0), 50.0, "ours loses to them: of physics"),
        ("lower", Value(100.0), 200.0, "ours is best"),
        ("lower", Value(100.0), 97.0, "ours is as good as them"),
        ("lower", Value(100.0), 103.0, "ours is as good as them"),
        ("lower", Value(100.0, 0.1), 92.0, "ours is as good as them"),
        ("lower", Value(0.0), 0.0, "ours is as good as them"),
        ("lower", Value(1.0), 0.0, "ours loses to them: of physics"),
        ("lower", Value(0.0), 1.0, "ours is best"),
        ("lower", Value(float("inf")), 1.0, "ours loses to them: of physics"),
        (None, Value(1.0), 0.0, "of physics"),
    ],
)
def test_a_line_says_where_ours_loses_and_why(
    better: Literal["higher", "lower"] | None, ours: Value, theirs: float, said: str
) -> None:
    others = {"worse": Value(0.1 if better == "higher" else 999.0), "them": Value(theirs)}
    assert a_measure(better).verdict(ours, others) == said


def test_each_contender_has_a_column_and_each_measure_a_line() -> None:
    results = {"ours": a_result(0.002), "them": a_result(0.001)}
    head, _, first, *rest = lines(results, {"ours": 0.0, "them": BUSY}, "ours")
    assert head == "| | ours | them | |"
    assert first.startswith("| delivered per CPU second, 20 a second | 500 | 1,000 | ours loses to")
    assert len(rest) == len(MEASURES) - 1
    assert "| peak memory, all processes | 50 MB | 50 MB | ours is as good as them |" in rest


def test_a_busy_machine_gives_no_verdict() -> None:
    results = {"ours": a_result(0.002), "them": a_result(0.001)}
    _, _, first, broker, *_ = lines(results, {"ours": 0.0, "them": 2 * BUSY}, "ours")
    assert first.endswith("| no verdict, the machine was busy |")
    assert "emulator" in broker


def test_the_spread_of_the_slices_is_shown() -> None:
    slices = (1 / 400, 1 / 450, 1 / 500, 1 / 550, 1 / 600)
    result = dataclasses.replace(a_result(0.002), steady_cpu=Cpu(slices, slices))
    _, _, first, *_ = lines({"ours": result}, {"ours": 0.0}, "ours")
    assert first.startswith("| delivered per CPU second, 20 a second | 500 ±15% |")


def test_delays_show_their_spread_over_the_slices_of_a_steady_load() -> None:
    uneven = Account((0.1,) * 40 + (0.2,) * 20 + (0.3,) * 40, lost=0, duplicated=0, last=60.0)
    shown = "\n".join(lines({"ours": a_result(0.002, uneven)}, {"ours": 0.0}, "ours"))
    assert "20 a second, p50 | 200 ms ±50% |" in shown
    assert "500 at once, p50 | 200 ms |" in shown


def test_an_event_that_never_came_shows_as_such() -> None:
    lost = Account((float("inf"),) * 3, lost=3, duplicated=0, last=float("-inf"))
    shown = "\n".join(lines({"ours": a_result(0.002, lost)}, {"ours": 0.0}, "ours"))
    assert "20 a second, p50 | never |" in shown
