"""The route of a connector's expired events."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore

LARGEST_PAGE = 100
"""The most records on a page: about 50 KB to read."""


def routes(
    store: ExpiredEventStore, connectors: ConnectorStore, access: Access, now: Callable[[], float]
) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}/expired`; `now` gives epoch seconds."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(CONNECTORS + "/<connector>/expired")
    def list_expired(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.expired.read")
        name = f"projects/{project}/dataconnectors/{connector}"
        if not is_id(connector):
            raise NotFoundError(f"{name:.200} is not there")
        limit, after = gateway.page_size(request.event, LARGEST_PAGE), request.page_start()
        events, last = store.page(name, now(), limit=limit, after=after)
        # The records of a deleted connector are shown too, because its events are lost all the
        # same. So the connector is looked up only when there is nothing to show.
        if not events and not last and connectors.connector(name) is None:
            raise NotFoundError(f"{name:.200} is not there")
        return {
            "expiredEvents": [event.to_api() for event in events],
            "nextPageToken": paging.encode_token([last]) if last else "",
        }

    return router
