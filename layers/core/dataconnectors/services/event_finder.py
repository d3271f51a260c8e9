"""Finding an event by its id, although history is kept by device and time."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

from dataconnectors.events.event import MAXIMUM_SECONDS_AHEAD, Event
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.kernel.ids import LONGEST_ID, is_id, time_of_id
from dataconnectors.store import keys
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import HistoryStore, KeptEvent
from dataconnectors.store.projects import ProjectStore

SEARCHED_DEVICES = 1000
"""Devices of a project at most in which an event is searched without naming its device: a Query
each, 32 at a time, which take a quarter of a second and 1,000 read units."""

AROUND = 600.0
"""Seconds before and after the time in an event's id, in which its timestamp is looked for. An id
is made when an event is published. Devices report within seconds, unless they were offline."""


class EventReference(NamedTuple):
    """What a caller knows of an event. `device` is an id or "", `time` epoch seconds or None."""

    event_id: str
    device: str = ""
    time: float | None = None


def parse_reference(event: Any, device: Any, time: Any, project: str) -> EventReference:
    """Read a reference to an event; raises `BadRequestError` that names the field.

    None and "" mean that a field is not set. `device` may also be a resource name.
    """
    if not is_id(event):
        raise BadRequestError(f"event: expected the id of an event, 1 to {LONGEST_ID} characters")
    if device in (None, ""):
        device = ""
    elif isinstance(device, str):
        device = device.removeprefix(f"projects/{project}/devices/")
    if device != "" and not is_id(device):
        raise BadRequestError(f"device: expected the id of a device of projects/{project}")
    moment = None
    if time not in (None, ""):
        try:
            # A `+` that a client forgot to encode arrives as a space.
            moment = times.from_text(time.replace(" ", "+"))
        except (AttributeError, ValueError, OverflowError):
            raise BadRequestError(
                "time: expected the timestamp of the event, an RFC 3339 time with a zone"
            ) from None
    return EventReference(event, device, moment)


class EventFinder:
    """Finds events of history. `map_parallel` is like `map`, perhaps in threads."""

    def __init__(
        self,
        history: HistoryStore,
        devices: DeviceStore,
        projects: ProjectStore,
        map_parallel: Callable[..., Iterable[Any]],
        *,
        keeps_history: bool,
        now: Callable[[], float],
    ) -> None:
        """`now` gives epoch seconds."""
        self._history = history
        self._devices = devices
        self._projects = projects
        self._map = map_parallel
        self._keeps_history = keeps_history
        self._now = now

    def find(self, project: str, wanted: EventReference) -> KeptEvent | None:
        """The event, or None when it was not found. Without its device not all places are searched.

        With the device, its whole history is searched, newest first, as far as one search goes.
        Without it, the last values of all devices are, and what they reported around the event's
        time, which its id may tell.
        """
        oldest = self._now() - RETENTION_SECONDS
        if wanted.device:
            found = self._find_at(project, wanted.device, wanted)
        else:
            found = self._find_anywhere(project, wanted)
        # DynamoDB deletes what is too old some time later. It is not shown either way.
        return found if found is not None and found.event.timestamp >= oldest else None

    def not_found(self, project: str, wanted: EventReference) -> NotFoundError:
        """What to tell a caller whose event was not found."""
        name = f"event {wanted.event_id}"
        if not self._keeps_history:
            return NotFoundError(
                f"{name} is no last value of a device, and this deployment keeps no history "
                "(KeepHistory=false)"
            )
        days, without = RETENTION_SECONDS // 86400, ", ".join(sorted(NOT_IN_HISTORY))
        if wanted.device:
            return NotFoundError(
                f"{name} is not in the history of projects/{project}/devices/{wanted.device}, "
                f"which has {days} days, without {without} and tests: check the id and the device"
            )
        return NotFoundError(
            f"{name} was not found in projects/{project}: name its device too, and its time if you "
            f"know it. History has {days} days, without {without} and tests. Without a device, "
            f"last values are searched, and {AROUND / 60:.0f} minutes around the time in the "
            f"event's id, if the project has at most {SEARCHED_DEVICES} devices"
        )

    def _find_at(self, project: str, device: str, wanted: EventReference) -> KeptEvent | None:
        """Search the history of one device."""
        now = self._now()
        around = self._search_around(project, wanted, device)
        if around is not None:
            return around
        return self._history.search(
            project, device, wanted.event_id, now - RETENTION_SECONDS, now + MAXIMUM_SECONDS_AHEAD
        )

    def _find_anywhere(self, project: str, wanted: EventReference) -> KeptEvent | None:
        """Search all devices of a project, unless it has too many."""
        row = self._projects.project(project)
        if row is None or row.sensor_count + row.cloud_connector_count > SEARCHED_DEVICES:
            return None
        read = partial(self._last_value, project, wanted.event_id)
        devices: list[str] = []
        for found, ids in self._map(read, keys.device_partitions(project)):
            if found is not None:
                kept = self._history.event(project, found.device, found.timestamp, found.id)
                return kept or KeptEvent(found, None)
            devices += ids
        search = partial(self._search_around, project, wanted)
        return next((found for found in self._map(search, devices) if found is not None), None)

    def _last_value(
        self, project: str, event_id: str, partition: str
    ) -> tuple[Event | None, list[str]]:
        """The event if it is a last value in one partition, and the ids of the devices there."""
        devices = []
        for state in self._devices.states(project, partition):
            devices.append(state.device.id)
            for event_type, text in state.events.items():
                # Most texts do not have the id at all, and reading JSON takes longer.
                if event_id not in text or event_type not in EVENT_TYPES:
                    continue
                fields = json.loads(text)
                if fields["eventId"] == event_id:
                    timestamp = times.from_text(fields["timestamp"])
                    event = Event(event_id, state.device.id, event_type, timestamp, text)
                    return event, devices
        return None, devices

    def _search_around(self, project: str, wanted: EventReference, device: str) -> KeptEvent | None:
        """Search a device's history around the time that the caller or the id gives, if any."""
        if wanted.time is not None:
            exact = self._history.event(project, device, wanted.time, wanted.event_id)
            if exact is not None:
                return exact
        around = time_of_id(wanted.event_id) if wanted.time is None else wanted.time
        now = self._now()
        if around is None or not now - RETENTION_SECONDS - AROUND <= around <= now + AROUND:
            return None
        start, end = around - AROUND, around + AROUND
        return self._history.search(project, device, wanted.event_id, start, end)
