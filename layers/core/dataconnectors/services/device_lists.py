"""Lists of devices over one or several projects: filtered, ordered and cut into pages."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from dataconnectors.devices.device import Device, DeviceState
from dataconnectors.devices.device_filter import DeviceFilter
from dataconnectors.devices.device_order import DeviceOrder, parse_position
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store import keys
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.projects import ProjectStore

LARGEST_PAGE = 1000
"""Devices on a page, also when a request names no size: the vendor's SDK never names one, and may
send 25 requests in five seconds."""

MOST_LISTED = 10_000
"""Devices that one request looks through to filter or order them."""

MOST_PROJECTS = 50
"""Projects with devices that one request looks through: each takes sixteen queries."""

MOST_READ = 64 * 1024 * 1024
"""Bytes of events that one request looks through. Devices report a few hundred bytes each."""

MOST_ANSWERED = 3 * 1024 * 1024
"""Bytes of events in one answer. Lambda allows an answer of 6 MB."""

_Rank = tuple[str, int, str]
"""The place of a device in an unordered list: project, number of the partition, id."""

_BEGINNING: _Rank = ("", -1, "")


@dataclass(frozen=True, slots=True)
class DeviceQuery:
    """What a list request asks for.

    `size` is the most devices on the page. `position` is what the page token holds, unchecked;
    None for the first page.
    """

    filter: DeviceFilter
    order: DeviceOrder | None
    size: int
    position: list[Any] | None


class _Budget:
    """How many bytes of events a request may still look through, in all its threads."""

    def __init__(self) -> None:
        self._left = MOST_READ
        self._lock = Lock()

    def take(self, size: int) -> None:
        """Use up `size` bytes; raises `BadRequestError` when fewer are left."""
        with self._lock:
            self._left -= size
            left = self._left
        if left < 0:
            raise BadRequestError(
                "the last events of these devices are too large to be looked through: list one "
                "project without filters and order, or name device_ids"
            )


class DeviceListService:
    """Lists devices of any projects. Checks no permission."""

    def __init__(self, store: DeviceStore, projects: ProjectStore, executor: Executor) -> None:
        """Partitions and projects are read in parallel by `executor`."""
        self._store = store
        self._projects = projects
        self._executor = executor

    def page(self, projects: Sequence[str], wanted: DeviceQuery) -> dict[str, Any]:
        """One page of a list. Without an order it is sorted by project, partition and id."""
        order = wanted.order
        if order is None:
            start = _read_position(wanted.position)
            states = self._states(projects, wanted, start)
            return self._page((s for s in states if _rank(s.device) > start), wanted, _position_of)
        position = parse_position(wanted.position)
        ordered = order.sort(self._states(projects, wanted, _BEGINNING))
        if position is not None:
            ordered = order.after(ordered, position)
        places = {state.device.name: [key, state.device.id] for key, state in ordered}
        shown = (state for _, state in ordered)
        return self._page(shown, wanted, lambda state: places[state.device.name])

    def _page(
        self,
        states: Iterable[DeviceState],
        wanted: DeviceQuery,
        position_of: Callable[[DeviceState], list[Any]],
    ) -> dict[str, Any]:
        shown: list[DeviceState] = []
        token = ""
        size = 0
        for state in states:
            size += state.size()
            if shown and (len(shown) == wanted.size or size > MOST_ANSWERED):
                token = paging.encode_token(position_of(shown[-1]))
                break
            shown.append(state)
        return {"devices": [state.to_api() for state in shown], "nextPageToken": token}

    def _states(
        self, projects: Sequence[str], wanted: DeviceQuery, start: _Rank
    ) -> Iterable[DeviceState]:
        """The devices that match the filter. Some of those up to `start` may be missing."""
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
        if wanted.order is None and not chosen.has_criteria_beyond_ids():
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
        """A project's devices after `start`, read only as far as the caller iterates."""
        for shard, partition in enumerate(keys.device_partitions(project)):
            if (project, shard) >= start[:2]:
                behind = start[2] if (project, shard) == start[:2] else ""
                yield from self._store.states(project, partition, behind)

    def _named(self, projects: Sequence[str], chosen: DeviceFilter) -> list[DeviceState]:
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
        self, project: str, partition: str, chosen: DeviceFilter, budget: _Budget
    ) -> list[DeviceState]:
        found = []
        for state in self._store.states(project, partition):
            budget.take(state.size())
            if chosen.matches(state.device):
                found.append(state)
        return found

    def _counts(self, projects: Sequence[str]) -> dict[str, int]:
        """The number of devices of each of the projects."""
        return {
            project.id: project.sensor_count + project.cloud_connector_count
            for project in self._projects.projects(projects)
        }


def _rank(device: Device) -> _Rank:
    return device.project, keys.device_shard(device.id), device.id


def _position_of(state: DeviceState) -> list[Any]:
    return [state.device.project, state.device.id]


def _read_position(position: list[Any] | None) -> _Rank:
    """The place that a page token of an unordered list holds; raises `BadRequestError`."""
    match position:
        case None:
            return _BEGINNING
        case [str(project), str(device_id)] if is_id(project) and is_id(device_id):
            return project, keys.device_shard(device_id), device_id
    raise paging.wrong_token()
