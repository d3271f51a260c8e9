"""What a record of the table's stream says about a device."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.devices.device import Device
from dataconnectors.store.device_items import read_device


@dataclass(frozen=True, slots=True)
class DeviceChange:
    """A device before and after one write of its item.

    `id` is that of the stream's record, and the same each time the record is delivered. `time` is
    the RFC 3339 time at which the labels were last changed.
    """

    id: str
    old: Device
    new: Device
    time: str


def read_device_change(record: Mapping[str, Any]) -> DeviceChange:
    """The change that a record describes.

    The record has to be of a modified device whose labels were set at least once: template.yaml
    filters the stream accordingly.
    """
    old, new = record["dynamodb"]["OldImage"], record["dynamodb"]["NewImage"]
    project = new["pk"]["S"].split("#")[1]
    return DeviceChange(
        id=record["eventID"],
        old=read_device(project, old),
        new=read_device(project, new),
        time=new["labelsTime"]["S"],
    )
