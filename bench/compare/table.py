"""The lines of the comparison, and what each says about ours."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.compare.account import Account, percentile
from bench.compare.scenarios import Cpu, Fault, Result
from bench.report import BUSY, Figure

MARGIN = 0.05
"""What two values may differ by before one is better: ratios of one run are no more exact than
that. Half of a wider spread counts instead."""

PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Measure:
    """What a line shows: `of` is its value, or one for each slice, in `unit`.

    Without `better`, contenders are not compared and `why` says why not. With it, `why` says why
    ours loses where it does.
    """

    name: str
    of: Callable[[Result], Sequence[float]]
    better: Literal["higher", "lower"] | None
    why: str
    unit: str = ""

    def figure(self, result: Result) -> Figure:
        """A contender's value."""
        return Figure(self.name, self.of(result), None, self.unit)

    def verdict(self, ours: Figure, others: Mapping[str, Figure]) -> str:
        """What the line says about ours, beside each of the others."""
        if self.better is None or not others:
            return self.why if self.better is None else ""
        choose = max if self.better == "higher" else min
        best = choose(others, key=lambda name: others[name].median)
        gain = self._gain(others[best], ours)
        margin = max(MARGIN, ours.spread / 2, others[best].spread / 2)
        if gain > 1 + margin:
            return f"ours loses to {best}: {self.why}"
        return "ours is best" if gain < 1 / (1 + margin) else f"ours is as good as {best}"

    def _gain(self, other: Figure, ours: Figure) -> float:
        """How many times better than ours another's value is; 1 for equal ones."""
        if other.median == ours.median:
            return 1.0
        pair = other.median, ours.median
        high, low = pair if self.better == "higher" else reversed(pair)
        return high / low if low else math.inf


def _rates(of: Callable[[Result], Cpu], *, broker: bool) -> Callable[[Result], Sequence[float]]:
    """Events for each CPU second."""
    return lambda result: [
        1 / seconds for seconds in (of(result).both if broker else of(result).application)
    ]


def _delay(of: Callable[[Result], Account], part: int) -> Callable[[Result], Sequence[float]]:
    """A percentile of the delays, in milliseconds."""
    return lambda result: [percentile(of(result).delays, part) * 1e3]


def _delays(name: str, of: Callable[[Result], Account], why: str) -> Iterator[Measure]:
    for part in PERCENTILES:
        yield Measure(f"{name}, p{part}", _delay(of, part), "lower", why, "ms")


def _fault(name: str, of: Callable[[Result], Fault], since: str, why: str) -> Iterator[Measure]:
    yield Measure(
        f"{name}: lost", lambda result: [of(result).account.lost], "lower", "see that page"
    )
    yield Measure(
        "... came twice", lambda result: [of(result).account.duplicated], "lower", WHY_TWICE
    )
    yield Measure(
        f"... all there, after {since}", lambda result: [of(result).seconds], "lower", why, "s"
    )


EMULATOR = "not compared: the Lambdas' broker is an emulator in Python, and no part of AWS"

WHY_CPU = (
    "an event that comes alone pays an invocation, with a read of its connector's row and a log "
    "line, which a batch of ten shares"
)

WHY_CPU_BURST = "each invocation reads its connector's row and writes log lines and metrics"

WHY_DELAY = "the emulator's pollers, and the row that is read before each batch, are on the way"

WHY_TWICE = "ten events are acknowledged together, when the slowest attempt of their batch is over"

WHY_KILL = "SQS hides what a dead worker held for six times the function's timeout, as AWS advises"

WHY_DOWN = "its clock is the back-off, exactly; others draw a shorter wait by chance"

WHY_MEMORY = "Lambda has a process for each batch in flight; the others have one process in all"

MEASURES = (
    Measure(
        "delivered per CPU second, 20 a second",
        _rates(lambda result: result.steady_cpu, broker=False),
        "higher",
        WHY_CPU,
    ),
    Measure(
        "... with the broker",
        _rates(lambda result: result.steady_cpu, broker=True),
        None,
        EMULATOR,
    ),
    Measure(
        "delivered per CPU second, 500 at once",
        _rates(lambda result: result.burst_cpu, broker=False),
        "higher",
        WHY_CPU_BURST,
    ),
    Measure(
        "... with the broker",
        _rates(lambda result: result.burst_cpu, broker=True),
        None,
        EMULATOR,
    ),
    *_delays("one of ten hangs, 20 a second", lambda result: result.steady, WHY_DELAY),
    *_delays("one of ten hangs, 500 at once", lambda result: result.burst, WHY_DELAY),
    Measure(
        "... lost of both",
        lambda result: [result.steady.lost + result.burst.lost],
        "lower",
        "see that page",
    ),
    Measure(
        "... came twice of both",
        lambda result: [result.steady.duplicated + result.burst.duplicated],
        "lower",
        WHY_TWICE,
    ),
    *_fault("kill -9 of all workers", lambda result: result.killed, "the kill", WHY_KILL),
    *_fault("receiver down for 60 s", lambda result: result.down, "it was back", WHY_DOWN),
    Measure(
        "peak memory, all processes",
        lambda result: [result.peak / 1e6],
        "lower",
        WHY_MEMORY,
        "MB",
    ),
    Measure(
        "... how many they are",
        lambda result: [result.processes],
        None,
        "each keeps its own copy of most of its memory",
    ),
)


def lines(results: Mapping[str, Result], busy: Mapping[str, float], ours: str) -> Iterator[str]:
    """The comparison as a table in Markdown; `busy` has what other processes used, in cores.

    No verdict is given when somebody else used the machine while any of the contenders ran.
    """
    yield f"| | {' | '.join(results)} | |"
    yield f"|---|{'---:|' * len(results)}---|"
    is_busy = any(cores > BUSY for cores in busy.values())
    for measure in MEASURES:
        figures = {name: measure.figure(result) for name, result in results.items()}
        others = {name: figure for name, figure in figures.items() if name != ours}
        said = ""
        if ours in figures:
            said = measure.verdict(figures[ours], others)
        if is_busy and measure.better:
            said = "no verdict, the machine was busy"
        shown = " | ".join(_shown(figure) for figure in figures.values())
        yield f"| {measure.name} | {shown} | {said} |"


def _shown(figure: Figure) -> str:
    """A value with three digits, its unit and its spread, if that is known."""
    value = figure.median
    if not math.isfinite(value):
        return "never"
    digits = 0 if value == int(value) or value >= 100 else 1 if value >= 10 else 2
    spread = f" ±{figure.spread / 2:.0%}" if figure.spread else ""
    return f"{value:,.{digits}f} {figure.unit}".strip() + spread
