"""Device requests: what calls about devices carry in their bodies, and answer for one device."""

from typing import Any

from dataconnectors.devices.device import DEVICE_TYPES, EMULATED_PREFIX, Device
from dataconnectors.devices.labels import check_labels
from dataconnectors.kernel.errors import BadRequestError


def parse_emulated_device(body: Any, project: str, device_id: str, create_time: str) -> Device:
    """Read the call that creates an emulated device: `{"type", "labels"?}`.

    The device's id is `EMULATED_PREFIX` and `device_id`. Raises `BadRequestError`.
    """
    if not isinstance(body, dict):
        raise BadRequestError("body: expected an object with type and labels")
    if body.get("type") not in DEVICE_TYPES:
        raise BadRequestError(f"type: expected one of {', '.join(DEVICE_TYPES)}")
    labels = body.get("labels")
    labels = {} if labels is None else labels
    check_labels(labels)
    return Device(project, EMULATED_PREFIX + device_id, body["type"], labels, "", create_time)


def parse_device_names(body: Any, maximum: int) -> tuple[str, ...]:
    """Return the `devices` that a body names, without repetitions; raises `BadRequestError`.

    At most `maximum` may be given, repetitions included. Whether a name is one of a device is for
    the caller to find out: calls on several devices answer for each of them.
    """
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    names = body.get("devices")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequestError("devices: expected a list of projects/<project>/devices/<device>")
    if not names:
        raise BadRequestError("devices: expected at least one")
    if len(names) > maximum:
        raise BadRequestError(f"devices: {len(names)} given, at most {maximum}: split them")
    return tuple(dict.fromkeys(names))


def batch_error(name: str, code: str, message: str) -> dict[str, Any]:
    """Return what a call on several devices answers for one that failed.

    The vendor's SDK reads this form. `code` is INVALID_ARGUMENT, NOT_FOUND or INTERNAL_ERROR.
    """
    return {"device": name, "status": {"code": code, "message": message}}
