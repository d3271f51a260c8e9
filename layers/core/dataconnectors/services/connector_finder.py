"""Finds the connector that a call names."""

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.store.connectors import ConnectorStore


def find_connector(connectors: ConnectorStore, project: str, connector_id: str) -> Connector:
    """A connector's row; raises `NotFoundError` when it is not there or is being deleted."""
    name = f"projects/{project}/dataconnectors/{connector_id}"
    connector = connectors.connector(name)
    if connector is None or connector.lifecycle is Lifecycle.DELETING:
        raise NotFoundError(f"{name:.200} is not there")
    return connector
