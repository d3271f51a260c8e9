"""Routes that explain a delivery, show what it would be, or ask for one."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.services.deliveries import DeliveryService
from dataconnectors.services.explanations import ExplanationService


def routes(service: DeliveryService, explanations: ExplanationService, access: Access) -> Router:
    """`:explain`, `:preview`, `:test` and `:resend` of a connector.

    Include this router before that of connectors, because `<connector>` there matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.get(CONNECTORS + "/<connector>:explain")
    def explain(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        event, device, time = (
            next((text for text in gateway.query(request.event, name) if text), "")
            for name in ("event", "device", "time")
        )
        return explanations.explain(project, connector, event, device, time)

    @router.post(CONNECTORS + "/<connector>:preview")
    def preview(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        shows = request.is_permitted(f"projects/{project}", "dataconnector.update")
        return service.preview(project, connector, request.body(), show_secrets=shows)

    @router.post(CONNECTORS + "/<connector>:test")
    def test_connector(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.update")
        return service.test(project, connector, request.body())

    @router.post(CONNECTORS + "/<connector>:resend")
    def resend_event(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.update")
        return service.resend(project, connector, request.body())

    return router
