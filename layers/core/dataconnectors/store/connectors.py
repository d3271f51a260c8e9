"""Connectors in DynamoDB: rows, the conditions of their changes, and the reconciler's index."""

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from dataconnectors.connectors.connector import (
    MAXIMUM_CONNECTORS,
    Connector,
    Lifecycle,
    LifecycleEntry,
    Status,
)
from dataconnectors.connectors.idempotency import IdempotencyRecord
from dataconnectors.identity.audit import AuditEntry
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.table import Item, Table

LIFECYCLE_INDEX = "byLifecycle"

TOMBSTONE_SECONDS = 13 * 3600
"""How long a removed connector is known to have been there: longer than a queue keeps messages."""

_CONNECTORS = "CONNECTOR#"
"""What the sort keys of connectors begin with."""

_BEYOND = "~"
"""Sorts after every id."""

_CONNECTOR_NAME = re.compile(
    r"projects/([A-Za-z0-9_-]{1,64})/dataconnectors/([A-Za-z0-9_-]{1,64})", re.ASCII
)
"""DynamoDB refuses a request with a key that is too long; of such a name there is no connector."""


class ConnectorStore:
    """Connectors. Every write that ingest has to see bumps its project's version with it."""

    def __init__(self, table: Table, *, now: Callable[[], float] = time.time) -> None:
        """`now` gives epoch seconds."""
        self._table = table
        self._now = now

    def create_connector(
        self,
        connector: Connector,
        entry: AuditEntry | None = None,
        creation: IdempotencyRecord | None = None,
        *,
        instead_of: IdempotencyRecord | None = None,
    ) -> bool:
        """Put a new row and bump the configuration's version.

        False when the `creation` is remembered already; `instead_of` what was remembered, it takes
        its place. Raises `NotFoundError` without project and `BadRequestError` when it is full.
        """
        failed = self._table.try_transaction(
            [
                # First, so that a call for the last free place that is sent again is recognized.
                *self._remember(creation, instead_of),
                self._bump(connector.project, connectors=1),
                self._table.put(_connector_item(connector), "attribute_not_exists(pk)"),
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is None:
            return True
        if failed == 0 and creation is not None:
            return False
        if self._table.get(keys.version_key(connector.project)) is None:
            raise NotFoundError(f"projects/{connector.project} is not there")
        raise BadRequestError(
            f"projects/{connector.project} has {MAXIMUM_CONNECTORS} connectors: delete one first"
        )

    def creation(self, project_id: str, digest: str) -> IdempotencyRecord | None:
        """What is remembered of a create call; perhaps for longer than it is worth."""
        item = self._table.get(keys.idempotency_record_key(project_id, digest))
        if item is None:
            return None
        return IdempotencyRecord(
            project_id, digest, item["connector"]["S"], float(item["expiresAt"]["N"])
        )

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
            _connector(item) for item in self._table.query(f"PROJECT#{project_id}", _CONNECTORS)
        ]

    def page(self, project_id: str, *, limit: int, after: str) -> tuple[list[Connector], str]:
        """At most `limit` connectors with ids after the id `after`, and the id to go on after.

        Connectors that are being deleted are left out. The id is "" when no connector follows.
        """
        found: list[Connector] = []
        position = _CONNECTORS + after if after else ""
        while len(found) <= limit:  # One more than the page shows tells whether it is the last
            items, position = self._table.page(
                f"PROJECT#{project_id}",
                _CONNECTORS,
                _CONNECTORS + _BEYOND,
                limit=min(limit, MAXIMUM_CONNECTORS) + 1,
                after=position,
            )
            rows = map(_connector, items)
            found += [row for row in rows if row.lifecycle is not Lifecycle.DELETING]
            if not position:
                break
        shown = found[:limit]
        return shown, shown[-1].id if len(found) > limit else ""

    def update_connector(
        self, old: Connector, new: Connector, entry: AuditEntry | None = None
    ) -> Connector | None:
        """Write `new` over `old`, as the next version; None when the row is no longer `old`.

        The same transaction bumps the configuration's version, so that an event accepted after
        this returned is handled by the new settings.
        """
        written = replace(new, version=old.version + 1)
        # One that is being deleted takes no place any more.
        leaves = new.lifecycle is Lifecycle.DELETING and old.lifecycle is not Lifecycle.DELETING
        try:
            self._table.transact(
                [
                    self._table.put(
                        _connector_item(written), "version = :version", _version_value(old)
                    ),
                    self._bump(old.project, connectors=-1 if leaves else 0),
                    *put_audit_entries(self._table, entry),
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
        failed = self._table.try_transaction(
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

    def was_removed(self, name: str) -> bool:
        """Whether a connector was removed in the last 13 hours.

        DynamoDB deletes what has expired when it gets to it, so the time is looked at here.
        """
        parts = _CONNECTOR_NAME.fullmatch(name)
        if parts is None:
            return False
        item = self._table.get(keys.tombstone_key(*parts.groups()))
        return item is not None and self._now() < int(item["expiresAt"]["N"])

    def _remember(
        self, creation: IdempotencyRecord | None, instead_of: IdempotencyRecord | None
    ) -> list[dict[str, Any]]:
        if creation is None:
            return []
        item = keys.idempotency_record_key(creation.project, creation.digest) | {
            "connector": {"S": creation.connector},
            "expiresAt": {"N": str(math.ceil(creation.expires_at))},
        }
        if instead_of is None:
            return [self._table.put(item, "attribute_not_exists(pk)")]
        expected = {":connector": {"S": instead_of.connector}}
        return [self._table.put(item, "connector = :connector", expected)]

    def _bump(self, project_id: str, *, connectors: int = 0) -> dict[str, Any]:
        """Every write that ingest has to see does this, in the same transaction.

        `connectors` is how many more the project has then, within its limit.
        """
        action = self._table.add(keys.version_key(project_id), "version", 1)
        if connectors:
            update = action["Update"]
            update["UpdateExpression"] += ", connectorCount :connectors"
            update["ExpressionAttributeValues"][":connectors"] = {"N": str(connectors)}
            if connectors > 0:
                update["ConditionExpression"] += " AND connectorCount < :maximum"
                update["ExpressionAttributeValues"][":maximum"] = {"N": str(MAXIMUM_CONNECTORS)}
        return action


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
