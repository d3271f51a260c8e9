"""Routes of devices: listing, reading and moving them, and emulated devices."""

from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.devices.device_filter import parse_device_filter
from dataconnectors.devices.device_order import parse_device_order
from dataconnectors.devices.device_requests import parse_device_names
from dataconnectors.identity.access import Access
from dataconnectors.identity.authentication import Caller
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel.errors import NotFoundError, RequestError
from dataconnectors.services.device_lists import LARGEST_PAGE, DeviceListService, DeviceQuery
from dataconnectors.services.devices import MOST_TRANSFERRED, DeviceService

DEVICES = "/v2/projects/<project>/devices"
"""The path of a project's devices."""

ANY_PROJECT = "-"
"""In the place of a project's id: every project that the caller may read."""


def routes(
    devices: DeviceService,
    lists: DeviceListService,
    access: Access,
    readable_projects: Callable[[Caller], Sequence[str]],
) -> Router:
    """`/v2/projects/{project}/devices` and below, except labels and history.

    `readable_projects` gives the ids of the projects that a caller may read.
    """
    router = Router()
    request = ApiRequest(router, access)

    def listed_projects() -> list[str]:
        """The projects that a list over several projects asks for, all of them readable."""
        caller = request.caller()
        for organization in gateway.query(request.event, "organization"):
            if organization not in ("", ORGANIZATION):
                raise NotFoundError(f"{organization:.90} is not there, or you are no member of it")
        readable = sorted(readable_projects(caller))
        named = [name for name in gateway.query(request.event, "projects") if name]
        for name in named:
            if name.removeprefix("projects/") not in readable:
                raise NotFoundError(f"{name:.90} is not there, or you are no member of it")
        return [project for project in readable if not named or f"projects/{project}" in named]

    @router.get(DEVICES)
    def list_devices(project: str) -> dict[str, Any]:
        if project == ANY_PROJECT:
            projects = listed_projects()
        else:
            request.authorize_project(project, "device.read")
            projects = [project]
        wanted = DeviceQuery(
            filter=parse_device_filter(request.event),
            order=parse_device_order(request.event),
            size=gateway.page_size(request.event, LARGEST_PAGE),
            position=gateway.page_token(request.event),
        )
        return lists.page(projects, wanted)

    @router.post(DEVICES)
    def create_emulated_device(project: str) -> dict[str, Any]:
        request.authorize_project(project, "emulator.create")
        return devices.create_emulated(project, request.body())

    @router.post(DEVICES + ":transfer")
    def transfer_devices(project: str) -> dict[str, Any]:
        request.authorize_project(project, "device.transfer")
        caller = request.caller()

        def may_leave(source: str) -> bool:
            try:
                access.check(caller, f"projects/{source}", "device.transfer")
            except RequestError:
                return False
            return True

        names = parse_device_names(request.body(), MOST_TRANSFERRED)
        return devices.transfer(names, project, may_leave)

    @router.get(DEVICES + "/<device>")
    def get_device(project: str, device: str) -> dict[str, Any]:
        if project == ANY_PROJECT:
            return devices.find(readable_projects(request.caller()), device).to_api()
        request.authorize_project(project, "device.read")
        return devices.get(project, device).to_api()

    @router.delete(DEVICES + "/<device>")
    def delete_emulated_device(project: str, device: str) -> dict[str, Any]:
        request.authorize_project(project, "emulator.delete")
        return devices.delete_emulated(project, device)

    return router
