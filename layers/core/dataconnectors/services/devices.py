"""Reading single devices, moving devices, and creating and deleting emulated ones."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dataconnectors.devices.device import (
    EMULATED_PREFIX,
    DeviceState,
    parse_device_name,
)
from dataconnectors.devices.device_requests import batch_error, parse_emulated_device
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id
from dataconnectors.store.devices import DeviceStore

MOST_TRANSFERRED = 50
"""Devices of one transfer. Each is a transaction of its own that changes the counters of both
projects, and callers wait three seconds."""


class DeviceService:
    """Devices of any project, one by one. Checks no permission."""

    def __init__(
        self,
        store: DeviceStore,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds."""
        self._store = store
        self._entropy = entropy
        self._now = now

    def get(self, project: str, device_id: str) -> DeviceState:
        """A device with its last values; raises `NotFoundError`."""
        state = self._store.state(project, device_id) if is_id(device_id) else None
        if state is None:
            raise NotFoundError(f"projects/{project}/devices/{device_id:.80} is not there")
        return state

    def find(self, projects: Iterable[str], device_id: str) -> DeviceState:
        """A device in whichever of the projects has it; raises `NotFoundError`."""
        project = self._store.project_of(device_id, projects) if is_id(device_id) else None
        if project is None:
            raise NotFoundError(f"no project of yours has a device {device_id:.80}")
        return self.get(project, device_id)

    def create_emulated(self, project: str, body: Any) -> dict[str, Any]:
        """Create an emulated device from `{"type", "labels"?}`; raises `BadRequestError`."""
        now = self._now()
        device_id = new_id(now, self._entropy(ENTROPY_BYTES))
        device = parse_emulated_device(body, project, device_id, times.to_text(now))
        self._store.create_device(device)
        return device.to_api()

    def delete_emulated(self, project: str, device_id: str) -> dict[str, Any]:
        """Delete an emulated device with its last values. Its history stays.

        Raises `BadRequestError` for a device that is not emulated.
        """
        device = self.get(project, device_id).device
        if not device.id.startswith(EMULATED_PREFIX):
            raise BadRequestError(
                f"{device.name} is not emulated: only emulated devices can be deleted; others can "
                "be transferred to another project (devices:transfer)"
            )
        self._store.delete_device(device)
        return {}

    def transfer(
        self, names: Sequence[str], target: str, may_leave: Callable[[str], bool]
    ) -> dict[str, Any]:
        """Move devices to the project `target`, each independently of the others.

        `may_leave` tells whether the caller may transfer devices out of a project. The answer
        holds the names of the devices that were moved, and an error for each other one.
        """
        errors = {name: self._transfer(name, target, may_leave) for name in names}
        return {
            "transferredDevices": [name for name in names if errors[name] is None],
            "transferErrors": [error for error in errors.values() if error is not None],
        }

    def _transfer(
        self, name: str, target: str, may_leave: Callable[[str], bool]
    ) -> dict[str, Any] | None:
        """Move one device; the error to answer, or None when it was moved."""
        parsed = parse_device_name(name)
        if parsed is None or parsed[0] == target:
            return batch_error(
                name, "INVALID_ARGUMENT", "expected projects/<another project>/devices/<device>"
            )
        project, device_id = parsed
        state = self._store.state(project, device_id) if may_leave(project) else None
        if state is None:
            return batch_error(
                name, "NOT_FOUND", f"{name:.200} is not there, or you may not transfer it"
            )
        try:
            self._store.transfer(state, target)
        except ConflictError as error:
            return batch_error(name, "INTERNAL_ERROR", f"{error}: try again")
        return None
