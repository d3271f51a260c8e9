"""Devices: what sends events, and the labels that go with them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import is_id

DEVICE_TYPES = (
    "temperature",
    "proximity",
    "touch",
    "humidity",
    "proximityCounter",
    "touchCounter",
    "waterDetector",
    "ccon",
    "co2",
    "motion",
    "deskOccupancy",
    "contact",
)

CLOUD_CONNECTOR = "ccon"
"""The type of gateways, which projects count apart from sensors."""

EMULATED_PREFIX = "emu"
"""Emulated devices' ids are this and 20 characters."""

MAXIMUM_LABELS = 50
"""Labels of a device; each travels in every event of a connector that includes it."""

LONGEST_LABEL_KEY = 64
LONGEST_LABEL_VALUE = 256
"""Characters. All labels of a device at their limits still fit a message beside a usual event."""

TYPE_OF_EVENT: Mapping[str, str] = {
    "temperature": "temperature",
    "humidity": "humidity",
    "objectPresent": "proximity",
    "objectPresentCount": "proximityCounter",
    "touchCount": "touchCounter",
    "waterPresent": "waterDetector",
    "co2": "co2",
    "motion": "motion",
    "deskOccupancy": "deskOccupancy",
    "contact": "contact",
    "connectionStatus": "ccon",
    "ethernetStatus": "ccon",
    "cellularStatus": "ccon",
}
"""Which type of device sends it, where only one does: for events of devices not known to us."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device; `labels` hold its display name under `name`. `create_time` is RFC 3339."""

    project: str
    id: str
    type: str
    labels: Mapping[str, str]
    product_number: str
    create_time: str

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/devices/{id}`."""
        return f"projects/{self.project}/devices/{self.id}"

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it."""
        return {
            "name": self.name,
            "type": self.type,
            "productNumber": self.product_number,
            "labels": dict(self.labels),
        }


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device and the JSON text of its last event of each type."""

    device: Device
    events: dict[str, str]

    def size(self) -> int:
        """About how many bytes an answer needs for it."""
        return 500 + sum(len(text) for text in self.events.values())

    def reported(self) -> dict[str, Any]:
        """The data of the last event of each type."""
        return {
            event_type: json.loads(text)["data"][event_type]
            for event_type, text in self.events.items()
        }

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it; without events, `reported` is left out."""
        reported = {"reported": self.reported()} if self.events else {}
        return self.device.to_api() | reported


def parse_emulated(body: Any, project: str, device_id: str, create_time: str) -> Device:
    """The device of an emulator's create call: `{"type", "labels"?}`; raises `BadRequestError`."""
    if not isinstance(body, dict):
        raise BadRequestError("body: expected an object with type and labels")
    if body.get("type") not in DEVICE_TYPES:
        raise BadRequestError(f"type: expected one of {', '.join(DEVICE_TYPES)}")
    labels = body.get("labels")
    labels = {} if labels is None else labels
    check_labels(labels)
    return Device(project, EMULATED_PREFIX + device_id, body["type"], labels, "", create_time)


def parse_names(body: Any, most: int) -> tuple[str, ...]:
    """The `devices` of a request's body, each once; raises `BadRequestError`."""
    if not isinstance(body, dict):
        raise BadRequestError("body: expected a JSON object")
    names = body.get("devices")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadRequestError("devices: expected a list of projects/<project>/devices/<device>")
    if not names:
        raise BadRequestError("devices: expected at least one")
    if len(names) > most:
        raise BadRequestError(f"devices: {len(names)} given, at most {most}: split them")
    return tuple(dict.fromkeys(names))


def parse_name(name: str) -> tuple[str, str] | None:
    """Project and id of a device's name; None when it is none."""
    match name.split("/"):
        case ["projects", project, "devices", device] if is_id(project) and is_id(device):
            return project, device
    return None


def batch_error(name: str, code: str, message: str) -> dict[str, Any]:
    """What calls on several devices answer for one that failed, as the vendor's SDK reads it.

    `code` is INVALID_ARGUMENT, NOT_FOUND or INTERNAL_ERROR.
    """
    return {"device": name, "status": {"code": code, "message": message}}


def check_labels(labels: Any) -> None:
    """Raise `BadRequestError` unless `labels` are keys and texts within the limits."""
    if not isinstance(labels, dict):
        raise BadRequestError("labels: expected an object of texts")
    if len(labels) > MAXIMUM_LABELS:
        raise BadRequestError(f"labels: {len(labels)} given, at most {MAXIMUM_LABELS}")
    for key, value in labels.items():
        if not is_label_key(key):
            raise BadRequestError(
                f"labels: {key!r:.80}: expected a key of 1 to {LONGEST_LABEL_KEY} printable "
                "characters"
            )
        if not isinstance(value, str) or len(value) > LONGEST_LABEL_VALUE or not _storable(value):
            raise BadRequestError(
                f"labels.{key}: expected a text of at most {LONGEST_LABEL_VALUE} characters"
            )


def is_label_key(key: object) -> bool:
    """Whether a text can be a label's key."""
    return isinstance(key, str) and 1 <= len(key) <= LONGEST_LABEL_KEY and key.isprintable()


def _storable(text: str) -> bool:
    """DynamoDB keeps UTF-8, which has no lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)
