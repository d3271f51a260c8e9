"""The goals of the outage mode, which `make outage` holds the results against."""

from collections.abc import Iterable

from tests.outages.outage import Result

SHORT, SHORT_RECOVERY, RECOVERY = 240.0, 120.0, 360.0
"""Seconds: after an outage of four minutes everything is delivered within two, and after any within
six."""

LONG, CONCURRENCY = 3600.0, 1.0
"""An endpoint with one event a second that times out takes less than one environment, over an
outage of an hour or more: before it is noticed, each attempt takes one for ten seconds."""

DAY_DOLLARS = 1.0
"""For a day of such an outage. Longer backlogs cost more, so a part of a day says little."""


def missed(results: Iterable[Result]) -> list[str]:
    """What the outage mode has missed, in sentences."""
    found = []
    for result in results:
        case = result.case
        if not case.holds:
            continue
        name = f"{case.rate:g} events/s, {case.outage / 60:.0f} min, "
        name += "timeouts" if case.hangs else "errors"
        bound = SHORT_RECOVERY if case.outage <= SHORT else RECOVERY
        if result.unsent or result.recovered[2] > bound:
            found.append(f"{name}: all is back after {result.recovered[2]:.0f} s, not {bound:.0f}")
        if case.rate > 1 or not case.hangs or case.outage < LONG:
            continue
        if result.concurrency >= CONCURRENCY:
            found.append(f"{name}: concurrency {result.concurrency:.2f} on average, not below 1")
        dollars = result.outage.dollars
        if dollars >= DAY_DOLLARS:
            found.append(f"{name}: ${dollars:.2f}, not below ${DAY_DOLLARS:g} for a day")
    return found
