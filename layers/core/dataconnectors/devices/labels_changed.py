"""The labelsChanged event: what receivers get when the labels of a device change."""

from collections.abc import Mapping
from typing import Any

from dataconnectors.devices.device import Device
from dataconnectors.events.event_types import LABELS_CHANGED
from dataconnectors.kernel import ids


def labels_changed_event(
    old: Device, new: Device, time_text: str, change_id: str
) -> dict[str, Any] | None:
    """Return the event's envelope; None when no label differs between `old` and `new`.

    `time_text` is when the labels changed, in RFC 3339. `change_id` names the change: an event that
    is made from it twice has the same id both times, and receivers drop the second.
    """
    data = label_differences(old.labels, new.labels)
    if data is None:
        return None
    return {
        "eventId": ids.derived_id(change_id),
        "targetName": new.name,
        "eventType": LABELS_CHANGED,
        "data": data,
        "timestamp": time_text,
    }


def label_differences(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the event's data: `{"added", "modified", "removed"}`; None when nothing differs.

    The first two hold new values by key, the last one keys.
    """
    added = {key: value for key, value in new.items() if key not in old}
    modified = {key: value for key, value in new.items() if key in old and old[key] != value}
    removed = [key for key in old if key not in new]
    if not (added or modified or removed):
        return None
    return {"added": added, "modified": modified, "removed": removed}
