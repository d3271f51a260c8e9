"""The audit log in DynamoDB: entries are written with the change that they describe, and expire."""

import json
from typing import Any

from dataconnectors.identity.audit import AuditEntry
from dataconnectors.kernel import times
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table


def put_audit_entries(table: Table, *entries: AuditEntry | None) -> list[dict[str, Any]]:
    """The actions that put entries, for the transaction that makes the changes they describe.

    None is left out: it stands for a change that no caller made, such as one of the reconciler.
    """
    return [table.put(_entry_item(entry), "") for entry in entries if entry is not None]


class AuditStore:
    """The audit logs of projects and organizations."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(
        self, log: str, since: float, until: float, *, limit: int, after: str
    ) -> tuple[list[AuditEntry], str]:
        """A page of entries from `since` to `until`, the newest first, and where the next begins.

        Times are in epoch seconds. The latter is to be passed as `after`; it is "" after the last
        page.
        """
        items, rest = self._table.page(
            keys.audit_partition(log),
            times.to_text(since),
            times.to_text(until) + keys.HIGHEST,
            limit=limit,
            after=after,
            newest_first=True,
        )
        return [_entry(log, item) for item in items], rest


def _entry_item(entry: AuditEntry) -> Item:
    return {
        "pk": {"S": keys.audit_partition(entry.log)},
        "sk": {"S": f"{times.to_text(entry.time)}#{entry.id}"},
        "actor": {"S": entry.actor},
        "keyId": {"S": entry.key_id},
        "address": {"S": entry.address},
        "action": {"S": entry.action},
        "resource": {"S": entry.resource},
        "fields": {"L": [{"S": field} for field in entry.fields]},
        "details": {"S": json.dumps(dict(entry.details))},
        "expiresAt": {"N": str(int(entry.expires_at))},
    }


def _entry(log: str, item: Item) -> AuditEntry:
    time_text, _, entry_id = item["sk"]["S"].partition("#")
    return AuditEntry(
        log=log,
        id=entry_id,
        time=times.from_text(time_text),
        actor=item["actor"]["S"],
        key_id=item["keyId"]["S"],
        address=item["address"]["S"],
        action=item["action"]["S"],
        resource=item["resource"]["S"],
        fields=tuple(field["S"] for field in item["fields"]["L"]),
        details=json.loads(item["details"]["S"]),
    )
