"""Labels that several writers change at once."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from dataconnectors.api.labels import TRIES, DeviceLabels
from dataconnectors.devices import Device
from dataconnectors.errors import ConflictError, NotFoundError
from dataconnectors.labels import Batch, LabelChange

DEVICE = Device("p1", "d1", "touch", {"name": "A"}, "", "")
CHANGE = LabelChange({"room": "1"}, frozenset({"name"}))


class Store:
    """One device, which somebody else changes before each of the first `others` writes."""

    def __init__(self, others: int = 0, *, gone: bool = False) -> None:
        self.row: Device | None = DEVICE
        self.others = others
        self.gone = gone
        self.writes = 0

    def device(self, _project: str, _device_id: str) -> Device | None:
        return self.row

    def devices(self, _project: str, ids: list[str]) -> dict[str, Device]:
        return {"d1": self.row} if self.row and "d1" in ids else {}

    def set_labels(self, device: Device, labels: Mapping[str, str], _time: str) -> bool:
        self.writes += 1
        if self.others:
            self.others -= 1
            assert self.row is not None
            mine = {**self.row.labels, f"other{self.others}": "x"}
            self.row = None if self.gone else replace(self.row, labels=mine)
        if self.row is None or device.labels != self.row.labels:
            return False
        self.row = replace(self.row, labels=labels)
        return True


def labels(store: Store) -> DeviceLabels:
    return DeviceLabels(store, ThreadPoolExecutor(2), now=lambda: 0.0)  # type: ignore[arg-type]  # the calls it makes


@pytest.mark.parametrize("others", range(TRIES))
def test_no_change_of_anybody_is_lost(others: int) -> None:
    store = Store(others)
    changed = labels(store).change("p1", "d1", CHANGE.of)
    expected = {"room": "1"} | {f"other{number}": "x" for number in range(others)}
    assert changed.labels == expected
    assert store.row == changed


def test_who_is_always_too_late_is_told() -> None:
    with pytest.raises(ConflictError, match="projects/p1/devices/d1"):
        labels(Store(99)).change("p1", "d1", CHANGE.of)
    answer = labels(Store(99)).batch("p1", Batch((DEVICE.name,), CHANGE))
    assert [error["status"]["code"] for error in answer["batchErrors"]] == ["INTERNAL_ERROR"]


def test_a_device_that_goes_meanwhile_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        labels(Store(1, gone=True)).change("p1", "d1", CHANGE.of)
    answer = labels(Store(1, gone=True)).batch("p1", Batch((DEVICE.name,), CHANGE))
    assert [error["status"]["code"] for error in answer["batchErrors"]] == ["NOT_FOUND"]


def test_what_changes_nothing_is_not_written() -> None:
    store = Store()
    same = LabelChange({"name": "A"}, frozenset({"absent"}))
    assert labels(store).change("p1", "d1", same.of) == DEVICE
    assert store.writes == 0
