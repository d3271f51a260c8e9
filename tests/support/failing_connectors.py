"""A fake of the store of failing connectors: it changes the row that it is given."""

from dataclasses import replace

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.failing import Failing


class FailingConnectors:
    """`by_connector` has what is known now, by name; `calls` counts all calls.

    Every call raises `error` when there is one. `claims` are the times until which canaries were
    claimed; none is granted while `taken` is set.
    """

    def __init__(self) -> None:
        self.by_connector: dict[str, Failing] = {}
        self.claims: list[float] = []
        self.taken = False
        self.calls = 0
        self.error: Exception | None = None

    def row(self, connector: Connector) -> Connector:
        """The connector's row as it is now."""
        return replace(connector, failing=self.by_connector.get(connector.name))

    def claim_canary(self, connector: Connector, until: float) -> bool:
        self._call()
        if self.taken:
            return False
        self.claims.append(until)
        failing = self.by_connector[connector.name]
        self.by_connector[connector.name] = failing._replace(canary_at=until)
        return True

    def record(self, connector: Connector, failing: Failing) -> None:
        self._call()
        before, now = connector.failing, self.by_connector.get(connector.name)
        is_canary = before is not None and failing.canary_at != before.canary_at
        if is_canary and now and before and now.canary_at != before.canary_at:
            return  # another canary was claimed since
        self.by_connector[connector.name] = failing

    def clear(self, connector: Connector) -> None:
        self._call()
        self.by_connector.pop(connector.name, None)

    def _call(self) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error
