"""Events: what devices report, its limits, and its JSON as receivers get it.

Each type's fields are those that the vendor's SDK needs to read the event back: an event without
one of them would be delivered, and then break the receiver.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.kernel import jsontext, times
from dataconnectors.kernel.errors import DataConnectorsError
from dataconnectors.kernel.ids import LONGEST_ID, is_id

MAXIMUM_BYTES = 32 * 1024
"""UTF-8 bytes of one event's JSON: leaves room for labels and escapes in a 64 KiB message."""

MAXIMUM_AHEAD = 5 * 60
"""Seconds that an event's timestamp may be ahead of our clock: devices' clocks drift."""

MAXIMUM_AGE = 31 * 24 * 3600
"""Seconds. Older than history keeps, an event could never be read back."""

_NOT_PUBLISHED = "labelsChanged: made by changing labels, not published"
_ENVELOPE = ("eventId", "targetName", "eventType", "data", "timestamp")


class EventError(DataConnectorsError):
    """An event cannot be accepted. The text names the field and what was expected."""


@dataclass(frozen=True, slots=True)
class Event:
    """One valid event. `json` is its text as delivered; `timestamp` is in epoch seconds."""

    id: str
    device: str
    type: str
    timestamp: float
    json: str


def parse(envelope: Any, project: str, now: float, *, from_label_change: bool = False) -> Event:
    """An event whose whole envelope the caller gives; raises `EventError`.

    What the vendor's servers fill in (`samples`, `isBackfilled`, …) is filled in here too. A
    labelsChanged event has to be `from_label_change`: publishers do not tell of labels.
    """
    if not isinstance(envelope, dict):
        raise EventError("expected an object")
    for name in envelope:
        if name not in _ENVELOPE:
            raise EventError(f"{name!r:.40}: unknown, expected {', '.join(_ENVELOPE)}")
    for name in _ENVELOPE:
        if name not in envelope:
            raise EventError(f"{name}: missing")
    if not is_id(envelope["eventId"]):
        raise EventError(f"eventId: expected 1 to {LONGEST_ID} letters, digits, '-' or '_'")
    prefix = f"projects/{project}/devices/"
    target = envelope["targetName"]
    if not isinstance(target, str) or not target.startswith(prefix):
        raise EventError(f"targetName: expected {prefix}<device>")
    device = target.removeprefix(prefix)
    if not is_id(device):
        raise EventError(f"targetName: expected {prefix}<device>")
    _check_time(envelope["timestamp"], "timestamp")
    if envelope["eventType"] == "labelsChanged" and not from_label_change:
        raise EventError(f"eventType: {_NOT_PUBLISHED}")
    return _event(envelope, device, now)


def from_emulator(payload: Any, project: str, device: str, event_id: str, now: float) -> Event:
    """The event of an emulated device's publish call: `{"<type>": {data}}`; raises `EventError`."""
    if not isinstance(payload, dict) or len(payload) != 1:
        raise EventError('expected an object with one event type, such as {"touch": {}}')
    (event_type, fields), *_ = payload.items()
    if event_type == "labelsChanged":
        raise EventError(_NOT_PUBLISHED)
    timestamp = times.to_text(now)
    if isinstance(fields, dict) and "updateTime" in fields:
        timestamp = fields["updateTime"]
        _check_time(timestamp, f"{event_type}.updateTime")
    envelope = {
        "eventId": event_id,
        "targetName": f"projects/{project}/devices/{device}",
        "eventType": event_type,
        "data": payload,
        "timestamp": timestamp,
    }
    return _event(envelope, device, now)


def _event(envelope: dict[str, Any], device: str, now: float) -> Event:
    event_type = envelope["eventType"]
    if not isinstance(event_type, str) or event_type not in EVENT_TYPES:
        raise EventError(f"eventType: {event_type!r:.40} is unknown")
    timestamp = times.from_text(envelope["timestamp"])
    if timestamp > now + MAXIMUM_AHEAD:
        raise EventError(f"timestamp: more than {MAXIMUM_AHEAD // 60} minutes ahead")
    if timestamp < now - MAXIMUM_AGE:
        raise EventError(f"timestamp: more than {MAXIMUM_AGE // 86400} days old")
    data = _complete(event_type, envelope["data"], envelope["timestamp"])
    text = jsontext.dumps({name: envelope[name] for name in _ENVELOPE} | {"data": data})
    size = len(text.encode())
    if size > MAXIMUM_BYTES:
        raise EventError(f"{size} bytes, at most {MAXIMUM_BYTES}")
    return Event(envelope["eventId"], device, event_type, timestamp, text)


def _complete(event_type: str, data: Any, timestamp: str) -> dict[str, Any]:
    """Checked data with the fields that publishers may leave out."""
    if event_type == "labelsChanged":
        return _check_fields(data, "data", EVENT_TYPES[event_type])
    if not isinstance(data, dict) or list(data) != [event_type]:
        raise EventError(f"data: expected an object with the one key {event_type!r}")
    fields = data[event_type]
    where = f"data.{event_type}"
    if not isinstance(fields, dict):
        raise EventError(f"{where}: expected an object")
    fields = _or_else(fields, {"updateTime": timestamp})
    _check_time(fields["updateTime"], f"{where}.updateTime")
    fill = _FILL.get(event_type)
    if fill is not None:
        fields = fill(fields)
    return {event_type: _check_fields(fields, where, EVENT_TYPES[event_type])}


# --- what each type's data has to hold -------------------------------------------------------

_Check = Callable[[Any, str], None]


def _check_fields(fields: Any, where: str, checks: Mapping[str, _Check]) -> dict[str, Any]:
    """Every field of `checks` is there and valid; others are passed on, as SDKs ignore them."""
    if not isinstance(fields, dict):
        raise EventError(f"{where}: expected an object")
    for name, check in checks.items():
        if name not in fields:
            raise EventError(f"{where}.{name}: missing")
        check(fields[name], f"{where}.{name}")
    return fields


def _check_time(value: Any, where: str) -> None:
    try:
        times.from_text(value)
    except (TypeError, ValueError):
        raise EventError(f"{where}: expected an RFC 3339 time with a zone") from None


def _check_number(value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EventError(f"{where}: expected a number")


def _check_integer(value: Any, where: str) -> None:
    if isinstance(value, bool) or not (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    ):
        raise EventError(f"{where}: expected a whole number")


def _check_boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise EventError(f"{where}: expected true or false")


def _check_text(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise EventError(f"{where}: expected a text")


def _check_labels(value: Any, where: str) -> None:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise EventError(f"{where}: expected an object of texts")


def _one_of(*states: str) -> _Check:
    def check(value: Any, where: str) -> None:
        if value not in states:
            raise EventError(f"{where}: expected {' or '.join(states)}")

    return check


def _list_of(check_entry: _Check) -> _Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise EventError(f"{where}: expected a list")
        for position, entry in enumerate(value):
            check_entry(entry, f"{where}[{position}]")

    return check


def _object_of(checks: Mapping[str, _Check]) -> _Check:
    def check(value: Any, where: str) -> None:
        _check_fields(value, where, checks)

    return check


_CONNECTIONS = _one_of("ETHERNET", "CELLULAR", "SDS", "OFFLINE")
_PRESENCE = {"state": _one_of("PRESENT", "NOT_PRESENT")}

EVENT_TYPES: Mapping[str, Mapping[str, _Check]] = {
    "touch": {},
    "temperature": {
        "value": _check_number,
        "samples": _list_of(_object_of({"value": _check_number, "sampleTime": _check_time})),
        "isBackfilled": _check_boolean,
    },
    "humidity": {
        "temperature": _check_number,
        "relativeHumidity": _check_number,
        "samples": _list_of(
            _object_of(
                {
                    "temperature": _check_number,
                    "relativeHumidity": _check_number,
                    "sampleTime": _check_time,
                }
            )
        ),
        "isBackfilled": _check_boolean,
    },
    "objectPresent": _PRESENCE,
    "objectPresentCount": {"total": _check_integer},
    "touchCount": {"total": _check_integer},
    "waterPresent": _PRESENCE,
    "motion": {"state": _one_of("MOTION_DETECTED", "NO_MOTION_DETECTED")},
    "deskOccupancy": {
        "state": _one_of("OCCUPIED", "NOT_OCCUPIED"),
        "remarks": _list_of(_check_text),
    },
    "contact": {"state": _one_of("OPEN", "CLOSED")},
    "co2": {"ppm": _check_number},
    "pressure": {"pascal": _check_number},
    "probeWireStatus": {
        "state": _one_of(
            "INVALID_WIRE_CONFIGURATION",
            "INVALID_COEFFICIENT_CONFIGURATION",
            "TWO_WIRE",
            "THREE_WIRE",
            "FOUR_WIRE",
        )
    },
    "networkStatus": {
        "signalStrength": _check_number,
        "rssi": _check_number,
        "transmissionMode": _one_of("LOW_POWER_STANDARD_MODE", "HIGH_POWER_BOOST_MODE"),
        "cloudConnectors": _list_of(
            _object_of({"id": _check_text, "signalStrength": _check_number, "rssi": _check_number})
        ),
    },
    "batteryStatus": {"percentage": _check_number},
    "connectionStatus": {"connection": _CONNECTIONS, "available": _list_of(_CONNECTIONS)},
    "ethernetStatus": {"macAddress": _check_text, "ipAddress": _check_text},
    "cellularStatus": {"signalStrength": _check_number},
    "labelsChanged": {
        "added": _check_labels,
        "modified": _check_labels,
        "removed": _list_of(_check_text),
    },
}


# --- what publishers may leave out ------------------------------------------------------------


def _or_else(fields: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """The publisher's fields in their order, then the defaults of those it left out."""
    return fields | {name: value for name, value in defaults.items() if name not in fields}


def _fill_temperature(fields: dict[str, Any]) -> dict[str, Any]:
    sample = {"value": fields.get("value"), "sampleTime": fields["updateTime"]}
    return _or_else(fields, {"samples": [sample], "isBackfilled": False})


def _fill_humidity(fields: dict[str, Any]) -> dict[str, Any]:
    sample = {name: fields.get(name) for name in ("temperature", "relativeHumidity")}
    sample["sampleTime"] = fields["updateTime"]
    filled = _or_else(fields, {"samples": [sample], "isBackfilled": False})
    if isinstance(filled["samples"], list):
        # The vendor's SDK publishes a sample's `temperature` as `celsius`, and reads it back
        # as `temperature`.
        filled["samples"] = [
            {_SAMPLE_NAMES.get(name, name): value for name, value in entry.items()}
            if isinstance(entry, dict)
            else entry
            for entry in filled["samples"]
        ]
    return filled


_SAMPLE_NAMES = {"celsius": "temperature"}


def _fill_network_status(fields: dict[str, Any]) -> dict[str, Any]:
    # The vendor's SDK publishes `cloud_connectors` without `rssi`, and reads back
    # `cloudConnectors` with it.
    filled = dict(fields)
    connectors = filled.pop("cloud_connectors", [])
    filled = _or_else(
        filled,
        {
            "rssi": _rssi(fields.get("signalStrength")),
            "transmissionMode": "LOW_POWER_STANDARD_MODE",
            "cloudConnectors": connectors,
        },
    )
    if isinstance(filled["cloudConnectors"], list):
        filled["cloudConnectors"] = [
            _or_else(entry, {"rssi": _rssi(entry.get("signalStrength"))})
            if isinstance(entry, dict)
            else entry
            for entry in filled["cloudConnectors"]
        ]
    return filled


def _rssi(signal_strength: Any) -> int:
    """dBm for a signal strength in percent: 0 % is a receiver's floor of -120, 100 % is -50."""
    if isinstance(signal_strength, bool) or not isinstance(signal_strength, int | float):
        return -120  # the check of signalStrength reports it
    return round(-120 + 0.7 * min(max(signal_strength, 0), 100))


def _fill_desk_occupancy(fields: dict[str, Any]) -> dict[str, Any]:
    return _or_else(fields, {"remarks": []})


_FILL: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "temperature": _fill_temperature,
    "humidity": _fill_humidity,
    "networkStatus": _fill_network_status,
    "deskOccupancy": _fill_desk_occupancy,
}
