"""Routes of the health of data connectors."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.identity.access import Access
from dataconnectors.services.health import HealthService


def routes(service: HealthService, access: Access) -> Router:
    """`:health` of a connector, and of all connectors of a project.

    Include this router before that of connectors, because `<connector>` there matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.get(CONNECTORS + ":health")
    def list_health(project: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return service.page(project, request.list_request("dataConnectorHealth"))

    @router.get(CONNECTORS + "/<connector>:health")
    def get_health(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return service.get(project, connector)

    return router
