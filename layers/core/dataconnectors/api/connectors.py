"""Routes of data connectors."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.services.connectors import ConnectorService

CONNECTORS = "/v2/projects/<project>/dataconnectors"
"""The path of a project's connectors."""


def routes(service: ConnectorService, access: Access) -> Router:
    """`/v2/projects/{project}/dataconnectors` and below, except what other modules serve."""
    router = Router()
    request = ApiRequest(router, access)

    def shows_secrets(project: str) -> bool:
        """Only those who may change a connector read its secrets: they let readers forge events."""
        return request.is_permitted(f"projects/{project}", "dataconnector.update")

    @router.get(CONNECTORS)
    def list_connectors(project: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        wanted = request.list_request("dataConnectors")
        return service.page(project, wanted, show_secrets=shows_secrets(project))

    @router.post(CONNECTORS)
    def create_connector(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.create")
        idempotency_key = gateway.headers(request.event).get("idempotency-key", "")
        return service.create(project, request.body(), actor, idempotency_key)

    # Registered before the route of one connector, because `<connector>` matches a verb too.
    @router.get(CONNECTORS + "/<connector>:metrics")
    def get_metrics(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return service.metrics(project, connector)

    @router.post(CONNECTORS + "/<connector>:pause")
    def pause_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.update")
        return service.set_paused(project, connector, actor, paused=True)

    @router.post(CONNECTORS + "/<connector>:resume")
    def resume_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.update")
        return service.set_paused(project, connector, actor, paused=False)

    @router.get(CONNECTORS + "/<connector>")
    def get_connector(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return service.get(project, connector, show_secrets=shows_secrets(project))

    @router.patch(CONNECTORS + "/<connector>")
    def update_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.update")
        return service.update(project, connector, request.body(), request.field_mask(), actor)

    @router.delete(CONNECTORS + "/<connector>")
    def delete_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.delete")
        return service.delete(project, connector, actor)

    return router
