"""Devices: what sends events, what is known of it, and what it reported last."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
"""The type of gateways. Projects count them apart from sensors."""

EMULATED_PREFIX = "emu"
"""The id of an emulated device is this prefix and 20 characters."""

DEVICE_TYPE_OF_EVENT: Mapping[str, str] = {
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
"""The type of device that sends an event type, for event types that only one type of device sends.
It gives an unknown device its type."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device. `labels` hold its display name under the key `name`.

    `type` is "" while no event has shown it, and `product_number` is "" without one. `create_time`
    is in RFC 3339.
    """

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
        """Return the resource as answers show it."""
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
        """Return about how many bytes it takes in an answer."""
        return 500 + sum(len(text) for text in self.events.values())

    def reported(self) -> dict[str, Any]:
        """Return the data of the last event of each type, by type."""
        return {
            event_type: json.loads(text)["data"][event_type]
            for event_type, text in self.events.items()
        }

    def to_api(self) -> dict[str, Any]:
        """Return the resource as answers show it; without events, `reported` is left out."""
        reported = {"reported": self.reported()} if self.events else {}
        return self.device.to_api() | reported


def parse_device_name(name: str) -> tuple[str, str] | None:
    """Return the project and the id in a device's resource name; None for any other text."""
    match name.split("/"):
        case ["projects", project, "devices", device] if is_id(project) and is_id(device):
            return project, device
    return None
