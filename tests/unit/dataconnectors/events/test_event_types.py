"""Which types of events there are, and which fields each of them must have."""

import json

import pytest

from dataconnectors.events.event import parse_event
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.kernel.errors import EventError
from tests.support.envelopes import NOW, VALID_DATA, envelope


def test_every_event_type_of_the_contract_is_known() -> None:
    assert set(EVENT_TYPES) == {*VALID_DATA, "labelsChanged"}


@pytest.mark.parametrize("event_type", VALID_DATA)
def test_each_required_field_is_named_when_it_is_missing(event_type: str) -> None:
    filled = {"touch": (), "deskOccupancy": ("remarks",)}
    for name in VALID_DATA[event_type]:
        if name in filled.get(event_type, ()) or event_type == "networkStatus":
            continue
        fields = {key: value for key, value in VALID_DATA[event_type].items() if key != name}
        with pytest.raises(EventError, match=rf"data\.{event_type}\.{name}"):
            parse_event(envelope(event_type, data={event_type: fields}), "p1", NOW)


def test_the_data_of_labels_changed_has_no_key_named_after_the_type() -> None:
    data = {"added": {"a": "1"}, "modified": {}, "removed": ["b"]}
    given = envelope() | {"eventType": "labelsChanged", "data": data}
    assert json.loads(parse_event(given, "p1", NOW, from_label_change=True).json)["data"] == data
    with pytest.raises(EventError, match=r"data\.removed"):
        parse_event(
            given | {"data": {"added": {}, "modified": {}}}, "p1", NOW, from_label_change=True
        )
