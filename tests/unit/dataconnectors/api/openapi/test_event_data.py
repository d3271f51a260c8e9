"""The schemas of event data accept the same events as the code."""

import json
from typing import Any

import pytest

from dataconnectors.api.openapi.event_data import REPORTED
from dataconnectors.api.openapi.examples import TIME
from dataconnectors.api.openapi.schemas import SCHEMAS
from dataconnectors.events.event import parse_emulated_event
from dataconnectors.events.event_types import EVENT_TYPES, LABELS_CHANGED
from dataconnectors.kernel.errors import EventError

NOW = 1769860800.0
"""The time of the examples, in epoch seconds."""


def named(event_type: str, *, published: bool) -> dict[str, Any]:
    prefix = "Published" if published else ""
    name = f"{prefix}{event_type[0].upper()}{event_type[1:]}Data"
    found: dict[str, Any] = SCHEMAS[name]
    return found


def value_of(schema: dict[str, Any]) -> Any:
    """A value that fits a schema of event data."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return TIME
    match schema["type"]:
        case "object":
            return {
                name: value_of(schema["properties"][name]) for name in schema.get("required", ())
            }
        case "array":
            return [value_of(schema["items"])]
        case "string":
            return "text"
        case "boolean":
            return True
    return 1


@pytest.mark.parametrize("event_type", REPORTED)
def test_the_schema_of_event_data_accepts_what_the_code_accepts(event_type: str) -> None:
    answered = named(event_type, published=False)
    assert set(answered["properties"]) == {*EVENT_TYPES[event_type], "updateTime"}
    assert set(answered["required"]) == set(answered["properties"])
    for field, check in EVENT_TYPES[event_type].items():
        schema = answered["properties"][field]
        for value in schema.get("enum", [value_of(schema)]):
            check(value, field)
        with pytest.raises(EventError, match=" or ".join(schema.get("enum", ["expected"]))):
            check({"none": "of these"}, field)

    published = named(event_type, published=True)
    least = value_of(published)
    event = parse_emulated_event({event_type: least}, "p", "d", "e", NOW)
    assert set(json.loads(event.json)["data"][event_type]) == set(answered["properties"])
    for field in published.get("required", ()):
        lacking = {name: value for name, value in least.items() if name != field}
        with pytest.raises(EventError, match=field):
            parse_emulated_event({event_type: lacking}, "p", "d", "e", NOW)


def test_the_schema_of_labels_changed_accepts_what_the_code_accepts() -> None:
    assert set(SCHEMAS["LabelsChangedData"]["properties"]) == set(EVENT_TYPES[LABELS_CHANGED])
