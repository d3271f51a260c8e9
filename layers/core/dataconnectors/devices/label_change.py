"""Changes of devices' labels: what a request asks for, and the event that tells of a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.devices.device import Device, check_labels, is_label_key, parse_names
from dataconnectors.kernel import ids
from dataconnectors.kernel.errors import BadRequestError

MAXIMUM_DEVICES = 250
"""Devices of one batchUpdate: each is a write of its own, and callers wait three seconds."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Labels to set, and keys to remove; no key is in both."""

    add: Mapping[str, str]
    remove: frozenset[str]

    def of(self, labels: Mapping[str, str]) -> dict[str, str]:
        """`labels` as the change leaves them; `BadRequestError` when there are too many.

        Removing a label that is not there is no error.
        """
        changed = {key: value for key, value in labels.items() if key not in self.remove}
        changed |= self.add
        check_labels(changed)
        return changed


@dataclass(frozen=True, slots=True)
class Batch:
    """A batchUpdate: the devices' names as they were given, each once, and their change."""

    devices: tuple[str, ...]
    change: LabelChange


def parse_batch(body: Any) -> Batch:
    """Read `{"devices", "addLabels"?, "removeLabels"?}`; raises `BadRequestError`."""
    devices = parse_names(body, MAXIMUM_DEVICES)
    add = {} if body.get("addLabels") is None else body["addLabels"]
    remove = [] if body.get("removeLabels") is None else body["removeLabels"]
    try:
        check_labels(add)
    except BadRequestError as error:
        raise BadRequestError(f"addLabels: {error}") from None
    if not isinstance(remove, list) or not all(is_label_key(key) for key in remove):
        raise BadRequestError("removeLabels: expected a list of label keys")
    if not add and not remove:
        raise BadRequestError("addLabels, removeLabels: expected at least one label in either")
    for key in remove:
        if key in add:
            raise BadRequestError(f"removeLabels: {key!r:.80} is in addLabels too")
    return Batch(devices, LabelChange(add, frozenset(remove)))


def difference(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Any] | None:
    """What a labelsChanged event says; None when nothing changed."""
    added = {key: value for key, value in new.items() if key not in old}
    modified = {key: value for key, value in new.items() if key in old and old[key] != value}
    removed = [key for key in old if key not in new]
    if not (added or modified or removed):
        return None
    return {"added": added, "modified": modified, "removed": removed}


def event(old: Device, new: Device, time_text: str, change_id: str) -> dict[str, Any] | None:
    """The envelope of the labelsChanged event of a change at `time_text`; None without one.

    `change_id` names the change: told of twice, it has the same event id, by which receivers drop
    the second.
    """
    data = difference(old.labels, new.labels)
    if data is None:
        return None
    return {
        "eventId": ids.derived_id(change_id),
        "targetName": new.name,
        "eventType": "labelsChanged",
        "data": data,
        "timestamp": time_text,
    }
