"""The health of connectors: state, last success and error, next attempt and backlog."""

from collections.abc import Callable, Iterable
from typing import Any

from dataconnectors.aws.queue_depth import QueueDepth, queue_depth
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.health import next_attempt, state_of, state_since
from dataconnectors.expiry.expired_event import RETENTION_SECONDS
from dataconnectors.kernel import times
from dataconnectors.services.connector_finder import find_connector
from dataconnectors.services.lists import ListRequest
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore

EMPTY = QueueDepth(0, 0)


class HealthService:
    """Health of any project's connectors. Checks no permission.

    `sqs` is a client of SQS. `map_parallel` calls a function for each element, as `map` does, but
    perhaps in threads. `now` gives epoch seconds.
    """

    def __init__(
        self,
        store: ConnectorStore,
        attempt_counts: AttemptCountStore,
        sqs: Any,
        map_parallel: Callable[..., Iterable[Any]],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._attempt_counts = attempt_counts
        self._sqs = sqs
        self._map = map_parallel
        self._now = now

    def get(self, project: str, connector_id: str) -> dict[str, Any]:
        """The health of one connector. Raises `NotFoundError`."""
        connector = find_connector(self._store, project, connector_id)
        failing = connector.failing
        success = self._attempt_counts.last_success(
            connector.name, self._now(), self._map, since=None if failing is None else failing.since
        )
        last = {"lastSuccessTime": None if success is None else times.to_text(success)}
        return self._to_api(connector) | last

    def page(self, project: str, wanted: ListRequest) -> dict[str, Any]:
        """A page of the health of a project's connectors, in the order of their ids.

        Without the time of the last success, which takes eight reads for each connector.
        """
        shown, last = self._store.page(project, limit=wanted.size, after=wanted.after)
        return wanted.answer(list(self._map(self._to_api, shown)), last)

    def _to_api(self, connector: Connector) -> dict[str, Any]:
        now, failing = self._now(), connector.failing
        backlog = self._backlog(connector)
        error = failing and {
            "kind": failing.kind,
            "message": failing.message,
            "status": failing.status,
            "time": times.to_text(failing.failed_at),
        }
        due = next_attempt(connector, now)
        oldest = _oldest(connector, backlog, now)
        return {
            "name": connector.name,
            "state": state_of(connector).value,
            "since": state_since(connector),
            "lastError": error,
            "nextAttemptTime": None if due is None else times.to_text(due),
            "backlog": {
                "waiting": backlog.waiting,
                "inFlight": backlog.in_flight,
                "oldestTime": None if oldest is None else times.to_text(oldest),
            },
        }

    def _backlog(self, connector: Connector) -> QueueDepth:
        """The depth of its queue, which may not be there yet."""
        if not connector.queue_url:
            return EMPTY
        return queue_depth(self._sqs, connector.queue_url) or EMPTY


def _oldest(connector: Connector, backlog: QueueDepth, now: float) -> float | None:
    """When the oldest undelivered event was accepted, as far as that is known: nothing is written
    down of events that succeed at their first attempt."""
    known = [
        time
        for time in (connector.failing and connector.failing.oldest, connector.paused_at)
        if time
    ]
    if not known or backlog == EMPTY:
        return None
    return max(min(known), now - RETENTION_SECONDS)
