"""How a device is stored: its item, and the items of its last values right behind it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dataconnectors.devices.device import Device, DeviceState
from dataconnectors.store import keys
from dataconnectors.store.table import Item


def device_item(device: Device) -> Item:
    """The item of a device."""
    return keys.device_key(device.project, device.id) | {
        "type": {"S": device.type},
        "labels": labels_value(device.labels),
        "productNumber": {"S": device.product_number},
        "createTime": {"S": device.create_time},
    }


def labels_value(labels: Mapping[str, str]) -> dict[str, Any]:
    """The value of the attribute `labels`."""
    return {"M": {key: {"S": value} for key, value in labels.items()}}


def read_device(project_id: str, item: Item) -> Device:
    """The device of an item."""
    return Device(
        project=project_id,
        id=item["sk"]["S"].removeprefix("DEVICE#"),
        type=item["type"]["S"],
        labels={key: value["S"] for key, value in item["labels"]["M"].items()},
        product_number=item["productNumber"]["S"],
        create_time=item["createTime"]["S"],
    )


def read_states(project_id: str, items: Iterable[Item]) -> Iterator[DeviceState]:
    """Devices with their last values, from items in the order of their sort keys.

    Last values whose device was deleted are left out.
    """
    state: DeviceState | None = None
    for item in items:
        device_id, _, event_type = item["sk"]["S"].removeprefix("DEVICE#").partition("#")
        if not event_type:
            if state is not None:
                yield state
            state = DeviceState(read_device(project_id, item), {})
        elif state is not None and state.device.id == device_id:
            state.events[event_type] = item["event"]["S"]
    if state is not None:
        yield state
