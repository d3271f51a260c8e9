"""The route that syncs a connector."""

import json
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.identity.access import Access
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.services.connectors import COLLECTION
from dataconnectors.store.connectors import ConnectorStore


class SyncStarter:
    """Has connectors synced by a function of its own: a large project takes longer than callers
    wait.
    """

    def __init__(self, connectors: ConnectorStore, functions: Any, sync_function: str) -> None:
        """`functions` is a client of Lambda, `sync_function` the function's ARN."""
        self._connectors = connectors
        self._functions = functions
        self._sync_function = sync_function

    def start(self, name: str) -> None:
        """Begin to sync a connector; one that is disabled gets nothing, and is no error."""
        connector = self._connectors.connector(name)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            raise NotFoundError(f"{name:.200} is not there")
        self._functions.invoke(
            FunctionName=self._sync_function,
            InvocationType="Event",  # Lambda keeps it, and tries again when it fails
            Payload=json.dumps({"connector": name}).encode(),
        )


def routes(starter: SyncStarter, access: Access) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}:sync`.

    To be included before the routes of connectors, whose `<connector>` matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.post(COLLECTION + "/<connector>:sync")
    def sync_connector(project: str, connector: str) -> dict[str, Any]:
        request.project(project, "dataconnector.update")
        starter.start(f"projects/{project}/dataconnectors/{connector}")
        return {}

    return router
