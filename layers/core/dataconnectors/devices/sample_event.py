"""Sample events: one of each type, of a device that does not exist, for tests and previews."""

from typing import Any, NamedTuple

from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event, parse_event
from dataconnectors.events.event_types import LABELS_CHANGED
from dataconnectors.kernel import times

TEST_LABEL = "x-dt-test"
"""The key of the label that marks a test event. Its value is `true`.

A label, because every receiver has to take labels of any key, and the body is signed. Receivers
that refuse unknown fields, as some JSON libraries do by default, would refuse a mark elsewhere.
`receive.py` has the same text."""

SAMPLE_DEVICE = "testdevice0000000000"
"""The id of the device that sample events name. It has 20 characters, as the vendor's have: one of
the vendor's receivers takes the last 20 of the device's name."""

SAMPLE_NAME = "Test device"
SAMPLE_LABEL = "test"
"""The sample device's name, and its value of every other label that a connector includes."""


class Sample(NamedTuple):
    """The type of a device that sends such events, and the data of one."""

    device_type: str
    data: dict[str, Any]


SAMPLES: dict[str, Sample] = {
    "touch": Sample("touch", {}),
    "temperature": Sample("temperature", {"value": 21.5}),
    "humidity": Sample("humidity", {"temperature": 21.5, "relativeHumidity": 43}),
    "objectPresent": Sample("proximity", {"state": "PRESENT"}),
    "objectPresentCount": Sample("proximityCounter", {"total": 42}),
    "touchCount": Sample("touchCounter", {"total": 42}),
    "waterPresent": Sample("waterDetector", {"state": "PRESENT"}),
    "motion": Sample("motion", {"state": "MOTION_DETECTED"}),
    "deskOccupancy": Sample("deskOccupancy", {"state": "OCCUPIED", "remarks": []}),
    "contact": Sample("contact", {"state": "OPEN"}),
    "co2": Sample("co2", {"ppm": 612}),
    "pressure": Sample("co2", {"pascal": 101325}),
    "probeWireStatus": Sample("temperature", {"state": "FOUR_WIRE"}),
    "networkStatus": Sample(
        "temperature",
        {
            "signalStrength": 61,
            "rssi": -73,
            "transmissionMode": "LOW_POWER_STANDARD_MODE",
            "cloudConnectors": [{"id": "testgateway000000000", "signalStrength": 61, "rssi": -73}],
        },
    ),
    "batteryStatus": Sample("temperature", {"percentage": 97}),
    "connectionStatus": Sample(
        "ccon", {"connection": "ETHERNET", "available": ["ETHERNET", "CELLULAR"]}
    ),
    "ethernetStatus": Sample(
        "ccon", {"macAddress": "02:00:00:00:00:01", "ipAddress": "192.0.2.10"}
    ),
    "cellularStatus": Sample("ccon", {"signalStrength": 82}),
    LABELS_CHANGED: Sample(
        "temperature", {"added": {"room": "101"}, "modified": {"name": SAMPLE_NAME}, "removed": []}
    ),
}
"""One of each type. Addresses are those that are set apart for documentation (RFC 5737)."""


def sample_event(event_type: str, project: str, event_id: str, now: float) -> Event:
    """An event of this type, one of `SAMPLES`, that happens at `now` in epoch seconds."""
    data = dict(SAMPLES[event_type].data)
    envelope = {
        "eventId": event_id,
        "targetName": f"projects/{project}/devices/{SAMPLE_DEVICE}",
        "eventType": event_type,
        "data": data if event_type == LABELS_CHANGED else {event_type: data},
        "timestamp": times.to_text(now),
    }
    return parse_event(envelope, project, now, from_label_change=True)


def sample_device(event_type: str, project: str, label_keys: tuple[str, ...]) -> Device:
    """The device that sends it. It has all labels with these keys, and the one of tests."""
    labels = dict.fromkeys(label_keys, SAMPLE_LABEL) | {"name": SAMPLE_NAME, TEST_LABEL: "true"}
    return Device(project, SAMPLE_DEVICE, SAMPLES[event_type].device_type, labels, "", "")
