"""The route that synchronizes a connector."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.identity.access import Access
from dataconnectors.services.sync import SyncService


def routes(service: SyncService, access: Access) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}:sync`.

    Include this router before that of connectors, because `<connector>` there matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.post(CONNECTORS + "/<connector>:sync")
    def sync_connector(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.update")
        return service.start(project, connector)

    return router
