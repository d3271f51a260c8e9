"""Which fields of an event's data publishers may omit, and what receivers get in their place."""

import json
from typing import Any

import pytest

from dataconnectors.events.event import parse_emulated_event
from tests.support.envelopes import NOW, STAMP


@pytest.mark.parametrize(
    ("published", "delivered"),
    [
        ({"touch": {}}, {"updateTime": STAMP}),
        (
            {"temperature": {"value": 24.0}},
            {
                "value": 24,
                "updateTime": STAMP,
                "samples": [{"value": 24, "sampleTime": STAMP}],
                "isBackfilled": False,
            },
        ),
        (
            {
                "humidity": {
                    "temperature": 22,
                    "relativeHumidity": 50,
                    "samples": [{"celsius": 21, "relativeHumidity": 49, "sampleTime": STAMP}],
                }
            },
            {
                "temperature": 22,
                "relativeHumidity": 50,
                "samples": [{"temperature": 21, "relativeHumidity": 49, "sampleTime": STAMP}],
                "updateTime": STAMP,
                "isBackfilled": False,
            },
        ),
        (
            {
                "networkStatus": {
                    "signalStrength": 50,
                    "cloud_connectors": [{"id": "c", "signalStrength": 100}],
                }
            },
            {
                "signalStrength": 50,
                "updateTime": STAMP,
                "rssi": -85,
                "transmissionMode": "LOW_POWER_STANDARD_MODE",
                "cloudConnectors": [{"id": "c", "signalStrength": 100, "rssi": -50}],
            },
        ),
        (
            {"deskOccupancy": {"state": "OCCUPIED"}},
            {"state": "OCCUPIED", "updateTime": STAMP, "remarks": []},
        ),
    ],
)
def test_an_emulated_event_gets_the_fields_that_the_sdk_omits(
    published: dict[str, Any], delivered: dict[str, Any]
) -> None:
    event = parse_emulated_event(published, "p1", "emu1", "e1", NOW)
    content = json.loads(event.json)
    assert content["data"] == {event.type: delivered}
    assert content["targetName"] == "projects/p1/devices/emu1"
    assert content["timestamp"] == STAMP
