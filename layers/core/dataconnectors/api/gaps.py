"""The route of a connector's gaps."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging
from dataconnectors.services.gaps import GapService

LARGEST_PAGE = 100
"""The most gaps on a page; a page also ends with `services.gaps.MAXIMUM_RECORDS`."""


def routes(service: GapService, access: Access, now: Callable[[], float]) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}/gaps`; `now` gives epoch seconds."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(CONNECTORS + "/<connector>/gaps")
    def list_gaps(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.expired.read")
        limit, after = gateway.page_size(request.event, LARGEST_PAGE), request.page_start()
        gaps, last = service.page(project, connector, now(), limit=limit, after=after)
        return {"gaps": gaps, "nextPageToken": paging.encode_token([last]) if last else ""}

    return router
