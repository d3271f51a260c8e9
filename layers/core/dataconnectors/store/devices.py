"""Devices in DynamoDB, spread over partitions, each with its last values right behind it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import random
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.devices.device import CLOUD_CONNECTOR, Device, DeviceState
from dataconnectors.kernel import jsontext, times
from dataconnectors.kernel.errors import ConflictError, UnavailableError
from dataconnectors.store import keys
from dataconnectors.store.table import BATCH_GET_KEYS, Item, Table

REGISTERED_AT_ONCE = 50
"""Devices in one transaction, which takes a hundred actions; half of it conflicts less."""

ROUNDS = 6
"""How often devices are registered while others change the same project's counters."""

PAUSE = 0.05
"""Seconds before the second round, doubled before each further one, and up to twice that: callers
who conflicted once shall not meet again."""

_IS_NEW = "attribute_not_exists(pk)"
_IS_THERE = "attribute_exists(pk)"
_BEYOND = "~"
"""Sorts after every id and every event type."""


class DeviceStore:
    """Devices, counted in their project. Safe to share between threads."""

    def __init__(self, table: Table, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._table = table
        self._sleep = sleep

    def create_device(self, device: Device) -> None:
        """Put a device and count it; `ConflictError` when the id is taken."""
        self._table.transact(
            [self._table.put(_device_item(device), _IS_NEW), self._count(device.project, [device])],
            f"{device.name} exists already",
        )

    def register(self, devices: Sequence[Device]) -> None:
        """Put the devices of one project that nobody has put meanwhile, and count them.

        Raises `UnavailableError` when others keep changing the project's counters.
        """
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(PAUSE * 2 ** (round_number - 1) * (1 + random()))
                there = self.devices(devices[0].project, [device.id for device in devices])
                devices = [device for device in devices if device.id not in there]
            try:
                for start in range(0, len(devices), REGISTERED_AT_ONCE):
                    chunk = devices[start : start + REGISTERED_AT_ONCE]
                    puts = [self._table.put(_device_item(device), _IS_NEW) for device in chunk]
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
        """Record the type of a device that had none, and count it as what it is."""
        typeless = replace(device, type="")
        actions = [
            {
                "Update": {
                    **self._of(device),
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
            return  # somebody else did, or the device is gone

    def set_labels(self, device: Device, labels: Mapping[str, str], time_text: str) -> bool:
        """Replace a device's labels; False when they are no longer `device.labels`.

        The table's stream carries both to the function that tells of the change.
        """
        try:
            self._table.dynamodb.update_item(
                **self._of(device),
                UpdateExpression="SET labels = :new, labelsTime = :time",
                ConditionExpression="labels = :old",
                ExpressionAttributeValues={
                    ":new": _labels_value(labels),
                    ":old": _labels_value(device.labels),
                    ":time": {"S": time_text},
                },
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def device(self, project_id: str, device_id: str) -> Device | None:
        """A device, None when absent."""
        item = self._table.get(keys.device_key(project_id, device_id))
        return None if item is None else read_device(project_id, item)

    def devices(self, project_id: str, device_ids: Iterable[str]) -> dict[str, Device]:
        """Those of the devices that exist, by id."""
        wanted = [keys.device_key(project_id, device_id) for device_id in sorted(set(device_ids))]
        found = {}
        for start in range(0, len(wanted), BATCH_GET_KEYS):
            for item in self._table.batch_get(wanted[start : start + BATCH_GET_KEYS]):
                device = read_device(project_id, item)
                found[device.id] = device
        return found

    def project_of(self, device_id: str, project_ids: Iterable[str]) -> str | None:
        """Which of the projects has a device."""
        wanted = {
            keys.device_key(project, device_id)["pk"]["S"]: project for project in project_ids
        }
        partitions = list(wanted)
        for start in range(0, len(partitions), BATCH_GET_KEYS):
            chunk = partitions[start : start + BATCH_GET_KEYS]
            found = self._table.batch_get(
                [{"pk": {"S": pk}, "sk": {"S": f"DEVICE#{device_id}"}} for pk in chunk]
            )
            for item in found:
                return wanted[item["pk"]["S"]]
        return None

    def state(self, project_id: str, device_id: str) -> DeviceState | None:
        """A device with its last values, None when absent."""
        key = keys.device_key(project_id, device_id)
        low = key["sk"]["S"]
        items = self._items(key["pk"]["S"], low, f"{low}#{_BEYOND}")
        return next(_states(project_id, items), None)

    def states(self, project_id: str, partition: str, after: str = "") -> Iterator[DeviceState]:
        """The devices of one of `keys.device_partitions`, by id, from behind the id `after`.

        Reads as it goes, 1 MB at a time.
        """
        low = f"DEVICE#{after}#{_BEYOND}" if after else "DEVICE#"
        return _states(project_id, self._items(partition, low, f"DEVICE#{_BEYOND}"))

    def delete_device(self, device: Device) -> bool:
        """Delete a device with its last values and count it off; False when it is gone already."""
        state = self.state(device.project, device.id)
        if state is None:
            return False
        values = [
            self._table.delete(keys.last_value_key(device.project, device.id, event_type))
            for event_type in state.events
        ]
        row = self._table.delete(keys.device_key(device.project, device.id), _IS_THERE)
        count = self._count(device.project, [], [state.device])
        try:
            self._table.transact([row, *values, count], "")
        except ConflictError:
            return False
        return True

    def transfer(self, state: DeviceState, project_id: str) -> None:
        """Move a device with its labels and last values to another project.

        Its history stays where it came to be. Raises `ConflictError` when one of the two changed
        meanwhile.
        """
        old = state.device
        new = replace(old, project=project_id)
        actions = [
            self._table.delete(
                keys.device_key(old.project, old.id),
                "labels = :labels",
                {":labels": _labels_value(old.labels)},
            ),
            self._count(old.project, [], [old]),
            self._table.put(_device_item(new), _IS_NEW),
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
        self._table.transact(actions, f"{old.name} changed meanwhile, or is there already")

    def _of(self, device: Device) -> dict[str, Any]:
        key = keys.device_key(device.project, device.id)
        return {"TableName": self._table.name, "Key": key}

    def _count(
        self, project_id: str, more: Sequence[Device], fewer: Sequence[Device] = ()
    ) -> dict[str, Any]:
        """The action that counts devices in their project, or off."""
        connectors = _connectors(more) - _connectors(fewer)
        sensors = len(more) - len(fewer) - connectors
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": keys.project_key(project_id),
                "UpdateExpression": "ADD sensorCount :sensors, cloudConnectorCount :connectors",
                "ConditionExpression": _IS_THERE,
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


def _connectors(devices: Iterable[Device]) -> int:
    return sum(device.type == CLOUD_CONNECTOR for device in devices)


def _labels_value(labels: Mapping[str, str]) -> dict[str, Any]:
    return {"M": {key: {"S": value} for key, value in labels.items()}}


def _device_item(device: Device) -> Item:
    return keys.device_key(device.project, device.id) | {
        "type": {"S": device.type},
        "labels": _labels_value(device.labels),
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


@dataclass(frozen=True, slots=True)
class RowChange:
    """A device's row before and after a write of it; `time` is that of its labels' last change."""

    id: str
    old: Device
    new: Device
    time: str


def read_change(record: Mapping[str, Any]) -> RowChange:
    """The change that a record of the table's stream tells of: a modified device, of whose labels
    some were set once.
    """
    old, new = record["dynamodb"]["OldImage"], record["dynamodb"]["NewImage"]
    project = new["pk"]["S"].split("#")[1]
    return RowChange(
        id=record["eventID"],
        old=read_device(project, old),
        new=read_device(project, new),
        time=new["labelsTime"]["S"],
    )


def _states(project_id: str, items: Iterable[Item]) -> Iterator[DeviceState]:
    """Devices with the last values behind each; values whose device is gone are nobody's."""
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
