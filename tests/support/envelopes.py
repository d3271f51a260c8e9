"""Valid events of every type, as publishers send them."""

from typing import Any

from dataconnectors.kernel import times

NOW = 1_790_000_000.0
STAMP = times.to_text(NOW)

VALID_DATA: dict[str, dict[str, Any]] = {
    "touch": {},
    "temperature": {"value": 21.5},
    "humidity": {"temperature": 22, "relativeHumidity": 51.5},
    "objectPresent": {"state": "PRESENT"},
    "objectPresentCount": {"total": 4176},
    "touchCount": {"total": 2},
    "waterPresent": {"state": "NOT_PRESENT"},
    "motion": {"state": "MOTION_DETECTED"},
    "deskOccupancy": {"state": "OCCUPIED", "remarks": ["INACTIVE"]},
    "contact": {"state": "OPEN"},
    "co2": {"ppm": 580},
    "pressure": {"pascal": 92000},
    "probeWireStatus": {"state": "THREE_WIRE"},
    "networkStatus": {
        "signalStrength": 53,
        "rssi": -83,
        "transmissionMode": "HIGH_POWER_BOOST_MODE",
        "cloudConnectors": [{"id": "bdkjbo2v0000uk377c4g", "signalStrength": 53, "rssi": -83}],
    },
    "batteryStatus": {"percentage": 100},
    "connectionStatus": {"connection": "OFFLINE", "available": ["CELLULAR"]},
    "ethernetStatus": {"macAddress": "f0:b5:b7:00:0a:08", "ipAddress": "10.0.0.1"},
    "cellularStatus": {"signalStrength": 80},
}


def envelope(event_type: str = "temperature", **changes: Any) -> dict[str, Any]:
    """A valid envelope; a change to None leaves the field out."""
    fields = {
        "eventId": "c0s1v2t3u4",
        "targetName": "projects/p1/devices/d1",
        "eventType": event_type,
        "data": {event_type: VALID_DATA[event_type] | {"updateTime": STAMP}},
        "timestamp": STAMP,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}
