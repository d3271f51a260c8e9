"""Devices in DynamoDB: how they are registered, read, changed, moved, deleted and counted."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from random import random
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.devices.device import CLOUD_CONNECTOR, Device, DeviceState
from dataconnectors.kernel import jsontext, times
from dataconnectors.kernel.errors import ConflictError, UnavailableError
from dataconnectors.store import keys
from dataconnectors.store.device_items import device_item, labels_value, read_device, read_states
from dataconnectors.store.table import BATCH_GET_KEYS, Item, Table

REGISTERED_AT_ONCE = 50
"""Devices in one transaction. It takes a hundred actions, but half as many conflict less often."""

ROUNDS = 6
"""How often devices are registered when other calls keep changing the counters of their project."""

PAUSE = 0.05
"""Seconds before the second round, doubled before each further one, and up to twice that at random,
so that callers who conflicted once do not do so again."""

_IS_NEW = "attribute_not_exists(pk)"
_EXISTS = "attribute_exists(pk)"


class DeviceStore:
    """The devices of all projects. Safe to share between threads."""

    def __init__(self, table: Table, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def create_device(self, device: Device) -> None:
        """Put a device, and count it in its project; `ConflictError` when its id is taken."""
        self._table.transact(
            [self._table.put(device_item(device), _IS_NEW), self._count(device.project, [device])],
            f"{device.name} exists already",
        )

    def register(self, devices: Sequence[Device]) -> None:
        """Put those of the devices that do not exist yet, and count them in their project.

        All devices belong to one project. Raises `UnavailableError` when other calls keep changing
        the project's counters.
        """
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(PAUSE * 2 ** (round_number - 1) * (1 + random()))
                existing = self.devices(devices[0].project, [device.id for device in devices])
                devices = [device for device in devices if device.id not in existing]
            try:
                for start in range(0, len(devices), REGISTERED_AT_ONCE):
                    chunk = devices[start : start + REGISTERED_AT_ONCE]
                    puts = [self._table.put(device_item(device), _IS_NEW) for device in chunk]
                    count = self._count(chunk[0].project, chunk)
                    self._table.transact([*puts, count], "", tries=1)
            except ConflictError:
                continue
            except ClientError as error:
                if error.response["Error"]["Code"] != "TransactionCanceledException":
                    raise
                continue
            return
        raise UnavailableError("new devices could not be counted: send the events again")

    def set_type(self, device: Device) -> None:
        """Set the type of a device that has none, and count the device by its type.

        Nothing happens when the device has a type by now, or is gone.
        """
        typeless = replace(device, type="")
        actions = [
            {
                "Update": {
                    **self._update_of(device),
                    "UpdateExpression": "SET #type = :type",
                    "ConditionExpression": "#type = :none",
                    "ExpressionAttributeNames": {"#type": "type"},
                    "ExpressionAttributeValues": {
                        ":type": {"S": device.type},
                        ":none": {"S": typeless.type},
                    },
                }
            }
        ]
        if device.type == CLOUD_CONNECTOR:
            actions.append(self._count(device.project, [device], [typeless]))
        try:
            self._table.transact(actions, "")
        except ConflictError:
            return

    def set_labels(self, device: Device, labels: Mapping[str, str], time_text: str) -> bool:
        """Replace a device's labels; False when they are no longer `device.labels`.

        The table's stream delivers the old and the new labels to the function that publishes
        labelsChanged events.
        """
        return self._table.try_write(
            self._table.dynamodb.update_item,
            **self._update_of(device),
            UpdateExpression="SET labels = :new, labelsTime = :time",
            ConditionExpression="labels = :old",
            ExpressionAttributeValues={
                ":new": labels_value(labels),
                ":old": labels_value(device.labels),
                ":time": {"S": time_text},
            },
        )

    def device(self, project_id: str, device_id: str) -> Device | None:
        """A device; None when it does not exist."""
        item = self._table.get(keys.device_key(project_id, device_id))
        return None if item is None else read_device(project_id, item)

    def devices(self, project_id: str, device_ids: Iterable[str]) -> dict[str, Device]:
        """The devices that exist, by id."""
        wanted = [keys.device_key(project_id, device_id) for device_id in sorted(set(device_ids))]
        found = (read_device(project_id, item) for item in self._table.batch_get(wanted))
        return {device.id: device for device in found}

    def project_of(self, device_id: str, project_ids: Iterable[str]) -> str | None:
        """Which of the projects has the device; None when none of them does."""
        wanted = [(project, keys.device_key(project, device_id)) for project in project_ids]
        projects = {key["pk"]["S"]: project for project, key in wanted}
        # In batches, because the first ones often suffice.
        for start in range(0, len(wanted), BATCH_GET_KEYS):
            batch = [key for _, key in wanted[start : start + BATCH_GET_KEYS]]
            for item in self._table.batch_get(batch):
                return projects[item["pk"]["S"]]
        return None

    def state(self, project_id: str, device_id: str) -> DeviceState | None:
        """A device with its last values; None when it does not exist."""
        key = keys.device_key(project_id, device_id)
        low = key["sk"]["S"]
        items = self._items(key["pk"]["S"], low, f"{low}#{keys.HIGHEST}")
        return next(read_states(project_id, items), None)

    def states(self, project_id: str, partition: str, after: str = "") -> Iterator[DeviceState]:
        """The devices of one of `keys.device_partitions`, in the order of their ids, after `after`.

        The partition is read while the result is consumed, 1 MB at a time.
        """
        low = f"DEVICE#{after}#{keys.HIGHEST}" if after else "DEVICE#"
        return read_states(project_id, self._items(partition, low, f"DEVICE#{keys.HIGHEST}"))

    def delete_device(self, device: Device) -> bool:
        """Delete a device with its last values, and uncount it; False when it does not exist."""
        state = self.state(device.project, device.id)
        if state is None:
            return False
        values = [
            self._table.delete(keys.last_value_key(device.project, device.id, event_type))
            for event_type in state.events
        ]
        row = self._table.delete(keys.device_key(device.project, device.id), _EXISTS)
        count = self._count(device.project, [], [state.device])
        try:
            self._table.transact([row, *values, count], "")
        except ConflictError:
            return False
        return True

    def transfer(self, state: DeviceState, project_id: str) -> None:
        """Move a device with its labels and last values to another project.

        Its history stays in the old project. Raises `ConflictError` when the device was changed
        meanwhile, or the other project has a device with its id.
        """
        old = state.device
        new = replace(old, project=project_id)
        actions = [
            self._table.delete(
                keys.device_key(old.project, old.id),
                "labels = :labels",
                {":labels": labels_value(old.labels)},
            ),
            self._count(old.project, [], [old]),
            self._table.put(device_item(new), _IS_NEW),
            self._count(new.project, [new]),
        ]
        for event_type, text in state.events.items():
            event = jsontext.loads(text)
            moved = jsontext.dumps(event | {"targetName": new.name})
            happened = {"N": str(keys.micros(times.from_text(event["timestamp"])))}
            actions.append(self._table.delete(keys.last_value_key(old.project, old.id, event_type)))
            actions.append(
                self._table.put(
                    keys.last_value_key(new.project, new.id, event_type)
                    | {"happenedAt": happened, "event": {"S": moved}},
                    "",
                )
            )
        self._table.transact(
            actions, f"{old.name} was changed meanwhile, or exists in projects/{project_id} already"
        )

    def _update_of(self, device: Device) -> dict[str, Any]:
        key = keys.device_key(device.project, device.id)
        return {"TableName": self._table.name, "Key": key}

    def _count(
        self, project_id: str, added: Sequence[Device], removed: Sequence[Device] = ()
    ) -> dict[str, Any]:
        """The action that counts added devices in their project, and uncounts removed ones."""
        connectors = _cloud_connectors(added) - _cloud_connectors(removed)
        sensors = len(added) - len(removed) - connectors
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": keys.project_key(project_id),
                "UpdateExpression": "ADD sensorCount :sensors, cloudConnectorCount :connectors",
                "ConditionExpression": _EXISTS,
                "ExpressionAttributeValues": {
                    ":sensors": {"N": str(sensors)},
                    ":connectors": {"N": str(connectors)},
                },
            }
        }

    def _items(self, partition: str, low: str, high: str) -> Iterator[Item]:
        pages = self._table.dynamodb.get_paginator("query").paginate(
            TableName=self._table.name,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
            ExpressionAttributeValues={
                ":pk": {"S": partition},
                ":low": {"S": low},
                ":high": {"S": high},
            },
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])


def _cloud_connectors(devices: Iterable[Device]) -> int:
    return sum(device.type == CLOUD_CONNECTOR for device in devices)
