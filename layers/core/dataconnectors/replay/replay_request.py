"""Replay requests: which part of history a call asks for, and what it may not ask for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.events.event import MAXIMUM_SECONDS_AHEAD
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.fields import values_to_set
from dataconnectors.kernel.ids import is_id

MAXIMUM_DEVICES = 100
"""Devices that a replay may name. Each of its checkpoints writes its whole row, so the row has to
be small: a hundred ids of the usual length have 2 KB."""

FIELDS = ("startTime", "endTime", "eventTypes", "devices")
OUTPUT_ONLY = (
    "name",
    "state",
    "sent",
    "skipped",
    "total",
    "createTime",
    "updateTime",
    "error",
)
"""Fields that answers have and requests cannot set."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """The events from `start` on and before `end`, in epoch seconds.

    Empty `event_types` and `devices` (ids, in their order) mean all.
    """

    start: float
    end: float
    event_types: tuple[str, ...]
    devices: tuple[str, ...]

    def event_types_of(self, connector: Connector) -> tuple[str, ...]:
        """The types that are sent to a connector: those that are asked for, or all of its own.

        Raises `BadRequestError` for a type that the connector does not want.
        """
        unwanted = set(self.event_types) - set(connector.event_types)
        if connector.event_types and unwanted:
            raise BadRequestError(
                f"eventTypes: {connector.name} does not push {min(unwanted)}: add it to the "
                "connector's events first, or leave it out"
            )
        return self.event_types or tuple(sorted(connector.event_types))


def parse_replay(body: Any, project: str, now: float) -> ReplayRequest:
    """Read the body of a call that starts a replay; raises `BadRequestError` that names the field.

    `now` is in epoch seconds. `endTime` may be as far ahead as an event's timestamp.
    """
    values = values_to_set(body, FIELDS, output_only=OUTPUT_ONLY)
    start = _time(values.get("startTime"), "startTime")
    end = _time(values.get("endTime"), "endTime")
    if end <= start:
        raise BadRequestError("endTime: not after startTime")
    if start < now - RETENTION_SECONDS:
        raise BadRequestError(
            f"startTime: more than {RETENTION_SECONDS // 86400} days ago: history does not go back "
            f"further than to {times.to_text(now - RETENTION_SECONDS)}, so give a later time"
        )
    if end > now + MAXIMUM_SECONDS_AHEAD:
        raise BadRequestError(
            "endTime: in the future: give a time until now. Events that are accepted from now on "
            "are pushed anyway"
        )
    return ReplayRequest(
        start,
        end,
        _event_types(values.get("eventTypes")),
        _devices(values.get("devices"), project),
    )


def _time(value: Any, name: str) -> float:
    try:
        if not isinstance(value, str):
            raise ValueError
        return times.from_text(value)
    except (ValueError, OverflowError):
        raise BadRequestError(
            f"{name}: {value!r:.40}, expected an RFC 3339 time with a zone"
        ) from None


def _event_types(value: Any) -> tuple[str, ...]:
    event_types = _texts(value, "eventTypes", len(EVENT_TYPES))
    for event_type in event_types:
        if event_type not in EVENT_TYPES:
            raise BadRequestError(f"eventTypes: {event_type!r:.40} is unknown")
        if event_type in NOT_IN_HISTORY:
            raise BadRequestError(
                f"eventTypes: {event_type} events are not kept, so they cannot be replayed"
            )
    return tuple(sorted(set(event_types)))


def _devices(value: Any, project: str) -> tuple[str, ...]:
    prefix = f"projects/{project}/devices/"
    names = _texts(value, "devices", MAXIMUM_DEVICES)
    for name in names:
        if not (name.startswith(prefix) and is_id(name.removeprefix(prefix))):
            raise BadRequestError(f"devices: {name!r:.80}, expected {prefix}<device>")
    return tuple(sorted({name.removeprefix(prefix) for name in names}))


def _texts(value: Any, name: str, most: int) -> Sequence[str]:
    """A list of texts, which is empty for null; raises `BadRequestError` for more than `most`."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise BadRequestError(f"{name}: expected a list of texts")
    if len(value) > most:
        raise BadRequestError(
            f"{name}: {len(value)} given, at most {most}: leave the list out for all, or make "
            "several replays, one after the other"
        )
    return value
