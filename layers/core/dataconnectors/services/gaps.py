"""Gaps: reading a connector's records of expired events as few lines instead of many."""

from typing import Any

from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.replay.gaps import Gaps
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore

RECORDS_OF_QUERY = 2000
"""Records that are read at a time: about 1 MB, which is what one Query reads."""

MAXIMUM_RECORDS = 10 * RECORDS_OF_QUERY
"""Records that make one page: a second of the API's time. A page then ends early, perhaps within a
gap, which goes on as a further gap on the next page."""


class GapService:
    """The gaps of any project's connectors. Checks no permission."""

    def __init__(
        self, events: ExpiredEventStore, connectors: ConnectorStore, *, keeps_history: bool
    ) -> None:
        self._events = events
        self._connectors = connectors
        self._keeps_history = keeps_history

    def page(
        self, project: str, connector_id: str, now: float, *, limit: int, after: str
    ) -> tuple[list[dict[str, Any]], str]:
        """At most `limit` gaps, the newest first, and where the next page begins, or "".

        `now` is in epoch seconds. Raises `NotFoundError` when there is no such connector and no
        record of it.
        """
        name = f"projects/{project}/dataconnectors/{connector_id}"
        if not is_id(connector_id):
            raise NotFoundError(f"{name:.200} is not there")
        gaps = Gaps(limit)
        position = after
        for _ in range(0, MAXIMUM_RECORDS, RECORDS_OF_QUERY):
            events, rest = self._events.page(name, now, limit=RECORDS_OF_QUERY, after=position)
            for event in events:
                if not gaps.add(event):
                    return self._shown(gaps, now), position
                position = self._events.position_of(event)
            position = rest
            if not rest:
                break
        # The records of a deleted connector are shown too, as its expired events are.
        if not gaps.found and not position and self._connectors.connector(name) is None:
            raise NotFoundError(f"{name} is not there")
        return self._shown(gaps, now), position

    def _shown(self, gaps: Gaps, now: float) -> list[dict[str, Any]]:
        shown = [gap.to_api(now) for gap in gaps.found]
        return shown if self._keeps_history else [gap | {"replay": None} for gap in shown]
