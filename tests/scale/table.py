"""The table of `make scale`: a row for each phase of a scenario."""

from typing import NamedTuple

from tests.outages.table import span
from tests.scale.picture import Curve, curve
from tests.scale.scenarios import SCENARIOS, Found, Result, percentiles, run

HEADER = (
    "| scenario | account | part | p50 | p95 | p99 | longest | concurrency, mean and peak | "
    "in flight | events/s | in a batch | Decrypt/s | throttled | refused | dollars/million | "
    "drained in |\n" + "|---" * 16 + "|"
)


class Shown(NamedTuple):
    """What is shown of a scenario, and the seconds of CPU that it took."""

    rows: list[str]
    curve: tuple[Curve, list[float]] | None
    cpu: float


def shown_at(place: int) -> Shown:
    """Run the scenario at this place of the list.

    For a process that has a list of its own: endpoints of scenarios do not go from one to another.
    """
    result = run(SCENARIOS[place])
    return Shown(rows(result), curve(result), result.cpu)


def rows(result: Result) -> list[str]:
    """The rows of a result: what is the same as in the row above is left out."""
    scenario = result.scenario
    lines = []
    for place, found in enumerate(result.found):
        first, last = place == 0, place == len(result.found) - 1
        drained = "" if result.drained is None or not last else span(result.drained)
        name = (scenario.name, f"{scenario.concurrency:,}") if first else ("", "")
        lines.append("| " + " | ".join((*name, *_cells(found), drained)) + " |")
    return lines


def _cells(found: Found) -> list[str]:
    return [
        found.phase.name,
        *(_latency(seconds) for seconds in percentiles(found)),
        f"{found.mean:,.0f}, {found.peak:,.0f}",
        f"{found.in_flight:,}",
        f"{found.delivered:,.0f}",
        f"{found.batch:.1f}",
        f"{found.decrypts:,.0f}",
        f"{found.throttled:,.0f}",
        f"{found.refused:,.0f}",
        f"{found.dollars:.2f}",
    ]


def _latency(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 10 else span(seconds)
