"""Timelines: the attempts of the last three hours in steps of five minutes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.kernel import times
from dataconnectors.services.connector_finder import find_connector
from dataconnectors.services.lists import ListRequest
from dataconnectors.store.attempt_counts import WINDOW_MINUTES, AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore

STEP_MINUTES = 5
STEP_SECONDS = STEP_MINUTES * 60
"""Three hours in 36 points: enough for a plot, and a percentile of fewer attempts says little."""

LARGEST_PAGE = 25
"""Connectors on a page at most: 200 Queries, a quarter of a second of CPU."""

PERCENTILES = {"latencyP50": 50, "latencyP95": 95, "latencyP99": 99}


class TimelineService:
    """Timelines of any project's connectors. Checks no permission.

    `map_parallel` calls a function for each element, as `map` does, but perhaps in threads. `now`
    gives epoch seconds.
    """

    def __init__(
        self,
        connectors: ConnectorStore,
        attempt_counts: AttemptCountStore,
        map_parallel: Callable[..., Iterable[Any]],
        now: Callable[[], float],
    ) -> None:
        self._connectors = connectors
        self._attempt_counts = attempt_counts
        self._map = map_parallel
        self._now = now

    def get(self, project: str, connector_id: str) -> dict[str, Any]:
        """The timeline of one connector, with latencies. Raises `NotFoundError`."""
        connector = find_connector(self._connectors, project, connector_id)
        (timeline,) = self._timelines([connector.name], with_latencies=True)
        return timeline

    def page(self, project: str, wanted: ListRequest) -> dict[str, Any]:
        """A page of the timelines of a project's connectors, in the order of their ids."""
        size = min(wanted.size, LARGEST_PAGE)
        shown, last = self._connectors.page(project, limit=size, after=wanted.after)
        names = [connector.name for connector in shown]
        return wanted.answer(self._timelines(names, with_latencies=False), last)

    def _timelines(self, names: list[str], *, with_latencies: bool) -> list[dict[str, Any]]:
        last_step = int(self._now() // STEP_SECONDS)
        steps = range(last_step - WINDOW_MINUTES // STEP_MINUTES + 1, last_step + 1)
        found = self._attempt_counts.minutes(
            names, steps[0] * STEP_MINUTES, (last_step + 1) * STEP_MINUTES - 1, self._map
        )
        return [
            {
                "connector": name,
                "from": times.to_text(steps[0] * STEP_SECONDS),
                "to": times.to_text((last_step + 1) * STEP_SECONDS),
                "stepSeconds": STEP_SECONDS,
                "points": [_point(step, found[name], with_latencies) for step in steps],
            }
            for name in names
        ]


def _point(step: int, minutes: Mapping[int, AttemptCounts], with_latencies: bool) -> dict[str, Any]:
    first = step * STEP_MINUTES
    of_step = (
        minutes[minute] for minute in range(first, first + STEP_MINUTES) if minute in minutes
    )
    counts = sum(of_step, AttemptCounts())
    point: dict[str, Any] = {
        "time": times.to_text(step * STEP_SECONDS),
        "successCount": counts.successes,
        "errorCount": counts.errors,
    }
    if with_latencies:
        is_empty = not counts.latencies
        for name, percent in PERCENTILES.items():
            point[name] = None if is_empty else round(counts.percentile(percent) * 1000, 1)
    return point
