"""What has become of events: delays, and which were lost or came twice."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that so many per cent of the values do not exceed (nearest rank).

    Infinite for no values.
    """
    if not values:
        return math.inf
    ranked = sorted(values)
    return ranked[max(math.ceil(len(ranked) * part / 100), 1) - 1]


@dataclass(frozen=True)
class Account:
    """The arrivals of the events that were `published`; times in epoch seconds.

    `delays` has the seconds from publishing an event to its first arrival, in the order of
    publishing; infinite for one that did not arrive. So a percentile is infinite if too many did
    not.
    """

    delays: tuple[float, ...]
    lost: int
    duplicated: int
    last: float
    """When the last event arrived first; minus infinity when none did."""


def account(
    published: Mapping[str, float], arrivals: Iterable[tuple[str, int, float, bool]]
) -> Account:
    """Compare what was published with what arrived (event id, endpoint, time, is signed).

    An event that came more than once counts as one duplicated event. An arrival whose signature is
    wrong is none.
    """
    times: dict[str, list[float]] = {event_id: [] for event_id in published}
    for event_id, _, at, is_signed in arrivals:
        if is_signed and event_id in times:
            times[event_id].append(at)
    first = {event_id: min(found) for event_id, found in times.items() if found}
    return Account(
        delays=tuple(
            first.get(event_id, math.inf) - at
            for event_id, at in sorted(published.items(), key=_at)
        ),
        lost=len(published) - len(first),
        duplicated=sum(len(found) > 1 for found in times.values()),
        last=max(first.values(), default=-math.inf),
    )


def _at(item: tuple[str, float]) -> float:
    return item[1]
