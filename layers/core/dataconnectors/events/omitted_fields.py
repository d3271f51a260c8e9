"""Omitted fields: what publishers may leave out of an event's data, and what is filled in for it.

The vendor's servers fill in the same fields (`samples`, `isBackfilled`, …). Its SDKs therefore
publish events without them, and fail when they read back an event without them.
"""

from collections.abc import Callable, Mapping
from typing import Any


def fill_in(event_type: str, fields: dict[str, Any], timestamp: str) -> dict[str, Any]:
    """Return the data's fields, completed with those that the publisher left out.

    `timestamp` is the event's own, and the default of `updateTime`. Nothing is checked here: what
    is invalid stays as it is, for the checks to report.
    """
    filled = _with_defaults(fields, {"updateTime": timestamp})
    fill = _FILL.get(event_type)
    return filled if fill is None else fill(filled)


def _with_defaults(fields: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the publisher's fields in their order, followed by the defaults of missing ones."""
    return fields | {name: value for name, value in defaults.items() if name not in fields}


def _fill_temperature(fields: dict[str, Any]) -> dict[str, Any]:
    sample = {"value": fields.get("value"), "sampleTime": fields["updateTime"]}
    return _with_defaults(fields, {"samples": [sample], "isBackfilled": False})


def _fill_humidity(fields: dict[str, Any]) -> dict[str, Any]:
    sample = {name: fields.get(name) for name in ("temperature", "relativeHumidity")}
    sample["sampleTime"] = fields["updateTime"]
    filled = _with_defaults(fields, {"samples": [sample], "isBackfilled": False})
    if isinstance(filled["samples"], list):
        # The vendor's SDK publishes a sample's `temperature` as `celsius` and reads it back as
        # `temperature`.
        filled["samples"] = [
            {_SAMPLE_NAMES.get(name, name): value for name, value in entry.items()}
            if isinstance(entry, dict)
            else entry
            for entry in filled["samples"]
        ]
    return filled


_SAMPLE_NAMES = {"celsius": "temperature"}


def _fill_network_status(fields: dict[str, Any]) -> dict[str, Any]:
    # The vendor's SDK publishes `cloud_connectors` without `rssi` and reads back
    # `cloudConnectors` with it.
    filled = dict(fields)
    connectors = filled.pop("cloud_connectors", [])
    filled = _with_defaults(
        filled,
        {
            "rssi": _rssi(fields.get("signalStrength")),
            "transmissionMode": "LOW_POWER_STANDARD_MODE",
            "cloudConnectors": connectors,
        },
    )
    if isinstance(filled["cloudConnectors"], list):
        filled["cloudConnectors"] = [
            _with_defaults(entry, {"rssi": _rssi(entry.get("signalStrength"))})
            if isinstance(entry, dict)
            else entry
            for entry in filled["cloudConnectors"]
        ]
    return filled


def _rssi(signal_strength: Any) -> int:
    """Return the dBm of a signal strength in percent: -120, a receiver's floor, to -50 at 100 %."""
    if isinstance(signal_strength, bool) or not isinstance(signal_strength, int | float):
        return -120  # The check of signalStrength reports it.
    return round(-120 + 0.7 * min(max(signal_strength, 0), 100))


def _fill_desk_occupancy(fields: dict[str, Any]) -> dict[str, Any]:
    return _with_defaults(fields, {"remarks": []})


_FILL: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "temperature": _fill_temperature,
    "humidity": _fill_humidity,
    "networkStatus": _fill_network_status,
    "deskOccupancy": _fill_desk_occupancy,
}
