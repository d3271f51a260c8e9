"""Routes of devices' labels: of many devices at once, of one, and a single label."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from random import random
from typing import Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.devices.device import Device, batch_error, check_labels, parse_name
from dataconnectors.devices.labels import Batch, LabelChange, parse_batch
from dataconnectors.identity.access import Access
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.services.devices import COLLECTION
from dataconnectors.store.devices import DeviceStore

PATIENCE = 1.8
"""Seconds in which a request tries again what other writers of the same labels got ahead of; its
callers wait three. As one writer always gets ahead, dozens can change one device at once."""

PAUSE = 0.02
"""Seconds before the second try at most, doubled before each further one: about as long as a read
and a write take. Each waits a random part of it: whoever met once shall not meet again."""

LONGEST_PAUSE = 0.1
"""Seconds. With ten writers, one of them writes about every tenth of it: who waits longer gains
nothing, and has fewer tries left."""

Labels = Mapping[str, str]


class DeviceLabels:
    """Changes labels. The table's stream makes the event of each change, see `labels`."""

    def __init__(
        self,
        store: DeviceStore,
        executor: Executor,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`now` gives epoch seconds."""
        self._store = store
        self._executor = executor
        self._now = now
        self._sleep = sleep

    def change(self, project: str, device_id: str, change: Callable[[Labels], Labels]) -> Device:
        """Change one device's labels, whatever others change at the same time."""
        until = self._now() + PATIENCE
        device = self._store.device(project, device_id) if is_id(device_id) else None
        if device is None:
            raise NotFoundError(f"projects/{project}/devices/{device_id:.80} is not there")
        return self._change(device, change, until)

    def batch(self, project: str, batch: Batch) -> dict[str, Any]:
        """Change the labels of a project's devices, each by itself; what failed, by device."""
        until = self._now() + PATIENCE
        parsed = {name: parse_name(name) for name in batch.devices}
        ids = [place[1] for place in parsed.values() if place and place[0] == project]
        found = self._store.devices(project, ids)
        jobs = [
            partial(self._try, name, project, found, batch.change, until) for name in batch.devices
        ]
        errors = self._executor.map(lambda job: job(), jobs)
        return {"batchErrors": [error for error in errors if error is not None]}

    def _try(
        self,
        name: str,
        project: str,
        found: Mapping[str, Device],
        change: LabelChange,
        until: float,
    ) -> dict[str, Any] | None:
        place = parse_name(name)
        if place is None:
            return batch_error(name, "INVALID_ARGUMENT", "expected projects/…/devices/…")
        absent = batch_error(name, "NOT_FOUND", f"{name:.200} is not in projects/{project}")
        if place[0] != project or place[1] not in found:
            return absent
        try:
            self._change(found[place[1]], change.of, until)
        except NotFoundError:
            return absent
        except BadRequestError as error:
            return batch_error(name, "INVALID_ARGUMENT", str(error))
        except ConflictError as error:
            return batch_error(name, "INTERNAL_ERROR", str(error))
        return None

    def _change(self, device: Device, change: Callable[[Labels], Labels], until: float) -> Device:
        """Try until the time `until`, and once in any case."""
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


def routes(labels: DeviceLabels, access: Access) -> Router:
    """Label routes below `/v2/projects/{project}/devices`."""
    router = Router()
    request = ApiRequest(router, access)

    @router.post(COLLECTION + ":batchUpdate")
    def batch_update(project: str) -> dict[str, Any]:
        request.project(project, "device.update")
        return labels.batch(project, parse_batch(request.body()))

    @router.put(COLLECTION + "/<device>")
    def replace_device(project: str, device: str) -> dict[str, Any]:
        """How the vendor's Terraform provider renames: with all the labels it shall have.

        What else there is of a device is not the caller's to change, and is ignored.
        """
        request.project(project, "device.update")
        body = request.body()
        if not isinstance(body, dict):
            raise BadRequestError("body: expected a device")
        wanted: Any = body.get("labels")
        check_labels(wanted)
        return labels.change(project, device, lambda _: wanted).to_api()

    @router.patch(COLLECTION + "/<device>/labels/<label>")
    def set_label(project: str, device: str, label: str) -> dict[str, Any]:
        request.project(project, "device.update")
        body = request.body()
        key = unquote(label)
        value = body.get("value") if isinstance(body, dict) else None
        check_labels({key: value})
        changed = labels.change(project, device, LabelChange({key: str(value)}, frozenset()).of)
        return {"name": f"{changed.name}/labels/{label}", "value": value}

    return router
