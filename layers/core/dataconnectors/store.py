"""Everything in DynamoDB: keys, expressions and conditions of the one table.

Access paths and their cost are in docs/data-model.md. Reads are strongly consistent, the index
excepted. Methods raise botocore's `ClientError` and `BotoCoreError` when DynamoDB fails.
"""

import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.connectors import Connector, Lifecycle, Status
from dataconnectors.devices import Device
from dataconnectors.errors import ConflictError, NotFoundError, UnavailableError

DEVICE_SHARDS = 16
"""Partitions of a project's devices: one takes 3,000 reads a second, and ingest reads a device for
every event. Changing it would lose sight of the devices stored before."""

BATCH_GET_KEYS = 100
"""AWS: BatchGetItem takes 100 keys."""

TRIES = 4
"""Of a call that DynamoDB answered in part, or cancelled because of a concurrent transaction."""

LIFECYCLE_INDEX = "byLifecycle"

_CONNECTOR_NAME = re.compile(r"projects/([A-Za-z0-9_-]+)/dataconnectors/([A-Za-z0-9_-]+)", re.ASCII)

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Project:
    """A project. The counts are of its devices: sensors and cloud connectors."""

    id: str
    display_name: str
    organization: str
    sensor_count: int
    cloud_connector_count: int
    create_time: str


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account; `email` is what it is known by, `create_time` RFC 3339."""

    project: str
    id: str
    email: str
    display_name: str
    enable_basic_auth: bool
    create_time: str


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A key of a service account; `secret` is KMS ciphertext, sealed under `name`."""

    id: str
    project: str
    account: str
    secret: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`projects/{project}/serviceaccounts/{account}/keys/{id}`."""
        return f"projects/{self.project}/serviceaccounts/{self.account}/keys/{self.id}"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs access tokens; `sealed` is KMS ciphertext, sealed under `name`."""

    id: str
    sealed: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`tokenkeys/{id}`."""
        return f"tokenkeys/{self.id}"


@dataclass(frozen=True, slots=True)
class LifecycleEntry:
    """A connector as the index knows it: possibly seconds behind its row."""

    name: str
    queue_id: str
    mapping_id: str
    provisioned: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What ingest needs of a project: its configuration's version, and the devices asked for."""

    version: int
    devices: Mapping[str, Device]


class Store:
    """The table. Safe to share between threads, as botocore clients are."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    # --- projects ----------------------------------------------------------------------------

    def create_project(self, project: Project) -> None:
        """Put a project and its configuration version; `ConflictError` when the id is taken."""
        self._transact(
            [
                self._put(
                    _project_key(project.id)
                    | {
                        "displayName": {"S": project.display_name},
                        "organization": {"S": project.organization},
                        "sensorCount": {"N": str(project.sensor_count)},
                        "cloudConnectorCount": {"N": str(project.cloud_connector_count)},
                        "createTime": {"S": project.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._put(_version_key(project.id) | {"version": {"N": "1"}}, ""),
            ],
            f"projects/{project.id} exists already",
        )

    def project(self, project_id: str) -> Project | None:
        """A project, None when absent."""
        item = self._get(_project_key(project_id))
        if item is None:
            return None
        return Project(
            id=project_id,
            display_name=item["displayName"]["S"],
            organization=item["organization"]["S"],
            sensor_count=int(item["sensorCount"]["N"]),
            cloud_connector_count=int(item["cloudConnectorCount"]["N"]),
            create_time=item["createTime"]["S"],
        )

    def snapshot(self, project_id: str, device_ids: Iterable[str]) -> Snapshot | None:
        """The configuration's version and the devices that exist; None without the project."""
        keys = [_version_key(project_id)]
        keys += [_device_key(project_id, device) for device in sorted(set(device_ids))]
        items: list[Item] = []
        for start in range(0, len(keys), BATCH_GET_KEYS):
            items += self._batch_get(keys[start : start + BATCH_GET_KEYS])
        version = 0
        devices = {}
        for item in items:
            if item["sk"]["S"] == "VERSION":
                version = int(item["version"]["N"])
            else:
                device = _device(project_id, item)
                devices[device.id] = device
        return Snapshot(version, devices) if version else None

    # --- connectors --------------------------------------------------------------------------

    def create_connector(self, connector: Connector) -> None:
        """Put a new row and bump the configuration's version; `NotFoundError` without project."""
        try:
            self._transact(
                [
                    self._put(_connector_item(connector), "attribute_not_exists(pk)"),
                    self._bump(connector.project),
                ],
                "",
            )
        except ConflictError:
            raise NotFoundError(f"projects/{connector.project} is not there") from None

    def connector(self, name: str) -> Connector | None:
        """A connector by its resource name; None when absent or when the name is none."""
        parts = _CONNECTOR_NAME.fullmatch(name)
        if parts is None:
            return None
        item = self._get(_connector_key(*parts.groups()))
        return None if item is None else _connector(item)

    def connectors(self, project_id: str) -> list[Connector]:
        """All rows of a project, those being deleted included."""
        return [_connector(item) for item in self._query(f"PROJECT#{project_id}", "CONNECTOR#")]

    def update_connector(self, old: Connector, new: Connector) -> Connector | None:
        """Write `new` over `old`, as the next version; None when the row is no longer `old`.

        The same transaction bumps the configuration's version, so that an event accepted after
        this returned is handled by the new settings.
        """
        written = replace(new, version=old.version + 1)
        try:
            self._transact(
                [
                    self._put(
                        _connector_item(written), "version = :version", _version_value(old)
                    ),
                    self._bump(old.project),
                ],
                "",
            )
        except ConflictError:
            return None
        return written

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None:
        """Record that queue and mapping are accepted; None when the row changed or is deleted."""
        if connector.lifecycle is Lifecycle.DELETING:
            return None
        return self.update_connector(
            connector,
            replace(
                connector,
                lifecycle=Lifecycle.READY,
                queue_url=queue_url,
                mapping_id=mapping_id,
                provisioned=provisioned,
            ),
        )

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        """Connectors of all projects in one lifecycle, from the index: eventually consistent."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=LIFECYCLE_INDEX,
            KeyConditionExpression="lifecycle = :lifecycle",
            ExpressionAttributeValues={":lifecycle": {"S": lifecycle.value}},
        )
        for page in pages:
            for item in page["Items"]:
                project = item["pk"]["S"].removeprefix("PROJECT#")
                connector = item["sk"]["S"].removeprefix("CONNECTOR#")
                yield LifecycleEntry(
                    name=f"projects/{project}/dataconnectors/{connector}",
                    queue_id=item["queueId"]["S"],
                    mapping_id=item["mappingId"]["S"],
                    provisioned=item["provisioned"]["S"],
                )

    def remove(self, connector: Connector) -> bool:
        """Delete a row that is being deleted; False when it is gone or no longer so."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_connector_key(connector.project, connector.id),
                ConditionExpression="lifecycle = :deleting",
                ExpressionAttributeValues={":deleting": {"S": Lifecycle.DELETING.value}},
            )
        except ClientError as error:
            if _code(error) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    # --- devices -----------------------------------------------------------------------------

    def create_device(self, device: Device) -> None:
        """Put a device and count it; `ConflictError` when the id is taken."""
        self._transact(
            [
                self._put(_device_item(device), "attribute_not_exists(pk)"),
                self._count(device, 1),
            ],
            f"{device.name} exists already",
        )

    def device(self, project_id: str, device_id: str) -> Device | None:
        """A device, None when absent."""
        item = self._get(_device_key(project_id, device_id))
        return None if item is None else _device(project_id, item)

    def delete_device(self, device: Device) -> bool:
        """Delete a device and count it off; False when it is gone already."""
        key = _device_key(device.project, device.id)
        delete = {
            "Delete": {
                "TableName": self._table,
                "Key": key,
                "ConditionExpression": "attribute_exists(pk)",
            }
        }
        try:
            self._transact([delete, self._count(device, -1)], "")
        except ConflictError:
            return False
        return True

    # --- who may call ------------------------------------------------------------------------

    def create_service_account(
        self, account: ServiceAccount, key: AccountKey, roles: Iterable[str]
    ) -> None:
        """Put an account, its key and its membership in its own project, all or nothing."""
        member = {"roles": {"L": [{"S": role} for role in roles]}}
        self._transact(
            [
                self._put(
                    {
                        "pk": {"S": f"PROJECT#{account.project}"},
                        "sk": {"S": f"SERVICEACCOUNT#{account.id}"},
                        "email": {"S": account.email},
                        "displayName": {"S": account.display_name},
                        "enableBasicAuth": {"BOOL": account.enable_basic_auth},
                        "createTime": {"S": account.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._put(
                    _key_key(key.id)
                    | {
                        "project": {"S": key.project},
                        "account": {"S": key.account},
                        "secret": {"B": key.secret},
                        "createTime": {"S": key.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._put(_member_key(account.project, account.email) | member, ""),
            ],
            f"service account {account.email} exists already",
        )

    def service_account(self, project_id: str, account_id: str) -> ServiceAccount | None:
        """A service account, None when absent."""
        item = self._get(
            {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"SERVICEACCOUNT#{account_id}"}}
        )
        if item is None:
            return None
        return ServiceAccount(
            project=project_id,
            id=account_id,
            email=item["email"]["S"],
            display_name=item["displayName"]["S"],
            enable_basic_auth=item["enableBasicAuth"]["BOOL"],
            create_time=item["createTime"]["S"],
        )

    def account_key(self, key_id: str) -> AccountKey | None:
        """A service account's key, None when absent."""
        item = self._get(_key_key(key_id))
        if item is None:
            return None
        return AccountKey(
            id=key_id,
            project=item["project"]["S"],
            account=item["account"]["S"],
            secret=bytes(item["secret"]["B"]),
            create_time=item["createTime"]["S"],
        )

    def roles(self, project_id: str, email: str) -> tuple[str, ...]:
        """The roles of a member in a project; empty for somebody who is none."""
        item = self._get(_member_key(project_id, email))
        return () if item is None else tuple(role["S"] for role in item["roles"]["L"])

    def token_keys(self) -> list[TokenKey]:
        """The keys that access tokens may be signed with, oldest first."""
        return [
            TokenKey(
                id=item["sk"]["S"].removeprefix("TOKENKEY#"),
                sealed=bytes(item["sealed"]["B"]),
                create_time=item["createTime"]["S"],
            )
            for item in self._query("TOKENKEYS", "TOKENKEY#")
        ]

    def add_token_key(self, key: TokenKey) -> None:
        """Put a key that signs access tokens."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                "pk": {"S": "TOKENKEYS"},
                "sk": {"S": f"TOKENKEY#{key.id}"},
                "sealed": {"B": key.sealed},
                "createTime": {"S": key.create_time},
            },
        )

    # --- requests ----------------------------------------------------------------------------

    def _get(self, key: Item) -> Item | None:
        answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def _batch_get(self, keys: list[Item]) -> list[Item]:
        items: list[Item] = []
        for _ in range(TRIES):
            answer = self._dynamodb.batch_get_item(
                RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
            )
            items += answer["Responses"].get(self._table, [])
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            if not keys:
                return items
        raise UnavailableError("the database is busy: send the request again")

    def _query(self, partition: str, prefix: str) -> list[Item]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": partition}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]

    def _put(
        self, item: Item, condition: str, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self._table, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = dict(values)
        return {"Put": put}

    def _bump(self, project_id: str) -> dict[str, Any]:
        """Every write that ingest has to see does this, in the same transaction."""
        return self._add(_version_key(project_id), "version", 1)

    def _count(self, device: Device, change: int) -> dict[str, Any]:
        counter = "cloudConnectorCount" if device.type == "ccon" else "sensorCount"
        return self._add(_project_key(device.project), counter, change)

    def _add(self, key: Item, attribute: str, change: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": key,
                "UpdateExpression": f"ADD {attribute} :change",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":change": {"N": str(change)}},
            }
        }

    def _transact(self, actions: list[dict[str, Any]], conflict: str) -> None:
        """All actions or none; `ConflictError(conflict)` when a condition did not hold."""
        for attempt in range(1, TRIES + 1):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = [
                    reason.get("Code") for reason in error.response.get("CancellationReasons", [])
                ]
                if "ConditionalCheckFailed" in reasons:
                    raise ConflictError(conflict) from None
                if "TransactionConflict" not in reasons or attempt == TRIES:
                    raise
            else:
                return


# --- keys and items --------------------------------------------------------------------------


def _project_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "PROJECT"}}


def _version_key(project_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": "VERSION"}}


def _connector_key(project_id: str, connector_id: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"CONNECTOR#{connector_id}"}}


def _device_key(project_id: str, device_id: str) -> Item:
    shard = zlib.crc32(device_id.encode()) % DEVICE_SHARDS
    return {"pk": {"S": f"DEVICES#{project_id}#{shard}"}, "sk": {"S": f"DEVICE#{device_id}"}}


def _key_key(key_id: str) -> Item:
    return {"pk": {"S": f"KEY#{key_id}"}, "sk": {"S": "KEY"}}


def _member_key(project_id: str, email: str) -> Item:
    return {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"MEMBER#{email}"}}


def _version_value(connector: Connector) -> dict[str, Any]:
    return {":version": {"N": str(connector.version)}}


def _connector_item(connector: Connector) -> Item:
    item = _connector_key(connector.project, connector.id) | {
        "displayName": {"S": connector.display_name},
        "status": {"S": connector.status.value},
        "eventTypes": {"L": [{"S": event_type} for event_type in connector.event_types]},
        "labels": {"L": [{"S": label} for label in connector.labels]},
        "url": {"S": connector.url},
        "lifecycle": {"S": connector.lifecycle.value},
        "epoch": {"N": str(connector.epoch)},
        "version": {"N": str(connector.version)},
        "queueId": {"S": connector.queue_id},
        "queueUrl": {"S": connector.queue_url},
        "mappingId": {"S": connector.mapping_id},
        "provisioned": {"S": connector.provisioned},
        "createTime": {"S": connector.create_time},
        "updateTime": {"S": connector.update_time},
    }
    if connector.sealed is not None:
        item["sealed"] = {"B": connector.sealed}
    return item


def _connector(item: Item) -> Connector:
    return Connector(
        project=item["pk"]["S"].removeprefix("PROJECT#"),
        id=item["sk"]["S"].removeprefix("CONNECTOR#"),
        display_name=item["displayName"]["S"],
        status=Status(item["status"]["S"]),
        event_types=tuple(entry["S"] for entry in item["eventTypes"]["L"]),
        labels=tuple(entry["S"] for entry in item["labels"]["L"]),
        url=item["url"]["S"],
        sealed=bytes(item["sealed"]["B"]) if "sealed" in item else None,
        lifecycle=Lifecycle(item["lifecycle"]["S"]),
        epoch=int(item["epoch"]["N"]),
        version=int(item["version"]["N"]),
        queue_id=item["queueId"]["S"],
        queue_url=item["queueUrl"]["S"],
        mapping_id=item["mappingId"]["S"],
        provisioned=item["provisioned"]["S"],
        create_time=item["createTime"]["S"],
        update_time=item["updateTime"]["S"],
    )


def _device_item(device: Device) -> Item:
    return _device_key(device.project, device.id) | {
        "type": {"S": device.type},
        "labels": {"M": {key: {"S": value} for key, value in device.labels.items()}},
        "productNumber": {"S": device.product_number},
        "createTime": {"S": device.create_time},
    }


def _device(project_id: str, item: Item) -> Device:
    return Device(
        project=project_id,
        id=item["sk"]["S"].removeprefix("DEVICE#"),
        type=item["type"]["S"],
        labels={key: value["S"] for key, value in item["labels"]["M"].items()},
        product_number=item["productNumber"]["S"],
        create_time=item["createTime"]["S"],
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
