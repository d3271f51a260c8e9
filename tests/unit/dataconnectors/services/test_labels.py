"""Several writers change the labels of a device at the same time."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Lock

import pytest

from dataconnectors.devices.device import Device
from dataconnectors.devices.label_change import LabelBatch, LabelChange
from dataconnectors.kernel.errors import ConflictError, NotFoundError
from dataconnectors.services.labels import LONGEST_PAUSE, PATIENCE, PAUSE, LabelService

DEVICE = Device("p1", "d1", "touch", {"name": "A"}, "", "")
CHANGE = LabelChange({"room": "1"}, frozenset({"name"}))


class Store:
    """A fake of the store with one device. Another writer changes it before each of the first
    `others` writes."""

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


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> float:
        return sum(self.slept)


def labels(store: Store, clock: Clock | None = None) -> LabelService:
    clock = clock or Clock()
    return LabelService(
        store,  # type: ignore[arg-type]  # the calls it makes
        ThreadPoolExecutor(2),
        now=clock.now,
        sleep=clock.slept.append,
    )


@pytest.mark.parametrize("others", [0, 1, 4, 10, 15])
def test_no_concurrent_change_is_lost(others: int) -> None:
    store = Store(others)
    changed = labels(store).change("p1", "d1", CHANGE.apply_to)
    expected = {"room": "1"} | {f"other{number}": "x" for number in range(others)}
    assert changed.labels == expected
    assert store.row == changed


def test_ten_concurrent_changes_of_one_device_all_succeed() -> None:
    """Each writer has its own thread, and all of them read before the first one writes."""

    class Shared(Store):
        def __init__(self) -> None:
            super().__init__()
            self.everybody = Barrier(10)
            self.lock = Lock()

        def devices(self, project: str, ids: list[str]) -> dict[str, Device]:
            self.everybody.wait(5)
            return super().devices(project, ids)

        def set_labels(self, device: Device, labels: Mapping[str, str], when: str) -> bool:
            with self.lock:
                return super().set_labels(device, labels, when)

    store = Shared()
    batches = [
        LabelBatch((DEVICE.name,), LabelChange({f"l{number}": "x"}, frozenset()))
        for number in range(10)
    ]
    with ThreadPoolExecutor(10) as clients, ThreadPoolExecutor(10) as jobs:
        changes = LabelService(store, jobs, now=time.time)  # type: ignore[arg-type]
        answers = list(clients.map(lambda batch: changes.update_batch("p1", batch), batches))
    assert answers == [{"batchErrors": []}] * 10
    assert store.row is not None
    assert store.row.labels == {"name": "A"} | {f"l{number}": "x" for number in range(10)}
    assert store.writes > 10


def test_waits_are_random_and_limited_and_end_before_the_caller_gives_up() -> None:
    clocks = [Clock(), Clock()]
    for clock in clocks:
        with pytest.raises(ConflictError):
            labels(Store(9999), clock).change("p1", "d1", CHANGE.apply_to)
        assert clock.slept[0] < PAUSE
        assert PAUSE < max(clock.slept) < LONGEST_PAUSE
        assert PATIENCE - LONGEST_PAUSE < clock.now() <= PATIENCE < 2
    assert clocks[0].slept[0] != clocks[1].slept[0]


def test_all_devices_of_a_batch_together_wait_no_longer_than_one() -> None:
    store, clock = Store(9999), Clock()
    changes = labels(store, clock)
    same = (DEVICE.name,) * 5
    assert len(changes.update_batch("p1", LabelBatch(same, CHANGE))["batchErrors"]) == 5
    assert clock.now() <= PATIENCE + LONGEST_PAUSE


def test_a_writer_that_is_overtaken_every_time_gets_a_conflict() -> None:
    with pytest.raises(ConflictError, match="projects/p1/devices/d1"):
        labels(Store(9999)).change("p1", "d1", CHANGE.apply_to)
    answer = labels(Store(9999)).update_batch("p1", LabelBatch((DEVICE.name,), CHANGE))
    assert [error["status"]["code"] for error in answer["batchErrors"]] == ["INTERNAL_ERROR"]


def test_a_device_that_is_deleted_before_the_write_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        labels(Store(1, gone=True)).change("p1", "d1", CHANGE.apply_to)
    answer = labels(Store(1, gone=True)).update_batch("p1", LabelBatch((DEVICE.name,), CHANGE))
    assert [error["status"]["code"] for error in answer["batchErrors"]] == ["NOT_FOUND"]


def test_a_change_that_changes_nothing_is_not_written() -> None:
    store = Store()
    same = LabelChange({"name": "A"}, frozenset({"absent"}))
    assert labels(store).change("p1", "d1", same.apply_to) == DEVICE
    assert store.writes == 0
