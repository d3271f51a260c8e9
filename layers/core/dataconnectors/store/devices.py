"""Devices in DynamoDB, spread over partitions."""

from typing import Any

from dataconnectors.devices import Device
from dataconnectors.errors import ConflictError
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table


class DeviceStore:
    """Devices, counted in their project."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_device(self, device: Device) -> None:
        """Put a device and count it; `ConflictError` when the id is taken."""
        self._table.transact(
            [
                self._table.put(_device_item(device), "attribute_not_exists(pk)"),
                self._count(device, 1),
            ],
            f"{device.name} exists already",
        )

    def device(self, project_id: str, device_id: str) -> Device | None:
        """A device, None when absent."""
        item = self._table.get(keys.device_key(project_id, device_id))
        return None if item is None else read_device(project_id, item)

    def delete_device(self, device: Device) -> bool:
        """Delete a device and count it off; False when it is gone already."""
        key = keys.device_key(device.project, device.id)
        delete = {
            "Delete": {
                "TableName": self._table.name,
                "Key": key,
                "ConditionExpression": "attribute_exists(pk)",
            }
        }
        try:
            self._table.transact([delete, self._count(device, -1)], "")
        except ConflictError:
            return False
        return True

    def _count(self, device: Device, change: int) -> dict[str, Any]:
        counter = "cloudConnectorCount" if device.type == "ccon" else "sensorCount"
        return self._table.add(keys.project_key(device.project), counter, change)


def _device_item(device: Device) -> Item:
    return keys.device_key(device.project, device.id) | {
        "type": {"S": device.type},
        "labels": {"M": {key: {"S": value} for key, value in device.labels.items()}},
        "productNumber": {"S": device.product_number},
        "createTime": {"S": device.create_time},
    }


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
