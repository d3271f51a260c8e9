"""Sample events: valid, of every type, and of a device that no customer has."""

import json

import disruptive
import pytest

from dataconnectors.devices.device import DEVICE_TYPES
from dataconnectors.devices.sample_event import (
    SAMPLE_DEVICE,
    SAMPLES,
    TEST_LABEL,
    sample_device,
    sample_event,
)
from dataconnectors.events.event_types import EVENT_TYPES
from dataconnectors.receive import TEST_LABEL as RECEIVED_LABEL

NOW = 1_790_000_000.0


def test_there_is_a_sample_of_every_type_with_a_device_that_sends_it() -> None:
    assert SAMPLES.keys() == EVENT_TYPES.keys()
    assert {sample.device_type for sample in SAMPLES.values()} <= set(DEVICE_TYPES)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_a_sample_is_a_complete_event_that_the_vendors_sdk_reads(event_type: str) -> None:
    event = sample_event(event_type, "p", "e1", NOW)
    assert (event.id, event.device, event.type, event.timestamp) == (
        "e1",
        SAMPLE_DEVICE,
        event_type,
        NOW,
    )
    read = disruptive.events.Event(json.loads(event.json))
    assert (read.event_type, read.device_id, read.project_id) == (event_type, SAMPLE_DEVICE, "p")
    assert read.data is not None


def test_the_device_has_every_label_that_is_asked_for_and_the_mark() -> None:
    assert sample_device("touch", "p", ("room", "name")).labels == {
        "room": "test",
        "name": "Test device",
        TEST_LABEL: "true",
    }
    assert TEST_LABEL == RECEIVED_LABEL
