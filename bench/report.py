"""Figures: their medians, spreads and budgets, and what else the machine did meanwhile."""

import contextlib
import ctypes
import os
import resource
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

BUSY = 0.25
"""Cores. When other processes used more than that of the machine, there is no verdict: on two cores
a bench and its endpoint already take turns."""

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_IDLE_FIELDS = slice(3, 5)
_GUESTS = slice(8, 10)
"""Of the times in /proc/stat (proc(5)): idle and iowait; and guests, who are in user time too."""


class Figure(NamedTuple):
    """What was measured: one sample for each round. Ratios have no unit.

    `budget` is the largest median allowed; None for a figure that is only shown.
    """

    name: str
    samples: Sequence[float]
    budget: float | None
    unit: str = ""

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """The interquartile range as a part of the median. 0 when there are too few rounds."""
        if len(self.samples) < 4 or not self.median:
            return 0.0
        first, _, third = statistics.quantiles(self.samples, n=4)
        return (third - first) / abs(self.median)

    @property
    def is_over(self) -> bool:
        """Whether the median is over its budget."""
        return self.budget is not None and self.median > self.budget


_ADOPT_ORPHANS = 36
"""PR_SET_CHILD_SUBREAPER, prctl(2)."""


class OtherWork:
    """In a `with` block: `cores` is what other processes used of the machine meanwhile.

    Processes that the block starts count as its own when they have ended. So do those that they
    have started and left behind, as browsers do: this process becomes their parent.
    """

    cores: float = 0.0

    def __enter__(self) -> "OtherWork":
        ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
        self._began = time.monotonic(), _machine(), _own()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        at, machine, own = self._began
        used = (_machine() - machine) - (_own() - own)
        self.cores = max(used, 0.0) / max(time.monotonic() - at, _TICK)

    @property
    def is_much(self) -> bool:
        """Whether figures of this time are no proof of anything."""
        return self.cores > BUSY


def lines(figures: Iterable[Figure], other_work: OtherWork) -> Iterable[str]:
    """A line for each figure: name, median, spread, budget, and what that means."""
    for figure in figures:
        start = f"{figure.name:62} {figure.median:8.2f} {figure.unit:2} ±{figure.spread / 2:4.0%}"
        if figure.budget is None:
            yield start
            continue
        verdict = "ok" if not figure.is_over else f"OVER by {excess(figure)}"
        if other_work.is_much:
            verdict = f"no verdict: other processes used {other_work.cores:.1f} cores"
        yield f"{start}  budget {figure.budget:7.2f}  {verdict}"


def excess(figure: Figure) -> str:
    """By how much a figure is over its budget."""
    assert figure.budget is not None
    if not figure.budget:
        return f"{figure.median:.2f}"
    return f"{figure.median / figure.budget - 1:.0%}"


def _machine() -> float:
    """CPU seconds that all processes used, and that the machine's host took away."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    return (sum(fields) - sum(fields[_IDLE_FIELDS]) - sum(fields[_GUESTS])) * _TICK


def _own() -> float:
    """CPU seconds of this process, and of its children whose ends it has seen."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(sum(resource.getrusage(kind)[:2]) for kind in kinds)
