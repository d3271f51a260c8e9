"""Which events are accepted, and what receivers get of them."""

import json
from typing import Any

import pytest

from dataconnectors.events.event import parse_emulated_event, parse_event
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import EventError
from tests.support.envelopes import NOW, VALID_DATA, envelope


@pytest.mark.parametrize("event_type", VALID_DATA)
def test_a_valid_event_is_delivered_with_all_its_fields(event_type: str) -> None:
    given = envelope(event_type)
    event = parse_event(given, "p1", NOW)
    delivered = json.loads(event.json)
    assert list(delivered) == ["eventId", "targetName", "eventType", "data", "timestamp"]
    assert delivered | {"data": given["data"]} == given
    assert given["data"][event_type].items() <= delivered["data"][event_type].items()
    assert (event.id, event.device, event.type) == ("c0s1v2t3u4", "d1", event_type)
    assert event.timestamp == NOW


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
        ({"data": {"temperature": {"value": 1, "note": "x" * 33_000}}}, "at most 32768"),
        ({"labels": {}}, "'labels': unknown"),
    ],
)
def test_an_invalid_event_is_refused_with_the_field_and_the_rule(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(EventError, match=reason):
        parse_event(envelope(**changes), "p1", NOW)


def test_a_leap_second_is_delivered_as_given_and_stored_at_the_next_second() -> None:
    """RFC 3339, section 5.6: `time-second` may be 60."""
    leap, midnight = "2016-12-31T23:59:60.25Z", times.from_text("2017-01-01T00:00:00Z")
    sample = {"value": 21.5, "sampleTime": leap}
    data = {"temperature": {"value": 21.5, "updateTime": leap, "samples": [sample]}}
    event = parse_event(envelope(timestamp=leap, data=data), "p1", midnight)
    delivered = json.loads(event.json)
    assert event.timestamp == midnight
    assert delivered["timestamp"] == leap
    assert delivered["data"]["temperature"]["updateTime"] == leap
    assert delivered["data"]["temperature"]["samples"] == [sample]


def test_an_emulated_device_may_report_a_leap_second() -> None:
    leap, midnight = "2016-12-31T23:59:60Z", times.from_text("2017-01-01T00:00:00Z")
    event = parse_emulated_event({"touch": {"updateTime": leap}}, "p1", "emu1", "e1", midnight)
    assert event.timestamp == midnight
    assert json.loads(event.json)["timestamp"] == leap


@pytest.mark.parametrize("given", [None, 3, "x", [], True])
def test_an_event_that_is_not_a_json_object_is_refused(given: object) -> None:
    with pytest.raises(EventError, match="expected an object"):
        parse_event(given, "p1", NOW)


def test_publishers_may_not_send_labels_changed() -> None:
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    with pytest.raises(EventError, match="eventType: labelsChanged: made by changing labels"):
        parse_event(envelope() | {"eventType": "labelsChanged", "data": data}, "p1", NOW)


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
        parse_emulated_event(published, "p1", "emu1", "e1", NOW)
