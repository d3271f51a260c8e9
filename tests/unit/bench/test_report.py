"""What is said of figures, and when a check of them fails."""

import pytest

from bench.__main__ import verdict
from bench.report import BUSY, Figure, OtherWork, lines

IN, OVER = Figure("in", [1.0, 2.0, 3.0], 2.0), Figure("over", [3.0], 2.0)
SHOWN = Figure("shown", [9.0], None, "ms")


def other_work(cores: float) -> OtherWork:
    made = OtherWork()
    made.cores = cores
    return made


@pytest.mark.parametrize(
    ("samples", "median", "spread"),
    [
        ([4.0], 4.0, 0.0),
        ([1.0, 2.0, 9.0], 2.0, 0.0),
        ([8.0, 9.0, 10.0, 11.0, 12.0], 10.0, 0.3),
        ([0.0, 0.0, 0.0, 0.0], 0.0, 0.0),
    ],
)
def test_a_figure_is_the_median_of_its_rounds(
    samples: list[float], median: float, spread: float
) -> None:
    figure = Figure("", samples, None)
    assert figure.median == median
    assert figure.spread == pytest.approx(spread)


@pytest.mark.parametrize(
    ("figure", "cores", "end"),
    [
        (IN, 0.0, "budget    2.00  ok"),
        (OVER, 0.0, "budget    2.00  OVER by 50%"),
        (Figure("none allowed", [3.0], 0.0), 0.0, "OVER by 3.00"),
        (OVER, 1.2, "no verdict: other processes used 1.2 cores"),
        (SHOWN, 0.0, "9.00 ms ±  0%"),
    ],
)
def test_a_line_says_what_a_figure_means(figure: Figure, cores: float, end: str) -> None:
    (line,) = lines([figure], other_work(cores))
    assert line.endswith(end)


@pytest.mark.parametrize(
    ("measured", "status", "said"),
    [
        ({"a": ([IN, SHOWN], other_work(0.0))}, 0, ""),
        ({"a": ([IN], other_work(0.0)), "b": ([OVER], other_work(0.0))}, 1, "b: over: 3.00, over"),
        ({"a": ([OVER], other_work(2 * BUSY))}, 2, "a: no verdict"),
        ({"a": ([IN], other_work(2 * BUSY))}, 2, "a: no verdict"),
    ],
)
def test_a_check_fails_by_what_is_over_and_has_no_verdict_when_disturbed(
    measured: dict[str, tuple[list[Figure], OtherWork]],
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert verdict(measured) == status
    assert capsys.readouterr().out.startswith(said)


def test_the_own_work_of_a_process_is_not_others() -> None:
    with OtherWork() as measured:
        sum(range(1_000_000))
    assert measured.cores >= 0.0
