"""Event types: which there are, and which fields the data of each must have.

The vendor's SDK needs these fields to read an event back. An event without one of them would be
delivered, and would then break the receiver.
"""

from collections.abc import Mapping

from dataconnectors.events.field_checks import (
    FieldCheck,
    check_boolean,
    check_integer,
    check_labels,
    check_number,
    check_text,
    check_time,
    list_of,
    object_of,
    one_of,
)

LABELS_CHANGED = "labelsChanged"
"""The type of the events that this service makes itself when a device's labels change. Publishers
cannot send it. Its data has no key with the type's name, unlike the data of the other types."""

_CONNECTION = one_of("ETHERNET", "CELLULAR", "SDS", "OFFLINE")
_PRESENCE = {"state": one_of("PRESENT", "NOT_PRESENT")}

EVENT_TYPES: Mapping[str, Mapping[str, FieldCheck]] = {
    "touch": {},
    "temperature": {
        "value": check_number,
        "samples": list_of(object_of({"value": check_number, "sampleTime": check_time})),
        "isBackfilled": check_boolean,
    },
    "humidity": {
        "temperature": check_number,
        "relativeHumidity": check_number,
        "samples": list_of(
            object_of(
                {
                    "temperature": check_number,
                    "relativeHumidity": check_number,
                    "sampleTime": check_time,
                }
            )
        ),
        "isBackfilled": check_boolean,
    },
    "objectPresent": _PRESENCE,
    "objectPresentCount": {"total": check_integer},
    "touchCount": {"total": check_integer},
    "waterPresent": _PRESENCE,
    "motion": {"state": one_of("MOTION_DETECTED", "NO_MOTION_DETECTED")},
    "deskOccupancy": {
        "state": one_of("OCCUPIED", "NOT_OCCUPIED"),
        "remarks": list_of(check_text),
    },
    "contact": {"state": one_of("OPEN", "CLOSED")},
    "co2": {"ppm": check_number},
    "pressure": {"pascal": check_number},
    "probeWireStatus": {
        "state": one_of(
            "INVALID_WIRE_CONFIGURATION",
            "INVALID_COEFFICIENT_CONFIGURATION",
            "TWO_WIRE",
            "THREE_WIRE",
            "FOUR_WIRE",
        )
    },
    "networkStatus": {
        "signalStrength": check_number,
        "rssi": check_number,
        "transmissionMode": one_of("LOW_POWER_STANDARD_MODE", "HIGH_POWER_BOOST_MODE"),
        "cloudConnectors": list_of(
            object_of({"id": check_text, "signalStrength": check_number, "rssi": check_number})
        ),
    },
    "batteryStatus": {"percentage": check_number},
    "connectionStatus": {"connection": _CONNECTION, "available": list_of(_CONNECTION)},
    "ethernetStatus": {"macAddress": check_text, "ipAddress": check_text},
    "cellularStatus": {"signalStrength": check_number},
    LABELS_CHANGED: {
        "added": check_labels,
        "modified": check_labels,
        "removed": list_of(check_text),
    },
}
"""The required fields of each type's data and their checks. `updateTime` is not listed: every type
except labelsChanged has it."""
