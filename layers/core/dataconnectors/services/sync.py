"""Starting the synchronization of a connector."""

import json
from typing import Any

from dataconnectors.services.connector_finder import find_connector
from dataconnectors.store.connectors import ConnectorStore


class SyncService:
    """Starts the function that sends a connector the last values of all devices.

    The work is done by a function of its own because a large project takes longer than callers
    wait.
    """

    def __init__(self, store: ConnectorStore, functions: Any, sync_function: str) -> None:
        """`functions` is a client of Lambda, `sync_function` the ARN of the sync function."""
        self._store = store
        self._functions = functions
        self._sync_function = sync_function

    def start(self, project: str, connector_id: str) -> dict[str, Any]:
        """Start to synchronize a connector.

        A disabled connector is sent nothing, which is no error. Raises `NotFoundError` when the
        connector is not there or is being deleted.
        """
        connector = find_connector(self._store, project, connector_id)
        self._functions.invoke(
            FunctionName=self._sync_function,
            InvocationType="Event",  # Lambda keeps the event and tries again when the run fails
            Payload=json.dumps({"connector": connector.name}).encode(),
        )
        return {}
