"""Routes of try-outs."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.services.tryouts import TryOutService

TRY_OUTS = "/v2/projects/<project>/tryouts"

PERMISSION = "dataconnector.update"
"""Deliveries show custom headers, signatures and events in clear: only those who may read a
connector's secrets may read them."""


def routes(service: TryOutService, access: Access) -> Router:
    """`/v2/projects/{project}/tryouts` and below."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(TRY_OUTS)
    def list_try_outs(project: str) -> dict[str, Any]:
        request.authorize_project(project, PERMISSION)
        found = service.all_of(project, gateway.host(request.event))
        return {"tryouts": found, "nextPageToken": ""}

    @router.post(TRY_OUTS)
    def create_try_out(project: str) -> dict[str, Any]:
        request.authorize_project(project, PERMISSION)
        return service.create(project, request.body(), gateway.host(request.event))

    @router.get(TRY_OUTS + "/<tryout>")
    def get_try_out(project: str, tryout: str) -> dict[str, Any]:
        request.authorize_project(project, PERMISSION)
        return service.get(project, tryout, gateway.host(request.event))

    @router.patch(TRY_OUTS + "/<tryout>")
    def update_try_out(project: str, tryout: str) -> dict[str, Any]:
        request.authorize_project(project, PERMISSION)
        return service.update(project, tryout, request.body(), gateway.host(request.event))

    @router.delete(TRY_OUTS + "/<tryout>")
    def delete_try_out(project: str, tryout: str) -> dict[str, Any]:
        request.authorize_project(project, PERMISSION)
        return service.delete(project, tryout)

    return router
