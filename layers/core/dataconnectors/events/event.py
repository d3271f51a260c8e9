"""Events: what devices report, the limits of an event, and its JSON as receivers get it."""

from dataclasses import dataclass
from typing import Any

from dataconnectors.events.event_types import EVENT_TYPES, LABELS_CHANGED
from dataconnectors.events.field_checks import check_fields, check_time
from dataconnectors.events.omitted_fields import fill_in
from dataconnectors.kernel import jsontext, times
from dataconnectors.kernel.errors import EventError
from dataconnectors.kernel.ids import LONGEST_ID, is_id

MAXIMUM_BYTES = 32 * 1024
"""UTF-8 bytes of one event's JSON. Labels and escapes then still fit a message of 64 KiB."""

MAXIMUM_SECONDS_AHEAD = 5 * 60
"""How far an event's timestamp may be ahead of our clock: devices' clocks drift."""

MAXIMUM_AGE_SECONDS = 31 * 24 * 3600
"""How old an event's timestamp may be. History keeps events no longer than that, so an older event
could never be read back."""

_LABELS_NOT_PUBLISHED = "labelsChanged: made by changing labels, not published"
_ENVELOPE_FIELDS = ("eventId", "targetName", "eventType", "data", "timestamp")


@dataclass(frozen=True, slots=True)
class Event:
    """One valid event.

    `json` is its text as delivered. `timestamp` is in epoch seconds; the text keeps the timestamp
    as the publisher wrote it.
    """

    id: str
    device: str
    type: str
    timestamp: float
    json: str


def parse_event(
    envelope: Any, project: str, now: float, *, from_label_change: bool = False
) -> Event:
    """Read an event that its publisher gives with the whole envelope; raises `EventError`.

    Fields that the vendor's servers fill in (`samples`, `isBackfilled`, …) are filled in here too.
    `now` is in epoch seconds. A labelsChanged event is refused unless it comes `from_label_change`:
    publishers must not forge changes of labels.
    """
    if not isinstance(envelope, dict):
        raise EventError("expected an object")
    for name in envelope:
        if name not in _ENVELOPE_FIELDS:
            raise EventError(f"{name!r:.40}: unknown, expected {', '.join(_ENVELOPE_FIELDS)}")
    for name in _ENVELOPE_FIELDS:
        if name not in envelope:
            raise EventError(f"{name}: missing")
    if not is_id(envelope["eventId"]):
        raise EventError(f"eventId: expected 1 to {LONGEST_ID} letters, digits, '-' or '_'")
    device = _target_device(envelope["targetName"], project)
    check_time(envelope["timestamp"], "timestamp")
    if envelope["eventType"] == LABELS_CHANGED and not from_label_change:
        raise EventError(f"eventType: {_LABELS_NOT_PUBLISHED}")
    return _event(envelope, device, now)


def parse_emulated_event(
    payload: Any, project: str, device: str, event_id: str, now: float
) -> Event:
    """Read what an emulated device publishes: `{"<type>": {data}}`; raises `EventError`.

    The event's timestamp is the data's `updateTime`, or `now` (epoch seconds) without one.
    """
    if not isinstance(payload, dict) or len(payload) != 1:
        raise EventError('expected an object with one event type, such as {"touch": {}}')
    (event_type, fields), *_ = payload.items()
    if event_type == LABELS_CHANGED:
        raise EventError(_LABELS_NOT_PUBLISHED)
    timestamp = times.to_text(now)
    if isinstance(fields, dict) and "updateTime" in fields:
        timestamp = fields["updateTime"]
        check_time(timestamp, f"{event_type}.updateTime")
    envelope = {
        "eventId": event_id,
        "targetName": f"projects/{project}/devices/{device}",
        "eventType": event_type,
        "data": payload,
        "timestamp": timestamp,
    }
    return _event(envelope, device, now)


def _target_device(target: Any, project: str) -> str:
    """Return the id of the device that `targetName` names, which must be one of the project's."""
    prefix = f"projects/{project}/devices/"
    if isinstance(target, str) and target.startswith(prefix):
        device = target.removeprefix(prefix)
        if is_id(device):
            return device
    raise EventError(f"targetName: expected {prefix}<device>")


def _event(envelope: dict[str, Any], device: str, now: float) -> Event:
    event_type = envelope["eventType"]
    if not isinstance(event_type, str) or event_type not in EVENT_TYPES:
        raise EventError(f"eventType: {event_type!r:.40} is unknown")
    timestamp = times.from_text(envelope["timestamp"])
    if timestamp > now + MAXIMUM_SECONDS_AHEAD:
        raise EventError(f"timestamp: more than {MAXIMUM_SECONDS_AHEAD // 60} minutes ahead")
    if timestamp < now - MAXIMUM_AGE_SECONDS:
        raise EventError(f"timestamp: more than {MAXIMUM_AGE_SECONDS // 86400} days old")
    data = _complete_data(event_type, envelope["data"], envelope["timestamp"])
    text = jsontext.dumps({name: envelope[name] for name in _ENVELOPE_FIELDS} | {"data": data})
    size = len(text.encode())
    if size > MAXIMUM_BYTES:
        raise EventError(f"{size} bytes, at most {MAXIMUM_BYTES}")
    return Event(envelope["eventId"], device, event_type, timestamp, text)


def _complete_data(event_type: str, data: Any, timestamp: str) -> dict[str, Any]:
    """Return an event's data, checked and with the fields that its publisher left out."""
    if event_type == LABELS_CHANGED:
        return check_fields(data, "data", EVENT_TYPES[event_type])
    if not isinstance(data, dict) or list(data) != [event_type]:
        raise EventError(f"data: expected an object with the one key {event_type!r}")
    fields = data[event_type]
    where = f"data.{event_type}"
    if not isinstance(fields, dict):
        raise EventError(f"{where}: expected an object")
    fields = fill_in(event_type, fields, timestamp)
    check_time(fields["updateTime"], f"{where}.updateTime")
    return {event_type: check_fields(fields, where, EVENT_TYPES[event_type])}
