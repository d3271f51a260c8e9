"""Routes of devices: reading them, and making and removing emulated ones."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors import gateway, times
from dataconnectors.access import Access
from dataconnectors.devices import EMULATED_PREFIX, Device, parse_emulated
from dataconnectors.errors import BadRequestError, NotFoundError
from dataconnectors.events import is_id
from dataconnectors.ids import ENTROPY_BYTES, new_id
from dataconnectors.store.devices import DeviceStore

COLLECTION = "/v2/projects/<project>/devices"


def routes(
    store: DeviceStore, access: Access, *, entropy: Callable[[int], bytes], now: Callable[[], float]
) -> Router:
    """`/v2/projects/{project}/devices` and below; `entropy` random bytes, `now` epoch seconds."""
    router = Router()

    def require(project: str, permission: str) -> dict[str, Any]:
        event: dict[str, Any] = router.current_event.raw_event
        access.require(gateway.headers(event), project, permission)
        return event

    def find(project: str, device_id: str) -> Device:
        device = store.device(project, device_id) if is_id(device_id) else None
        if device is None:
            raise NotFoundError(f"projects/{project}/devices/{device_id:.80} is not there")
        return device

    @router.post(COLLECTION)
    def create_emulated_device(project: str) -> dict[str, Any]:
        event = require(project, "emulator.create")
        moment = now()
        device_id = new_id(moment, entropy(ENTROPY_BYTES))
        device = parse_emulated(gateway.json_body(event), project, device_id, times.to_text(moment))
        store.create_device(device)
        return device.to_api()

    @router.get(COLLECTION + "/<device>")
    def get_device(project: str, device: str) -> dict[str, Any]:
        require(project, "device.read")
        return find(project, device).to_api()

    @router.delete(COLLECTION + "/<device>")
    def delete_emulated_device(project: str, device: str) -> dict[str, Any]:
        require(project, "emulator.delete")
        found = find(project, device)
        if not found.id.startswith(EMULATED_PREFIX):
            raise BadRequestError(f"{found.name} is not emulated: only emulated ones are deleted")
        store.delete_device(found)
        return {}

    return router
