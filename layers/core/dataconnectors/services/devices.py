"""Routes of devices: reading and moving them, and making and removing emulated ones."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.devices import listing as device_lists
from dataconnectors.devices.device import (
    EMULATED_PREFIX,
    Device,
    DeviceState,
    batch_error,
    parse_emulated,
    parse_name,
    parse_names,
)
from dataconnectors.devices.listing import Filter, Order
from dataconnectors.identity.access import Access, Caller
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError, RequestError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id
from dataconnectors.store import keys
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import BATCH_GET_KEYS

COLLECTION = "/v2/projects/<project>/devices"

ANY_PROJECT = "-"
"""In a path: every project that the caller may read."""

LARGEST_PAGE = 1000
"""Devices on a page, also when a request names no size: the vendor's SDK never does, and may make
25 requests in five seconds."""

MOST_LISTED = 10_000
"""Devices that one request looks through to filter or order them."""

MOST_PROJECTS = 50
"""Projects with devices that one request looks through: each takes sixteen queries."""

MOST_READ = 64 * 1024 * 1024
"""Bytes of events that one request looks through: devices report a few hundred each."""

MOST_ANSWERED = 3 * 1024 * 1024
"""Bytes of events behind one answer; Lambda's answers have 6 MB at most."""

MOST_TRANSFERRED = 50
"""Devices of one transfer: each is a transaction of its own on both projects' counters."""


_Rank = tuple[str, int, str]
"""Where an unordered list has a device: project, number of the partition, id."""

_BEGINNING: _Rank = ("", -1, "")


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """What a list request asks for."""

    filter: Filter
    order: Order | None
    size: int
    position: list[Any] | None


class _Budget:
    """How many bytes of events a request may still look through, in all its threads."""

    def __init__(self) -> None:
        self._left = MOST_READ
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Raises `BadRequestError` when there are not so many left."""
        with self._lock:
            self._left -= size
            left = self._left
        if left < 0:
            raise BadRequestError(
                "the last events of these devices are too large to be looked through: list one "
                "project without filters and order, or name device_ids"
            )


class Devices:
    """Devices of any project. Checks no permission."""

    def __init__(self, store: DeviceStore, projects: ProjectStore, executor: Executor) -> None:
        self._store = store
        self._projects = projects
        self._executor = executor

    def get(self, project: str, device_id: str) -> DeviceState:
        """A device with its last values."""
        state = self._store.state(project, device_id) if is_id(device_id) else None
        if state is None:
            raise NotFoundError(f"projects/{project}/devices/{device_id:.80} is not there")
        return state

    def find(self, projects: Iterable[str], device_id: str) -> DeviceState:
        """A device in whichever of the projects has it."""
        project = self._store.project_of(device_id, projects) if is_id(device_id) else None
        if project is None:
            raise NotFoundError(f"no project of yours has a device {device_id:.80}")
        return self.get(project, device_id)

    def page(self, projects: Sequence[str], wanted: DeviceQuery) -> dict[str, Any]:
        """One page of a list: without an order by project, partition and id."""
        order = wanted.order
        if order is None:
            start = _read_place(wanted.position)
            states = self._states(projects, wanted, start)
            return self._page((s for s in states if _rank(s.device) > start), wanted, _place)
        position = device_lists.read_position(wanted.position)
        ordered = order.sort(self._states(projects, wanted, _BEGINNING))
        if position is not None:
            ordered = device_lists.after(ordered, order, position)
        places = {state.device.name: [key, state.device.id] for key, state in ordered}
        shown = (state for _, state in ordered)
        return self._page(shown, wanted, lambda state: places[state.device.name])

    def _page(
        self,
        states: Iterable[DeviceState],
        wanted: DeviceQuery,
        place: Callable[[DeviceState], list[Any]],
    ) -> dict[str, Any]:
        shown: list[DeviceState] = []
        token = ""
        size = 0
        for state in states:
            size += state.size()
            if shown and (len(shown) == wanted.size or size > MOST_ANSWERED):
                token = paging.encode(place(shown[-1]))
                break
            shown.append(state)
        return {"devices": [state.to_api() for state in shown], "nextPageToken": token}

    def _states(
        self, projects: Sequence[str], wanted: DeviceQuery, start: _Rank
    ) -> Iterable[DeviceState]:
        """The devices that the filter lets pass; some of those up to `start` may be left out."""
        chosen = wanted.filter
        if chosen.ids and len(projects) == 1:
            return self._named(projects, chosen)
        counts = self._counts(projects)
        projects = [project for project in projects if counts.get(project)]
        if len(projects) > MOST_PROJECTS:
            raise BadRequestError(
                f"{len(projects)} projects would have to be looked through, at most "
                f"{MOST_PROJECTS} are: choose some with projects, or list them one by one"
            )
        if chosen.ids:
            return self._named(projects, chosen)
        count = sum(counts.values())
        if wanted.order is None and not chosen.chooses():
            projects = [project for project in projects if project >= start[0]]
            if len(projects) == 1 and count > wanted.size:
                return self._walk(projects[0], start)
        if count > MOST_LISTED:
            raise BadRequestError(
                f"{count} devices would have to be looked through, at most {MOST_LISTED} are: "
                "list one project without filters and order, or name device_ids"
            )
        budget = _Budget()
        jobs = [
            partial(self._matching, project, partition, chosen, budget)
            for project in projects
            for partition in keys.device_partitions(project)
        ]
        return [state for found in self._executor.map(lambda job: job(), jobs) for state in found]

    def _walk(self, project: str, start: _Rank) -> Iterable[DeviceState]:
        """A project's devices behind `start`, read only as far as somebody asks for them."""
        for shard, partition in enumerate(keys.device_partitions(project)):
            if (project, shard) >= start[:2]:
                behind = start[2] if (project, shard) == start[:2] else ""
                yield from self._store.states(project, partition, behind)

    def _named(self, projects: Sequence[str], chosen: Filter) -> list[DeviceState]:
        found = self._executor.map(
            lambda project: self._store.devices(project, chosen.ids).values(), projects
        )
        matching = [device for devices in found for device in devices if chosen.matches(device)]
        states = self._executor.map(
            lambda device: self._store.state(device.project, device.id),
            sorted(matching, key=_rank),
        )
        return [state for state in states if state is not None]

    def _matching(
        self, project: str, partition: str, chosen: Filter, budget: "_Budget"
    ) -> list[DeviceState]:
        found = []
        for state in self._store.states(project, partition):
            budget.take(state.size())
            if chosen.matches(state.device):
                found.append(state)
        return found

    def _counts(self, projects: Sequence[str]) -> dict[str, int]:
        """How many devices each of the projects has."""
        return {
            project.id: project.sensor_count + project.cloud_connector_count
            for start in range(0, len(projects), BATCH_GET_KEYS)
            for project in self._projects.projects(projects[start : start + BATCH_GET_KEYS])
        }

    def create(self, device: Device) -> None:
        """Add a device."""
        self._store.create_device(device)

    def delete(self, project: str, device_id: str) -> dict[str, Any]:
        """Delete an emulated device with its last values; its history stays."""
        device = self.get(project, device_id).device
        if not device.id.startswith(EMULATED_PREFIX):
            raise BadRequestError(
                f"{device.name} is not emulated: only emulated ones are deleted; others can be "
                "transferred to another project (devices:transfer)"
            )
        self._store.delete_device(device)
        return {}

    def transfer(
        self, name: str, target: str, may_leave: Callable[[str], bool]
    ) -> dict[str, Any] | None:
        """Move a device to the project `target`; what failed about it, None when nothing did."""
        parsed = parse_name(name)
        if parsed is None or parsed[0] == target:
            return batch_error(
                name, "INVALID_ARGUMENT", "expected projects/<another project>/devices/<device>"
            )
        project, device_id = parsed
        state = self._store.state(project, device_id) if may_leave(project) else None
        if state is None:
            return batch_error(
                name, "NOT_FOUND", f"{name:.200} is not there, or you may not transfer it"
            )
        try:
            self._store.transfer(state, target)
        except ConflictError as error:
            return batch_error(name, "INTERNAL_ERROR", f"{error}: try again")
        return None


def _rank(device: Device) -> _Rank:
    return device.project, keys.device_shard(device.id), device.id


def _place(state: DeviceState) -> list[Any]:
    return [state.device.project, state.device.id]


def _read_place(position: list[Any] | None) -> _Rank:
    """What a page token of an unordered list holds; raises `BadRequestError`."""
    match position:
        case None:
            return _BEGINNING
        case [str(project), str(device_id)] if is_id(project) and is_id(device_id):
            return project, keys.device_shard(device_id), device_id
    raise paging.bad_token()


def routes(
    devices: Devices,
    access: Access,
    visible: Callable[[Caller], Sequence[str]],
    *,
    entropy: Callable[[int], bytes],
    now: Callable[[], float],
) -> Router:
    """`/v2/projects/{project}/devices` and below, labels aside.

    `visible` gives the ids of the projects that a caller may read; `entropy` random bytes, `now`
    epoch seconds.
    """
    router = Router()
    request = ApiRequest(router, access)

    def listed_projects() -> list[str]:
        """Those that a list over several projects asks for."""
        caller = request.caller()
        for organization in gateway.query(request.event, "organization"):
            if organization not in ("", ORGANIZATION):
                raise NotFoundError(f"{organization:.90} is not there, or you are no member of it")
        own = sorted(visible(caller))
        named = [name for name in gateway.query(request.event, "projects") if name]
        for name in named:
            if name.removeprefix("projects/") not in own:
                raise NotFoundError(f"{name:.90} is not there, or you are no member of it")
        return [project for project in own if not named or f"projects/{project}" in named]

    @router.get(COLLECTION)
    def list_devices(project: str) -> dict[str, Any]:
        if project == ANY_PROJECT:
            projects = listed_projects()
        else:
            request.project(project, "device.read")
            projects = [project]
        wanted = DeviceQuery(
            filter=device_lists.parse_filter(request.event),
            order=device_lists.parse_order(request.event),
            size=gateway.page_size(request.event, LARGEST_PAGE),
            position=gateway.page_token(request.event),
        )
        return devices.page(projects, wanted)

    @router.post(COLLECTION)
    def create_emulated_device(project: str) -> dict[str, Any]:
        request.project(project, "emulator.create")
        moment = now()
        device_id = new_id(moment, entropy(ENTROPY_BYTES))
        device = parse_emulated(request.body(), project, device_id, times.to_text(moment))
        devices.create(device)
        return device.to_api()

    @router.post(COLLECTION + ":transfer")
    def transfer_devices(project: str) -> dict[str, Any]:
        request.project(project, "device.transfer")
        caller = request.caller()

        def may_leave(source: str) -> bool:
            try:
                access.check(caller, f"projects/{source}", "device.transfer")
            except RequestError:
                return False
            return True

        names = parse_names(request.body(), MOST_TRANSFERRED)
        errors = {name: devices.transfer(name, project, may_leave) for name in names}
        return {
            "transferredDevices": [name for name in names if errors[name] is None],
            "transferErrors": [error for error in errors.values() if error is not None],
        }

    @router.get(COLLECTION + "/<device>")
    def get_device(project: str, device: str) -> dict[str, Any]:
        if project == ANY_PROJECT:
            return devices.find(visible(request.caller()), device).to_api()
        request.project(project, "device.read")
        return devices.get(project, device).to_api()

    @router.delete(COLLECTION + "/<device>")
    def delete_emulated_device(project: str, device: str) -> dict[str, Any]:
        request.project(project, "emulator.delete")
        return devices.delete(project, device)

    return router
