"""The audit log in DynamoDB: written with what it tells of, read by time, forgotten by TTL."""

import json
from typing import Any

from dataconnectors.identity.audit import Change
from dataconnectors.kernel import times
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

_BEYOND = "~"
"""Sorts after everything that follows a time in a sort key."""


def put_changes(table: Table, *changes: Change | None) -> list[dict[str, Any]]:
    """The actions that write the entries, for the transaction that makes the changes.

    None stands for a change that nobody asked for, such as the reconciler's.
    """
    return [table.put(_change_item(change), "") for change in changes if change is not None]


class AuditStore:
    """The audit logs of projects and organizations."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(
        self, log: str, since: float, until: float, *, limit: int, after: str
    ) -> tuple[list[Change], str]:
        """Entries from `since` to `until` (epoch seconds), newest first, and where to go on."""
        items, rest = self._table.page(
            keys.audit_partition(log),
            times.to_text(since),
            times.to_text(until) + _BEYOND,
            limit=limit,
            after=after,
            newest_first=True,
        )
        return [_change(log, item) for item in items], rest


def _change_item(change: Change) -> Item:
    return {
        "pk": {"S": keys.audit_partition(change.log)},
        "sk": {"S": f"{times.to_text(change.time)}#{change.id}"},
        "actor": {"S": change.actor},
        "keyId": {"S": change.key_id},
        "address": {"S": change.address},
        "action": {"S": change.action},
        "resource": {"S": change.resource},
        "fields": {"L": [{"S": field} for field in change.fields]},
        "details": {"S": json.dumps(dict(change.details))},
        "expiresAt": {"N": str(int(change.expires_at))},
    }


def _change(log: str, item: Item) -> Change:
    time_text, _, change_id = item["sk"]["S"].partition("#")
    return Change(
        log=log,
        id=change_id,
        time=times.from_text(time_text),
        actor=item["actor"]["S"],
        key_id=item["keyId"]["S"],
        address=item["address"]["S"],
        action=item["action"]["S"],
        resource=item["resource"]["S"],
        fields=tuple(field["S"] for field in item["fields"]["L"]),
        details=json.loads(item["details"]["S"]),
    )
