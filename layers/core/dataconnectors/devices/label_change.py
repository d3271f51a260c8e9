"""Label changes: which labels a request sets and removes, and on which devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.devices.device_requests import parse_device_names
from dataconnectors.devices.labels import check_labels, is_label_key
from dataconnectors.kernel.errors import BadRequestError

MAXIMUM_DEVICES = 250
"""Devices of one batchUpdate. Each takes a write of its own, and callers wait three seconds."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Labels to set, and keys of labels to remove; no key is in both."""

    add: Mapping[str, str]
    remove: frozenset[str]

    def apply_to(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return `labels` as the change leaves them.

        Removing a label that is not there is no error. Raises `BadRequestError` when there are too
        many labels afterwards.
        """
        changed = {key: value for key, value in labels.items() if key not in self.remove}
        changed |= self.add
        check_labels(changed)
        return changed


@dataclass(frozen=True, slots=True)
class LabelBatch:
    """One change for several devices: their names as given, without repetitions."""

    devices: tuple[str, ...]
    change: LabelChange


def parse_label_batch(body: Any) -> LabelBatch:
    """Read `{"devices", "addLabels"?, "removeLabels"?}`; raises `BadRequestError`."""
    devices = parse_device_names(body, MAXIMUM_DEVICES)
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
    return LabelBatch(devices, LabelChange(add, frozenset(remove)))
