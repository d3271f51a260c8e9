"""Active connectors: those that a project's events are queued for.

They are remembered by the version of the project's configuration, so that most calls of ingest read
one small item instead of all connectors.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.store.connectors import ConnectorStore

REMEMBERED_PROJECTS = 500
"""Projects whose connectors stay in memory. The project whose connectors were read longest ago is
forgotten first."""


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A project's active connectors, and the version of the configuration that they belong to."""

    version: int
    connectors: list[Connector]


class ActiveConnectors:
    """Reads each version of a project's connectors once. Safe to share between threads."""

    def __init__(self, store: ConnectorStore) -> None:
        self._store = store
        self._lock = Lock()
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()

    def of_project(self, project: str, version: int) -> list[Connector]:
        """Return the connectors that the project's events are queued for.

        `version` has to be read consistently for the request at hand. Every change of a connector
        raises it, so what is remembered under it is what a read of the connectors would show now.
        """
        with self._lock:
            remembered = self._remembered.get(project)
        if remembered is not None and remembered.version == version:
            return remembered.connectors
        connectors = [
            connector
            for connector in self._store.connectors(project)
            if connector.lifecycle is Lifecycle.READY and connector.is_active
        ]
        with self._lock:
            self._remembered[project] = _Remembered(version, connectors)
            self._remembered.move_to_end(project)
            if len(self._remembered) > REMEMBERED_PROJECTS:
                self._remembered.popitem(last=False)
        return connectors
