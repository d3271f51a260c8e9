"""Routes of devices' labels: of many devices at once, of one device, and of a single label."""

from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.devices import DEVICES
from dataconnectors.api.request import ApiRequest
from dataconnectors.devices.label_change import parse_label_batch
from dataconnectors.identity.access import Access
from dataconnectors.services.labels import LabelService


def routes(service: LabelService, access: Access) -> Router:
    """The routes below `/v2/projects/{project}/devices` that change labels."""
    router = Router()
    request = ApiRequest(router, access)

    @router.post(DEVICES + ":batchUpdate")
    def batch_update(project: str) -> dict[str, Any]:
        request.authorize_project(project, "device.update")
        return service.update_batch(project, parse_label_batch(request.body()))

    @router.put(DEVICES + "/<device>")
    def replace_device(project: str, device: str) -> dict[str, Any]:
        request.authorize_project(project, "device.update")
        return service.replace(project, device, request.body())

    @router.patch(DEVICES + "/<device>/labels/<label>")
    def set_label(project: str, device: str, label: str) -> dict[str, Any]:
        request.authorize_project(project, "device.update")
        body = request.body()
        value = body.get("value") if isinstance(body, dict) else None
        changed = service.set_one(project, device, unquote(label), value)
        return {"name": f"{changed.name}/labels/{label}", "value": value}

    return router
