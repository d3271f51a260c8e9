"""Connectors in DynamoDB: their rows, what remains of deleted ones, and the reconciler's index."""

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
from dataconnectors.store.connector_items import connector_item, read_connector
from dataconnectors.store.failing_items import listing
from dataconnectors.store.table import Table

LIFECYCLE_INDEX = "byLifecycle"
"""Name of the index (template.yaml) that lists the connectors of all projects by lifecycle."""

TOMBSTONE_SECONDS = 13 * 3600
"""How long a removed connector's tombstone stays: an hour longer than a queue keeps messages."""

_CONNECTORS = "CONNECTOR#"
"""What the sort keys of connectors begin with."""

_CONNECTOR_NAME = re.compile(
    r"projects/([A-Za-z0-9_-]{1,64})/dataconnectors/([A-Za-z0-9_-]{1,64})", re.ASCII
)
"""Names that a connector can have. DynamoDB refuses requests with longer keys."""


class ConnectorStore:
    """The connectors of all projects.

    Every write that matters to ingest also increments the version of the project's configuration,
    in the same transaction.
    """

    def __init__(self, table: Table, *, now: Callable[[], float] = time.time) -> None:
        """`now` gives epoch seconds."""
        self._table = table
        self._now = now

    def create_connector(
        self,
        connector: Connector,
        entry: AuditEntry | None = None,
        record: IdempotencyRecord | None = None,
        *,
        replaced: IdempotencyRecord | None = None,
    ) -> bool:
        """Put a new row, and increment the version of the project's configuration.

        `record` is the idempotency record to put with it. False when there is a record of the
        same call already, unless that one is `replaced`, whose place it takes. Raises
        `NotFoundError` when there is no such project, and `BadRequestError` when the project has
        `MAXIMUM_CONNECTORS` already.
        """
        failed = self._table.try_transaction(
            [
                # First, so that the call that made the last possible connector is recognized again.
                *self._put_record(record, replaced),
                self._bump(connector.project, connectors=1),
                self._table.put(connector_item(connector), "attribute_not_exists(pk)"),
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is None:
            return True
        if failed == 0 and record is not None:
            return False
        if self._table.get(keys.version_key(connector.project)) is None:
            raise NotFoundError(f"projects/{connector.project} is not there")
        raise BadRequestError(
            f"projects/{connector.project} has {MAXIMUM_CONNECTORS} connectors: delete one first"
        )

    def idempotency_record(self, project_id: str, digest: str) -> IdempotencyRecord | None:
        """The idempotency record of a create call; it may be expired. None when there is none."""
        item = self._table.get(keys.idempotency_record_key(project_id, digest))
        if item is None:
            return None
        return IdempotencyRecord(
            project_id, digest, item["connector"]["S"], float(item["expiresAt"]["N"])
        )

    def connector(self, name: str) -> Connector | None:
        """A connector by its resource name; None when it does not exist, or cannot."""
        parts = _CONNECTOR_NAME.fullmatch(name)
        if parts is None:
            return None
        item = self._table.get(keys.connector_key(*parts.groups()))
        return None if item is None else read_connector(item)

    def connectors(self, project_id: str) -> list[Connector]:
        """All connectors of a project, including those that are being deleted."""
        return [
            read_connector(item) for item in self._table.query(f"PROJECT#{project_id}", _CONNECTORS)
        ]

    def page(self, project_id: str, *, limit: int, after: str) -> tuple[list[Connector], str]:
        """At most `limit` connectors with ids after the id `after`, and the id to go on after.

        Connectors that are being deleted are left out. The id is "" when no connector follows.
        """
        found: list[Connector] = []
        position = _CONNECTORS + after if after else ""
        # One connector more than the page shows says whether there is a next page.
        while len(found) <= limit:
            items, position = self._table.page(
                f"PROJECT#{project_id}",
                _CONNECTORS,
                _CONNECTORS + keys.HIGHEST,
                limit=min(limit, MAXIMUM_CONNECTORS) + 1,
                after=position,
            )
            rows = map(read_connector, items)
            found += [row for row in rows if row.lifecycle is not Lifecycle.DELETING]
            if not position:
                break
        shown = found[:limit]
        return shown, shown[-1].id if len(found) > limit else ""

    def update_connector(
        self, old: Connector, new: Connector, entry: AuditEntry | None = None
    ) -> Connector | None:
        """Replace `old` by `new` as the next version of the row; None when it is no longer `old`.

        The same transaction increments the version of the project's configuration, so that every
        event that is accepted after this call has returned is handled by the new settings.
        """
        written = replace(new, version=old.version + 1)
        # A connector that is being deleted does not count as one of the project's any more.
        leaves = new.lifecycle is Lifecycle.DELETING and old.lifecycle is not Lifecycle.DELETING
        try:
            self._table.transact(
                [
                    self._table.put(
                        connector_item(written), "version = :version", _version_value(old)
                    ),
                    self._bump(old.project, connectors=-1 if leaves else 0),
                    *put_audit_entries(self._table, entry),
                ],
                "",
            )
        except ConflictError:
            return None
        return written

    def disable(self, old: Connector, update_time: str, entry: AuditEntry) -> Connector | None:
        """Disable a connector for the service; None when the row is no longer `old`.

        The transaction of `update_connector`, except that it names the attributes that it changes:
        the role of a function that may disable connectors need not let it write all of a row. It
        also puts the connector on the list of failing ones, so that the reconciler tells of it.
        """
        new = replace(
            old,
            status=Status.SYSTEM_DISABLED,
            epoch=old.epoch + 1,
            version=old.version + 1,
            update_time=update_time,
            disable_time=update_time,
        )
        change = {
            "TableName": self._table.name,
            "Key": keys.connector_key(old.project, old.id),
            "UpdateExpression": (
                "SET #status = :status, epoch = :epoch, version = :next, updateTime = :time, "
                "disableTime = :time"
            ),
            "ConditionExpression": "version = :version",
            "ExpressionAttributeNames": {"#status": "status"},  # a reserved word
            "ExpressionAttributeValues": {
                ":status": {"S": new.status.value},
                ":epoch": {"N": str(new.epoch)},
                ":next": {"N": str(new.version)},
                ":time": {"S": new.update_time},
                **_version_value(old),
            },
        }
        since = entry.time if old.failing is None else old.failing.since
        failed = self._table.try_transaction(
            [
                {"Update": change},
                {"Update": listing(self._table.name, old.name, since)},
                self._bump(old.project),
                *put_audit_entries(self._table, entry),
            ]
        )
        return new if failed is None else None

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None:
        """Record that AWS has accepted the queue and its event source mapping.

        None when the row was changed meanwhile, or the connector is being deleted.
        """
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
        """The connectors of all projects in a lifecycle, from the index: eventually consistent."""
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
        """Replace the row of a connector that is being deleted by a tombstone; False without a row.

        SQS may deliver a copy of a message even after its queue is gone, and a batch may hold one.
        The tombstone tells such messages apart from those of a connector that never existed.
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

        DynamoDB may delete an expired item late, so the time is checked here as well.
        """
        parts = _CONNECTOR_NAME.fullmatch(name)
        if parts is None:
            return False
        item = self._table.get(keys.tombstone_key(*parts.groups()))
        return item is not None and self._now() < int(item["expiresAt"]["N"])

    def _put_record(
        self, record: IdempotencyRecord | None, replaced: IdempotencyRecord | None
    ) -> list[dict[str, Any]]:
        if record is None:
            return []
        item = keys.idempotency_record_key(record.project, record.digest) | {
            "connector": {"S": record.connector},
            "expiresAt": {"N": str(math.ceil(record.expires_at))},
        }
        if replaced is None:
            return [self._table.put(item, "attribute_not_exists(pk)")]
        expected = {":connector": {"S": replaced.connector}}
        return [self._table.put(item, "connector = :connector", expected)]

    def _bump(self, project_id: str, *, connectors: int = 0) -> dict[str, Any]:
        """The action that increments the version of a project's configuration.

        `connectors` is by how many the project's number of connectors changes; it fails when there
        would be more than `MAXIMUM_CONNECTORS`.
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


def _version_value(connector: Connector) -> dict[str, Any]:
    return {":version": {"N": str(connector.version)}}
