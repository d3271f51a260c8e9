"""The lines of the comparison, and what each says about ours."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from bench.compare.account import Account, percentile
from bench.compare.scenarios import Fault, Result
from bench.report import BUSY, Figure

MARGIN = 0.05
"""What two values may differ by before one is better: ratios of one run are no more exact than
that. A wider spread counts instead."""

PERCENTILES = (50, 95, 99)


SLICES = 5
"""Parts of a steady load whose percentiles show the spread."""


class Value(NamedTuple):
    """What a contender did, and half of the interquartile range as a part of the median."""

    value: float
    spread: float = 0.0


@dataclass(frozen=True)
class Measure:
    """What a line shows: `of` is its value in `unit`, and `slices` has those of parts of the run.

    Without `better`, contenders are not compared and `why` says why not. With it, `why` says why
    ours loses where it does.
    """

    name: str
    of: Callable[[Result], float]
    better: Literal["higher", "lower"] | None
    why: str
    unit: str = ""
    slices: Callable[[Result], Sequence[float]] | None = None

    def value(self, result: Result) -> Value:
        """A contender's value."""
        slices = self.slices(result) if self.slices else ()
        if not all(map(math.isfinite, slices)):
            return Value(self.of(result))
        return Value(self.of(result), Figure(self.name, slices, None).spread / 2 if slices else 0)

    def verdict(self, ours: Value, others: Mapping[str, Value]) -> str:
        """What the line says about ours, beside each of the others."""
        if self.better is None or not others:
            return self.why if self.better is None else ""
        choose = max if self.better == "higher" else min
        best = choose(others, key=lambda name: others[name].value)
        gain = self._gain(others[best].value, ours.value)
        margin = max(MARGIN, ours.spread, others[best].spread)
        if gain > 1 + margin:
            return f"ours loses to {best}: {self.why}"
        return "ours is best" if gain < 1 / (1 + margin) else f"ours is as good as {best}"

    def _gain(self, other: float, ours: float) -> float:
        """How many times better than ours another's value is; 1 for equal ones."""
        if other == ours:
            return 1.0
        high, low = (other, ours) if self.better == "higher" else (ours, other)
        return high / low if low else math.inf


def _rate(
    name: str, of: Callable[[Result], Sequence[float]], better: Literal["higher"] | None, why: str
) -> Measure:
    """Events for each CPU second, from the seconds for each event."""
    return Measure(
        name,
        lambda result: 1 / statistics.median(of(result)),
        better,
        why,
        slices=lambda result: [1 / seconds for seconds in of(result)],
    )


def _parts(delays: Sequence[float]) -> Iterator[Sequence[float]]:
    """The delays in the order of time, in as many parts as are looked at."""
    for number in range(SLICES):
        first, last = (len(delays) * part // SLICES for part in (number, number + 1))
        yield delays[first:last]


def _delays(
    name: str, of: Callable[[Result], Account], why: str, *, sliced: bool
) -> Iterator[Measure]:
    """Percentiles of the delays, in milliseconds. What is published at once has no slices."""

    def value(part: int) -> Callable[[Result], float]:
        return lambda result: percentile(of(result).delays, part) * 1e3

    def slices(part: int) -> Callable[[Result], Sequence[float]]:
        return lambda result: [
            percentile(delays, part) * 1e3 for delays in _parts(of(result).delays)
        ]

    for part in PERCENTILES:
        yield Measure(
            f"{name}, p{part}", value(part), "lower", why, "ms", slices(part) if sliced else None
        )


def _fault(name: str, of: Callable[[Result], Fault], since: str, why: str) -> Iterator[Measure]:
    yield Measure(
        f"{name}: lost or late", lambda result: of(result).account.lost, "lower", WHY_LOST
    )
    yield Measure(
        "... came twice", lambda result: of(result).account.duplicated, "lower", WHY_TWICE
    )
    yield Measure(
        f"... all there, after {since}", lambda result: of(result).seconds, "lower", why, "s"
    )


EMULATOR = "not compared: the Lambdas' broker is an emulator in Python, and no part of AWS"

WHY_CPU = (
    "an event that comes alone pays an invocation, with a read of its connector's row and a log "
    "line, which a batch of ten shares"
)

WHY_CPU_BURST = "each invocation reads its connector's row and writes log lines and metrics"

WHY_DELAY = "the emulator's pollers, and the row that is read before each batch, are on the way"

WHY_LOST = "see its log; ours promises to deliver at least once, and its back-off has an end"

WHY_TWICE = "ten events are acknowledged together, when the slowest attempt of their batch is over"

WHY_KILL = "SQS hides what a dead worker held for six times the function's timeout, as AWS advises"

WHY_DOWN = "its clock is the back-off, exactly; others draw a shorter wait by chance"

WHY_MEMORY = "Lambda has a process for each batch in flight; the others have one process in all"

MEASURES = (
    _rate(
        "delivered per CPU second, 20 a second",
        lambda result: result.steady_cpu.application,
        "higher",
        WHY_CPU,
    ),
    _rate("... with the broker", lambda result: result.steady_cpu.both, None, EMULATOR),
    _rate(
        "delivered per CPU second, 500 at once",
        lambda result: result.burst_cpu.application,
        "higher",
        WHY_CPU_BURST,
    ),
    _rate("... with the broker", lambda result: result.burst_cpu.both, None, EMULATOR),
    *_delays("one of ten hangs, 20 a second", lambda result: result.steady, WHY_DELAY, sliced=True),
    *_delays("one of ten hangs, 500 at once", lambda result: result.burst, WHY_DELAY, sliced=False),
    Measure(
        "... lost or late of both",
        lambda result: result.steady.lost + result.burst.lost,
        "lower",
        WHY_LOST,
    ),
    Measure(
        "... came twice of both",
        lambda result: result.steady.duplicated + result.burst.duplicated,
        "lower",
        WHY_TWICE,
    ),
    *_fault("kill -9 of all workers", lambda result: result.killed, "the kill", WHY_KILL),
    *_fault("receiver down for 60 s", lambda result: result.down, "it was back", WHY_DOWN),
    Measure(
        "peak memory, all processes", lambda result: result.peak / 1e6, "lower", WHY_MEMORY, "MB"
    ),
    Measure(
        "... how many they are",
        lambda result: result.processes,
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
        values = {name: measure.value(result) for name, result in results.items()}
        others = {name: value for name, value in values.items() if name != ours}
        said = measure.verdict(values[ours], others) if ours in values else ""
        if is_busy and measure.better:
            said = "no verdict, the machine was busy"
        shown = " | ".join(_shown(value, measure.unit) for value in values.values())
        yield f"| {measure.name} | {shown} | {said} |"


def _shown(value: Value, unit: str) -> str:
    """A value with three digits, its unit and its spread, if that is known."""
    number, spread = value
    if not math.isfinite(number):
        return "never"
    digits = 0 if number == int(number) or number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f} {unit}".strip() + (f" ±{spread:.0%}" if spread else "")
