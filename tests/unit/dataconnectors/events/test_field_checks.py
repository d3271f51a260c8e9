"""Which values are invalid in an event's data, and how an error names the field."""

from typing import Any

import pytest

from dataconnectors.events.event import parse_event
from dataconnectors.kernel.errors import EventError
from tests.support.envelopes import NOW, STAMP, envelope

SAMPLE = {"value": 21.5, "sampleTime": STAMP}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
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
    ],
)
def test_an_invalid_field_is_named_with_the_rule(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(EventError, match=reason):
        parse_event(envelope(**changes), "p1", NOW)
