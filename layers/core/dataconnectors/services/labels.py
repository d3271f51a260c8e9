"""Changing devices' labels while others change them too."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from random import random
from typing import Any

from dataconnectors.devices.device import Device, parse_device_name
from dataconnectors.devices.device_requests import batch_error
from dataconnectors.devices.label_change import LabelBatch, LabelChange
from dataconnectors.devices.labels import check_labels
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.devices import DeviceStore

PATIENCE = 1.8
"""Seconds in which a request repeats a write that another writer of the same labels got in before.
Callers wait three seconds. Of several writers one always succeeds, so dozens can change one device
at the same time."""

PAUSE = 0.02
"""Longest wait before the second try, in seconds; doubled before each further try. A read and a
write take about as long. Each wait is a random part of it, so that two writers that collided once
do not collide again."""

LONGEST_PAUSE = 0.1
"""Seconds. Of ten writers, one succeeds about every tenth of this time: a longer wait would gain
nothing and leave fewer tries."""

Labels = Mapping[str, str]


class LabelService:
    """Changes labels. The table's stream turns each change into a labelsChanged event: see
    `ingest.label_events`.
    """

    def __init__(
        self,
        store: DeviceStore,
        executor: Executor,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`now` gives epoch seconds; `sleep` takes seconds."""
        self._store = store
        self._executor = executor
        self._now = now
        self._sleep = sleep

    def replace(self, project: str, device_id: str, body: Any) -> dict[str, Any]:
        """Give a device exactly the labels of `{"labels": {...}}`.

        The vendor's Terraform provider renames a device with this call. It sends the whole device;
        everything but the labels is not the caller's to change, and is ignored.
        """
        if not isinstance(body, dict):
            raise BadRequestError("body: expected a device")
        wanted: Any = body.get("labels")
        check_labels(wanted)
        return self.change(project, device_id, lambda _: wanted).to_api()

    def set_one(self, project: str, device_id: str, key: str, value: Any) -> Device:
        """Set one label; raises `BadRequestError` when key or value is no label."""
        check_labels({key: value})
        return self.change(project, device_id, LabelChange({key: str(value)}, frozenset()).apply_to)

    def change(self, project: str, device_id: str, change: Callable[[Labels], Labels]) -> Device:
        """Change one device's labels, whatever others change at the same time.

        Raises `NotFoundError` without device, and `ConflictError` when other writers got in first
        for `PATIENCE` seconds.
        """
        until = self._now() + PATIENCE
        device = self._store.device(project, device_id) if is_id(device_id) else None
        if device is None:
            raise NotFoundError(f"projects/{project}/devices/{device_id:.80} is not there")
        return self._change(device, change, until)

    def update_batch(self, project: str, batch: LabelBatch) -> dict[str, Any]:
        """Change the labels of a project's devices, each independently of the others.

        The answer holds an error for each device whose labels could not be changed.
        """
        until = self._now() + PATIENCE
        parsed = {name: parse_device_name(name) for name in batch.devices}
        ids = [place[1] for place in parsed.values() if place and place[0] == project]
        found = self._store.devices(project, ids)
        jobs = [
            partial(self._change_of_batch, name, project, found, batch.change, until)
            for name in batch.devices
        ]
        errors = self._executor.map(lambda job: job(), jobs)
        return {"batchErrors": [error for error in errors if error is not None]}

    def _change_of_batch(
        self,
        name: str,
        project: str,
        found: Mapping[str, Device],
        change: LabelChange,
        until: float,
    ) -> dict[str, Any] | None:
        """Change one device of a batch; the error to answer, or None when it was changed."""
        place = parse_device_name(name)
        if place is None:
            return batch_error(name, "INVALID_ARGUMENT", "expected projects/…/devices/…")
        absent = batch_error(name, "NOT_FOUND", f"{name:.200} is not in projects/{project}")
        if place[0] != project or place[1] not in found:
            return absent
        try:
            self._change(found[place[1]], change.apply_to, until)
        except NotFoundError:
            return absent
        except BadRequestError as error:
            return batch_error(name, "INVALID_ARGUMENT", str(error))
        except ConflictError as error:
            return batch_error(name, "INTERNAL_ERROR", str(error))
        return None

    def _change(self, device: Device, change: Callable[[Labels], Labels], until: float) -> Device:
        """Try until the time `until`, but at least once."""
        current: Device | None = device
        longest = PAUSE
        while current is not None:
            wanted = change(current.labels)
            if wanted == current.labels:
                return current
            if self._store.set_labels(current, wanted, times.to_text(self._now())):
                return replace(current, labels=wanted)
            pause = longest * random()
            if self._now() + pause > until:
                raise ConflictError(
                    f"{device.name}'s labels keep being changed by others: try again"
                )
            self._sleep(pause)
            longest = min(2 * longest, LONGEST_PAUSE)
            current = self._store.device(device.project, device.id)
        raise NotFoundError(f"{device.name} is not there")
