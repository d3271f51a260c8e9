"""The route of a connector's expired events."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.services.connectors import COLLECTION
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore

PAGE = 100
"""Records of a page at most: about 50 KB to read."""


def routes(
    store: ExpiredEventStore, connectors: ConnectorStore, access: Access, now: Callable[[], float]
) -> Router:
    """`/v2/projects/{project}/dataconnectors/{connector}/expired`; `now` gives epoch seconds."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(COLLECTION + "/<connector>/expired")
    def list_expired(project: str, connector: str) -> dict[str, Any]:
        request.project(project, "dataconnector.expired.read")
        name = f"projects/{project}/dataconnectors/{connector}"
        if not is_id(connector):
            raise NotFoundError(f"{name:.200} is not there")
        limit, after = gateway.page_size(request.event, PAGE), request.after()
        events, rest = store.page(name, now(), limit=limit, after=after)
        # What was lost does not come back with the connector, so a deleted one shows it too. Only
        # one that has nothing to show has to be looked up.
        if not events and not rest and connectors.connector(name) is None:
            raise NotFoundError(f"{name:.200} is not there")
        return {
            "expiredEvents": [event.to_api() for event in events],
            "nextPageToken": paging.encode([rest]) if rest else "",
        }

    return router
