"""What provisioning needs of the rows of connectors, which `store` implements."""

from collections.abc import Iterator
from typing import Protocol

from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry


class ConnectorRows(Protocol):
    """What provisioning needs of `store.connectors.ConnectorStore`."""

    def connector(self, name: str) -> Connector | None:
        """The connector's row, strongly consistent."""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        """All connectors in a lifecycle, from the eventually consistent index."""

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None:
        """Make the row `READY` and return it.

        None when the row was changed since `connector` was read, or is being deleted.
        """

    def remove(self, connector: Connector) -> bool:
        """Replace a row that is being deleted by a tombstone; False when it is gone already."""
