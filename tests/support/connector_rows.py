"""A fake of the connector store, with its conditions and its index, in virtual time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry
from dataconnectors.kernel.times import to_text
from dataconnectors.store.connectors import TOMBSTONE_SECONDS
from tests.support.control_plane import World
from tests.support.rows import a_connector

T = TypeVar("T")


class FakeConnectorRows:
    """Connector rows with `ConnectorStore`'s conditions; the index lags behind them."""

    def __init__(self, world: World, index_lag: float = 2.0) -> None:
        self._world = world
        self.index_lag = index_lag
        self.by_name: dict[str, Connector] = {}
        self.tombstones: dict[str, float] = {}
        self._history: list[tuple[float, str, Connector | None]] = []

    # --- what `ConnectorStore` offers ---------------------------------------------------------

    def connector(self, name: str) -> Connector | None:
        return self._call("connector", lambda: self.by_name.get(name))

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        horizon = self._world.time.clock() - self.index_lag
        indexed = {name: row for written_at, name, row in self._history if written_at <= horizon}
        for row in indexed.values():
            if row is not None and row.lifecycle is lifecycle:
                yield LifecycleEntry(row.name, row.queue_id, row.mapping_id, row.provisioned)

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None:
        def write() -> Connector | None:
            row = self.by_name.get(connector.name)
            if (
                row is None
                or row.version != connector.version
                or row.lifecycle is Lifecycle.DELETING
            ):
                return None
            return self.put(
                replace(
                    row,
                    lifecycle=Lifecycle.READY,
                    version=row.version + 1,
                    queue_url=queue_url,
                    mapping_id=mapping_id,
                    provisioned=provisioned,
                )
            )

        return self._call("set_ready", write)

    def remove(self, connector: Connector) -> bool:
        def write() -> bool:
            row = self.by_name.get(connector.name)
            if row is None or row.lifecycle is not Lifecycle.DELETING:
                return False
            self.lose(connector.name)
            self.tombstones[connector.name] = self._world.time.now() + TOMBSTONE_SECONDS
            return True

        return self._call("remove", write)

    def was_removed(self, name: str) -> bool:
        return self._world.time.now() < self.tombstones.get(name, 0.0)

    # --- what the config API does ------------------------------------------------------------

    def create(self, connector_id: str) -> Connector:
        """A new row in `PROVISIONING`. The queue's id follows from the connector's."""
        now = to_text(self._world.time.now())
        return self.put(
            a_connector(
                id=connector_id,
                lifecycle=Lifecycle.PROVISIONING,
                queue_id=queue_id_of(connector_id),
                create_time=now,
                update_time=now,
            )
        )

    def patch(self, name: str) -> Connector:
        """Let the customer change the connector."""
        row = self.by_name[name]
        return self.put(replace(row, display_name="changed", version=row.version + 1))

    def delete(self, name: str) -> Connector:
        """Let the customer delete the connector."""
        row = self.by_name[name]
        return self.put(
            replace(
                row,
                lifecycle=Lifecycle.DELETING,
                version=row.version + 1,
                update_time=to_text(self._world.time.now()),
            )
        )

    def put(self, row: Connector) -> Connector:
        """Store a row without any condition."""
        self.by_name[row.name] = row
        self._history.append((self._world.time.clock(), row.name, row))
        return row

    def lose(self, name: str) -> None:
        """Remove a row without any condition."""
        del self.by_name[name]
        self._history.append((self._world.time.clock(), name, None))

    def _call(self, name: str, act: Callable[[], T]) -> T:
        answer: T = self._world.call(name, act, control_plane=False)
        return answer


def queue_id_of(connector_id: str) -> str:
    """The id of the queue of a test's connector."""
    return connector_id.rjust(20, "0")
