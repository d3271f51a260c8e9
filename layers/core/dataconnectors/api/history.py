"""The route of a device's history."""

import json
from collections.abc import Callable

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.events.history_query import parse_query
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import HistoryStore


def routes(
    store: HistoryStore, devices: DeviceStore, access: Access, now: Callable[[], float]
) -> Router:
    """`/v2/projects/{project}/devices/{device}/events`; `now` gives epoch seconds."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get("/v2/projects/<project>/devices/<device>/events")
    def list_events(project: str, device: str) -> Response[str]:
        request.authorize_project(project, "device.read")
        wanted = parse_query(request.event, now())
        absent = NotFoundError(f"projects/{project}/devices/{device:.80} is not there")
        if not is_id(device):
            raise absent
        page = store.page(project, device, wanted)
        # A device that has events exists: only one without has to be looked up.
        if not page.events and devices.device(project, device) is None:
            raise absent
        token = "" if page.position is None else paging.encode_token([page.position])
        # The events are kept as the JSON that was delivered. To parse and write them again would
        # take most of the time of the answer.
        body = f'{{"events":[{",".join(page.events)}],"nextPageToken":{json.dumps(token)}}}'
        return Response(status_code=200, content_type="application/json", body=body)

    return router
