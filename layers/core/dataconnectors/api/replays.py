"""Routes of a connector's replays."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging
from dataconnectors.services.replays import ReplayService

LARGEST_PAGE = 100
"""The most replays on a page: 50 KB to read, or 300 KB when each names a hundred devices."""


def routes(service: ReplayService, access: Access) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}:replay`, and `…/replays` and below.

    Include this router before that of connectors, because `<connector>` there matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.post(CONNECTORS + "/<connector>:replay")
    def start_replay(project: str, connector: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.update")
        return service.start(project, connector, request.body(), actor)

    @router.get(CONNECTORS + "/<connector>/replays")
    def list_replays(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        limit, after = gateway.page_size(request.event, LARGEST_PAGE), request.page_start()
        replays, last = service.page(project, connector, limit=limit, after=after)
        token = paging.encode_token([last]) if last else ""
        return {"replays": replays, "nextPageToken": token}

    # Registered before the route of one replay, because `<replay>` matches a verb too.
    @router.post(CONNECTORS + "/<connector>/replays/<replay>:cancel")
    def cancel_replay(project: str, connector: str, replay: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "dataconnector.update")
        return service.cancel(project, connector, replay, actor)

    @router.get(CONNECTORS + "/<connector>/replays/<replay>")
    def get_replay(project: str, connector: str, replay: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return service.get(project, connector, replay)

    return router
