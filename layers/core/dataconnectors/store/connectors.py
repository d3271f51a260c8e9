"""Connectors in DynamoDB: rows, the conditions of their changes, and the reconciler's index."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dataconnectors.audit import Change
from dataconnectors.connectors import Connector, Lifecycle, LifecycleEntry, Status
from dataconnectors.errors import ConflictError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.audit import put_changes
from dataconnectors.store.table import Item, Table

LIFECYCLE_INDEX = "byLifecycle"

TOMBSTONE_SECONDS = 13 * 3600
"""How long a removed connector is known to have been there: longer than a queue keeps messages."""

_CONNECTOR_NAME = re.compile(r"projects/([A-Za-z0-9_-]+)/dataconnectors/([A-Za-z0-9_-]+)", re.ASCII)


class ConnectorStore:
    """Connectors. Every write that ingest has to see bumps its project's version with it."""

    def __init__(self, table: Table, *, now: Callable[[], float] = time.time) -> None:
        """`now` gives epoch seconds."""
        self._table = table
        self._now = now

    def create_connector(self, connector: Connector, change: Change | None = None) -> None:
        """Put a new row and bump the configuration's version; `NotFoundError` without project."""
        try:
            self._table.transact(
                [
                    self._table.put(_connector_item(connector), "attribute_not_exists(pk)"),
                    self._bump(connector.project),
                    *put_changes(self._table, change),
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
        item = self._table.get(keys.connector_key(*parts.groups()))
        return None if item is None else _connector(item)

    def connectors(self, project_id: str) -> list[Connector]:
        """All rows of a project, those being deleted included."""
        return [
            _connector(item) for item in self._table.query(f"PROJECT#{project_id}", "CONNECTOR#")
        ]

    def update_connector(
        self, old: Connector, new: Connector, change: Change | None = None
    ) -> Connector | None:
        """Write `new` over `old`, as the next version; None when the row is no longer `old`.

        The same transaction bumps the configuration's version, so that an event accepted after
        this returned is handled by the new settings.
        """
        written = replace(new, version=old.version + 1)
        try:
            self._table.transact(
                [
                    self._table.put(
                        _connector_item(written), "version = :version", _version_value(old)
                    ),
                    self._bump(old.project),
                    *put_changes(self._table, change),
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
        pages = self._table.dynamodb.get_paginator("query").paginate(
            TableName=self._table.name,
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
        """Leave a tombstone for a row that is being deleted; False when it is no longer there.

        A copy of a message may turn up even after its queue is gone, and a batch may be at work on
        one: the tombstone tells them from messages of a connector that never was.
        """
        expires_at = int(self._now()) + TOMBSTONE_SECONDS
        tombstone = keys.tombstone_key(connector.project, connector.id)
        failed = self._table.attempt(
            [
                self._table.delete(
                    keys.connector_key(connector.project, connector.id),
                    "lifecycle = :deleting",
                    {":deleting": {"S": Lifecycle.DELETING.value}},
                ),
                self._table.put(tombstone | {"expiresAt": {"N": str(expires_at)}}, ""),
            ]
        )
        return failed is None

    def is_buried(self, name: str) -> bool:
        """Whether a connector was removed in the last 13 hours.

        DynamoDB deletes what has expired when it gets to it, so the time is looked at here.
        """
        parts = _CONNECTOR_NAME.fullmatch(name)
        if parts is None:
            return False
        item = self._table.get(keys.tombstone_key(*parts.groups()))
        return item is not None and self._now() < int(item["expiresAt"]["N"])

    def _bump(self, project_id: str) -> dict[str, Any]:
        """Every write that ingest has to see does this, in the same transaction."""
        return self._table.add(keys.version_key(project_id), "version", 1)


def _connector_item(connector: Connector) -> Item:
    item = keys.connector_key(connector.project, connector.id) | {
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


def _version_value(connector: Connector) -> dict[str, Any]:
    return {":version": {"N": str(connector.version)}}
