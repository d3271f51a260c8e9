"""What is accepted as an event, and what receivers then get."""

import json
from typing import Any

import pytest

from dataconnectors.events import event as events
from dataconnectors.events.event import EVENT_TYPES, EventError
from dataconnectors.kernel import times

NOW = 1_790_000_000.0
STAMP = times.to_text(NOW)
SAMPLE = {"value": 21.5, "sampleTime": STAMP}

VALID: dict[str, dict[str, Any]] = {
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
        "data": {event_type: VALID[event_type] | {"updateTime": STAMP}},
        "timestamp": STAMP,
    } | changes
    return {name: value for name, value in fields.items() if value is not None}


def test_every_type_of_the_contract_is_served() -> None:
    assert set(EVENT_TYPES) == {*VALID, "labelsChanged"}


@pytest.mark.parametrize("event_type", VALID)
def test_a_valid_event_is_delivered_with_every_field_it_came_with(event_type: str) -> None:
    given = envelope(event_type)
    event = events.parse(given, "p1", NOW)
    delivered = json.loads(event.json)
    assert list(delivered) == ["eventId", "targetName", "eventType", "data", "timestamp"]
    assert delivered | {"data": given["data"]} == given
    assert given["data"][event_type].items() <= delivered["data"][event_type].items()
    assert (event.id, event.device, event.type) == ("c0s1v2t3u4", "d1", event_type)
    assert event.timestamp == NOW


@pytest.mark.parametrize("event_type", VALID)
def test_each_required_field_is_named_when_it_is_missing(event_type: str) -> None:
    filled = {"touch": (), "deskOccupancy": ("remarks",)}
    for name in VALID[event_type]:
        if name in filled.get(event_type, ()) or event_type == "networkStatus":
            continue
        fields = {key: value for key, value in VALID[event_type].items() if key != name}
        with pytest.raises(EventError, match=rf"data\.{event_type}\.{name}"):
            events.parse(envelope(event_type, data={event_type: fields}), "p1", NOW)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"eventId": None}, "eventId: missing"),
        ({"eventId": ""}, "eventId: expected"),
        ({"eventId": "a/b"}, "eventId: expected"),
        ({"eventId": 7}, "eventId: expected"),
        ({"eventId": "x" * 65}, "eventId: expected"),
        ({"targetName": None}, "targetName: missing"),
        ({"targetName": "projects/other/devices/d1"}, "expected projects/p1/devices/<device>"),
        ({"targetName": "projects/p1/devices/"}, "expected projects/p1/devices/<device>"),
        ({"targetName": "projects/p1/devices/a/b"}, "expected projects/p1/devices/<device>"),
        ({"targetName": ["x"]}, "expected projects/p1/devices/<device>"),
        ({"eventType": "bogus"}, "eventType: 'bogus' is unknown"),
        ({"eventType": {}}, "eventType: {} is unknown"),
        ({"timestamp": None}, "timestamp: missing"),
        ({"timestamp": "2026-09-21"}, "timestamp: expected an RFC 3339"),
        ({"timestamp": "2026-09-21T14:13:20"}, "timestamp: expected an RFC 3339"),
        ({"timestamp": 5}, "timestamp: expected an RFC 3339"),
        ({"timestamp": times.to_text(NOW + 301)}, "more than 5 minutes ahead"),
        ({"timestamp": times.to_text(NOW - 31 * 86400 - 1)}, "more than 31 days old"),
        ({"data": None}, "data: missing"),
        ({"data": []}, "data: expected an object with the one key 'temperature'"),
        ({"data": {"touch": {}}}, "data: expected an object with the one key 'temperature'"),
        ({"data": {"temperature": 3}}, "data.temperature: expected an object"),
        ({"data": {"temperature": {"value": "21"}}}, "data.temperature.value: expected a number"),
        ({"data": {"temperature": {"value": True}}}, "data.temperature.value: expected a number"),
        (
            {"data": {"temperature": {"value": 1, "isBackfilled": "no"}}},
            "isBackfilled: expected true or false",
        ),
        (
            {"data": {"temperature": {"value": 1, "updateTime": "now"}}},
            "updateTime: expected an RFC 3339",
        ),
        ({"data": {"temperature": {"value": 1, "samples": {}}}}, "samples: expected a list"),
        (
            {"data": {"temperature": {"value": 1, "samples": [SAMPLE, {"value": 1}]}}},
            r"samples\[1\].sampleTime: missing",
        ),
        ({"data": {"temperature": {"value": 1, "note": "x" * 33_000}}}, "at most 32768"),
        ({"labels": {}}, "'labels': unknown"),
    ],
)
def test_what_is_not_valid_is_refused_with_the_field_and_the_rule(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EventError, match=reason):
        events.parse(envelope(**changes), "p1", NOW)


def test_a_leap_second_is_delivered_as_it_was_given_and_kept_at_the_next_second() -> None:
    """RFC 3339, section 5.6: `time-second` may be 60."""
    leap, midnight = "2016-12-31T23:59:60.25Z", times.from_text("2017-01-01T00:00:00Z")
    sample = {"value": 21.5, "sampleTime": leap}
    data = {"temperature": {"value": 21.5, "updateTime": leap, "samples": [sample]}}
    event = events.parse(envelope(timestamp=leap, data=data), "p1", midnight)
    delivered = json.loads(event.json)
    assert event.timestamp == midnight
    assert delivered["timestamp"] == leap
    assert delivered["data"]["temperature"]["updateTime"] == leap
    assert delivered["data"]["temperature"]["samples"] == [sample]


def test_an_emulated_device_may_report_a_leap_second() -> None:
    leap, midnight = "2016-12-31T23:59:60Z", times.from_text("2017-01-01T00:00:00Z")
    event = events.from_emulator({"touch": {"updateTime": leap}}, "p1", "emu1", "e1", midnight)
    assert event.timestamp == midnight
    assert json.loads(event.json)["timestamp"] == leap


@pytest.mark.parametrize("given", [None, 3, "x", [], True])
def test_what_is_no_object_is_refused(given: object) -> None:
    with pytest.raises(EventError, match="expected an object"):
        events.parse(given, "p1", NOW)


def test_labels_changed_is_not_keyed_by_its_type() -> None:
    data = {"added": {"a": "1"}, "modified": {}, "removed": ["b"]}
    given = envelope() | {"eventType": "labelsChanged", "data": data}
    assert json.loads(events.parse(given, "p1", NOW, from_label_change=True).json)["data"] == data
    with pytest.raises(EventError, match=r"data\.removed"):
        events.parse(
            given | {"data": {"added": {}, "modified": {}}}, "p1", NOW, from_label_change=True
        )


def test_labels_changed_is_not_published() -> None:
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    with pytest.raises(EventError, match="eventType: labelsChanged: made by changing labels"):
        events.parse(envelope() | {"eventType": "labelsChanged", "data": data}, "p1", NOW)


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
def test_an_emulated_event_gets_what_the_sdk_leaves_out(
    published: dict[str, Any], delivered: dict[str, Any]
) -> None:
    event = events.from_emulator(published, "p1", "emu1", "e1", NOW)
    content = json.loads(event.json)
    assert content["data"] == {event.type: delivered}
    assert content["targetName"] == "projects/p1/devices/emu1"
    assert content["timestamp"] == STAMP


@pytest.mark.parametrize(
    ("published", "reason"),
    [
        ([], "one event type"),
        ({}, "one event type"),
        ({"touch": {}, "motion": {}}, "one event type"),
        ({"labelsChanged": {}}, "not published"),
        ({"touch": []}, "data.touch: expected an object"),
        ({"touch": {"updateTime": "x"}}, "touch.updateTime: expected an RFC 3339"),
        ({"networkStatus": {}}, "signalStrength: missing"),
        ({"networkStatus": {"signalStrength": "x"}}, "signalStrength: expected a number"),
        ({"networkStatus": {"signalStrength": 1, "cloud_connectors": [3]}}, "expected an object"),
        ({"humidity": {"temperature": 1, "relativeHumidity": 2, "samples": [3]}}, "an object"),
    ],
)
def test_an_emulated_event_that_is_not_valid_is_refused(published: Any, reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        events.from_emulator(published, "p1", "emu1", "e1", NOW)
