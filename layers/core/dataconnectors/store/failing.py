"""Failing connectors in DynamoDB: what the sender knows of them, and the reconciler's list."""

from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.failing import OUTAGE_FAILURES, WINDOW_SECONDS, Failing
from dataconnectors.store import keys
from dataconnectors.store.failing_items import (
    ATTRIBUTES,
    CANARY_AT,
    FAILING_SINCE,
    FAILURES,
    OF_FIRST_BATCH,
    WINDOW,
    failing_item,
    listing,
    seconds,
)
from dataconnectors.store.table import Item, Table


class FailingStore:
    """Writes parts of connectors' rows. Safe to share between threads.

    Each write is refused when the row is no longer as the batch has read it: the connector was
    changed or deleted, has recovered, or another batch has begun to count anew. What is then not
    written is made up for by the next batches. The client must not repeat these writes, because
    they add: see `never_repeated` of `aws.clients.Clients.get`.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def claim_canary(self, connector: Connector, until: float) -> bool:
        """Let no other canary start before `until`, in epoch seconds; False when another process
        has claimed it, or the outage is over."""
        assert connector.failing is not None
        return self._table.try_write(
            self._table.dynamodb.update_item,
            **self._update(
                connector,
                f"SET {CANARY_AT} = :until",
                f"{CANARY_AT} = :before",
                {":until": seconds(until), ":before": seconds(connector.failing.canary_at)},
            ),
        )

    def record(self, connector: Connector, failing: Failing) -> None:
        """Write what is known now. A connector that becomes watched gets on the reconciler's list
        in the same transaction. When the next canary goes is written only while the claim that was
        read is the latest one: a canary that ends late leaves the lease of another alone."""
        before = connector.failing
        known = {} if before is None else failing_item(before)
        changed = {
            name: value for name, value in failing_item(failing).items() if known.get(name) != value
        }
        values: Item = {}
        begun: frozenset[str] = frozenset()
        more = 0
        if before is None:
            # All batches that began before the first one failed have read a row without failures.
            # They add to the window that the first of them has begun.
            condition = f"(attribute_not_exists({FAILING_SINCE}) OR {WINDOW} > :open)"
            values[":open"] = seconds(failing.window - WINDOW_SECONDS)
            begun = OF_FIRST_BATCH
            more = failing.failures
        elif failing.window == before.window:
            condition = f"{FAILING_SINCE} = :since"
            values[":since"] = seconds(before.since)
            more = failing.failures - before.failures
        else:
            condition = f"{WINDOW} = :window AND {FAILURES} < :outage"
            # Others may have added to what was read.
            changed[FAILURES] = {"N": str(failing.failures)}
            values[":window"] = seconds(before.window)
            values[":outage"] = {"N": str(OUTAGE_FAILURES)}
        if before is not None and CANARY_AT in changed:
            condition += f" AND {CANARY_AT} = :claim"
            values[":claim"] = known[CANARY_AT]
        clauses = []
        if more:
            del changed[FAILURES]
            clauses.append(f"ADD {FAILURES} :more")
            values[":more"] = {"N": str(more)}
        if changed:
            new = {
                name: f"if_not_exists({name}, :{name})" if name in begun else f":{name}"
                for name in changed
            }
            clauses.append("SET " + ", ".join(f"{name} = {value}" for name, value in new.items()))
        values |= {f":{name}": value for name, value in changed.items()}
        update = self._update(connector, " ".join(clauses), condition, values)
        if failing.watched and (before is None or not before.watched):
            listed = listing(self._table.name, connector.name, failing.since)
            # Not repeated when it conflicts: the next batch that fails does it.
            self._table.try_transaction([{"Update": update}, {"Update": listed}], tries=1)
        else:
            self._table.try_write(self._table.dynamodb.update_item, **update)

    def clear(self, connector: Connector) -> None:
        """Remove what was read, because an attempt has succeeded."""
        assert connector.failing is not None
        self._table.try_write(
            self._table.dynamodb.update_item,
            **self._update(
                connector,
                f"REMOVE {', '.join(ATTRIBUTES)}",
                f"{FAILING_SINCE} = :since",
                {":since": seconds(connector.failing.since)},
            ),
        )

    def _update(
        self, connector: Connector, expression: str, condition: str, values: Item
    ) -> dict[str, Any]:
        """The update of a row that still has the version that was read."""
        return {
            "TableName": self._table.name,
            "Key": keys.connector_key(connector.project, connector.id),
            "UpdateExpression": expression,
            "ConditionExpression": f"version = :version AND {condition}",
            "ExpressionAttributeValues": values | {":version": {"N": str(connector.version)}},
        }
