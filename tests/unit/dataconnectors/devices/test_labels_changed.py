"""Which labelsChanged event a change of labels makes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.devices.device import Device
from dataconnectors.devices.labels_changed import label_differences, labels_changed_event
from dataconnectors.events.event import parse_event
from dataconnectors.kernel import ids

NOW = 1_790_000_000.0
STAMP = "2026-09-21T14:13:20.000000Z"
DEVICE = Device("p1", "d1", "touch", {"name": "A", "room": "1"}, "", "")

texts = st.dictionaries(st.sampled_from("abcde"), st.sampled_from("12"), max_size=5)


@given(texts, texts)
def test_the_difference_turns_the_old_labels_into_the_new_ones(
    old: dict[str, str], new: dict[str, str]
) -> None:
    data = label_differences(old, new)
    if data is None:
        assert old == new
        return
    kept = {key: value for key, value in old.items() if key not in data["removed"]}
    assert kept | data["added"] | data["modified"] == new
    assert not set(data["added"]) & set(old)
    assert all(old[key] != value for key, value in data["modified"].items())


def test_ingest_accepts_the_event_of_a_change() -> None:
    new = replace(DEVICE, labels={"name": "B", "floor": "3"})
    envelope = labels_changed_event(DEVICE, new, STAMP, "stream-record-1")
    assert envelope is not None
    assert envelope["data"] == {
        "added": {"floor": "3"},
        "modified": {"name": "B"},
        "removed": ["room"],
    }
    assert parse_event(envelope, "p1", NOW, from_label_change=True).type == "labelsChanged"


def test_the_event_id_is_the_same_for_the_same_change_only() -> None:
    new = replace(DEVICE, labels={})
    first, again, other = (
        labels_changed_event(DEVICE, new, STAMP, name) for name in ("a", "a", "b")
    )
    assert first == again
    assert first is not None
    assert other is not None
    assert first["eventId"] != other["eventId"]
    assert len(first["eventId"]) == ids.LENGTH
    assert set(first["eventId"]) <= set("0123456789abcdefghijklmnopqrstuv")


def test_a_write_that_changes_no_label_makes_no_event() -> None:
    assert labels_changed_event(DEVICE, replace(DEVICE, type="co2"), STAMP, "a") is None
