"""The data of each type of event in the OpenAPI document."""

from collections.abc import Mapping

from dataconnectors.api.openapi.schema import (
    Schema,
    choice,
    described,
    flag,
    list_of,
    number,
    object_of,
    ref,
    text,
    texts,
    time,
)
from dataconnectors.events.event_types import EVENT_TYPES, LABELS_CHANGED

_TIME_OF_DATA = time("When it was measured. The default is the timestamp of the event.")
_STRENGTH = number("Percent.")
_CONNECTION = choice(("ETHERNET", "CELLULAR", "SDS", "OFFLINE"))
_BACKFILLED = flag("Whether the device was offline when it measured.")


def _samples(values: Schema) -> Schema:
    return list_of(object_of(values | {"sampleTime": time("")}))


_TEMPERATURE = number("Degrees Celsius.")
_HUMIDITY = {"temperature": _TEMPERATURE, "relativeHumidity": number("Percent.")}
_PRESENCE = {"state": choice(("PRESENT", "NOT_PRESENT"))}
_RADIO = {"signalStrength": _STRENGTH, "rssi": number("dBm.")}
_LABELS_BY_KEY = texts("Values by key.")

DATA: Mapping[str, Schema] = {
    "touch": {},
    "temperature": {
        "value": _TEMPERATURE,
        "samples": _samples({"value": _TEMPERATURE}),
        "isBackfilled": _BACKFILLED,
    },
    "humidity": _HUMIDITY | {"samples": _samples(_HUMIDITY), "isBackfilled": _BACKFILLED},
    "objectPresent": _PRESENCE,
    "objectPresentCount": {
        "total": described({"type": "integer"}, "The count since the device was started.")
    },
    "touchCount": {
        "total": described({"type": "integer"}, "The count since the device was started.")
    },
    "waterPresent": _PRESENCE,
    "motion": {"state": choice(("MOTION_DETECTED", "NO_MOTION_DETECTED"))},
    "deskOccupancy": {
        "state": choice(("OCCUPIED", "NOT_OCCUPIED")),
        "remarks": list_of({"type": "string"}),
    },
    "contact": {"state": choice(("OPEN", "CLOSED"))},
    "co2": {"ppm": number("Parts per million.")},
    "pressure": {"pascal": number("Pascal.")},
    "probeWireStatus": {
        "state": choice(
            (
                "INVALID_WIRE_CONFIGURATION",
                "INVALID_COEFFICIENT_CONFIGURATION",
                "TWO_WIRE",
                "THREE_WIRE",
                "FOUR_WIRE",
            )
        )
    },
    "networkStatus": _RADIO
    | {
        "transmissionMode": choice(("LOW_POWER_STANDARD_MODE", "HIGH_POWER_BOOST_MODE")),
        "cloudConnectors": list_of(object_of({"id": text()} | _RADIO)),
    },
    "batteryStatus": {"percentage": number("Percent.")},
    "connectionStatus": {"connection": _CONNECTION, "available": list_of(_CONNECTION)},
    "ethernetStatus": {"macAddress": text(), "ipAddress": text()},
    "cellularStatus": {"signalStrength": _STRENGTH},
    "labelsChanged": {
        "added": _LABELS_BY_KEY,
        "modified": _LABELS_BY_KEY,
        "removed": list_of({"type": "string"}, "The keys of the removed labels."),
    },
}
"""The fields of each type's data, besides `updateTime`."""

OPTIONAL_WHEN_PUBLISHED: Mapping[str, tuple[str, ...]] = {
    "temperature": ("samples", "isBackfilled"),
    "humidity": ("samples", "isBackfilled"),
    "networkStatus": ("rssi", "transmissionMode", "cloudConnectors"),
    "deskOccupancy": ("remarks",),
}
"""The fields that publishers may leave out, besides `updateTime`: ingest fills them in."""

REPORTED = tuple(event_type for event_type in EVENT_TYPES if event_type != LABELS_CHANGED)
"""Types whose data is an object under the name of the type."""


def type_name(event_type: str) -> str:
    """The type as names of schemas begin: `Temperature` for `temperature`."""
    return event_type[0].upper() + event_type[1:]


def data_of(event_type: str, *, published: bool) -> Schema:
    """The data of one type; `published` as publishers may send it, else as answers show it."""
    optional = ("updateTime", *OPTIONAL_WHEN_PUBLISHED.get(event_type, ())) if published else ()
    return object_of(dict(DATA[event_type]) | {"updateTime": _TIME_OF_DATA}, optional)


def by_type(*, published: bool, only_one: bool) -> Schema:
    """An object that holds data under the name of its type: of `only_one` type, or of several."""
    prefix = "Published" if published else ""
    named = {each: ref(f"{prefix}{type_name(each)}Data") for each in REPORTED}
    bounds = {"minProperties": 1, "maxProperties": 1} if only_one else {}
    return object_of(named, named, additionalProperties=False, **bounds)
