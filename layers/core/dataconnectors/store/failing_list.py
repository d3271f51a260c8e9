"""The reconciler's list of failing connectors in DynamoDB, with what was told about each."""

from collections.abc import Mapping, Sequence
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.notices.watched import Watched
from dataconnectors.store import keys
from dataconnectors.store.connector_items import read_connector
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.failing_items import FAILING_SINCE, seconds
from dataconnectors.store.system_disabling import disable_by_system
from dataconnectors.store.table import Item, Table


class FailingList:
    """The list. The sender adds connectors to it (see `failing`)."""

    def __init__(self, table: Table, connectors: ConnectorStore) -> None:
        self._table = table
        self._connectors = connectors

    def entries(self) -> list[Watched]:
        """All connectors on the list."""
        return [_entry(item) for item in self._table.query(keys.FAILING_CONNECTORS)]

    def rows(self, names: Sequence[str]) -> Mapping[str, Connector]:
        """The rows of connectors by name, as far as they exist."""
        parts = [name.split("/") for name in names]
        items = self._table.batch_get([keys.connector_key(part[1], part[3]) for part in parts])
        return {row.name: row for row in map(read_connector, items)}

    def save(self, entry: Watched, since: float) -> None:
        """Keep what was told, unless the connector was listed anew since it had `since`."""
        told: dict[str, Any] = {
            FAILING_SINCE: seconds(entry.since),
            "outageTold": seconds(entry.outage),
            "daysTold": {"N": str(entry.days)},
            "versionTold": {"N": str(entry.version)},
            "warnedTold": {"N": str(entry.warned)},
        }
        self._table.try_write(
            self._table.dynamodb.update_item,
            TableName=self._table.name,
            Key=keys.failing_connector_key(entry.connector),
            UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in told),
            ConditionExpression=f"{FAILING_SINCE} = :before",
            ExpressionAttributeValues={f":{name}": value for name, value in told.items()}
            | {":before": seconds(since)},
        )

    def remove(self, name: str, since: float) -> None:
        """Take a connector from the list, unless it was listed anew since it had `since`."""
        self._table.try_write(
            self._table.dynamodb.delete_item,
            TableName=self._table.name,
            Key=keys.failing_connector_key(name),
            ConditionExpression=f"{FAILING_SINCE} = :before",
            ExpressionAttributeValues={":before": seconds(since)},
        )

    def disable(self, connector: Connector, reason: str, now: float) -> Connector | None:
        """Disable a connector for the service; None when somebody has changed it meanwhile."""
        return disable_by_system(self._connectors, connector, reason, now)


def _entry(item: Item) -> Watched:
    def number(name: str) -> float:
        return float(item[name]["N"]) if name in item else 0.0

    return Watched(
        connector=item["sk"]["S"],
        since=number(FAILING_SINCE),
        outage=number("outageTold"),
        days=int(number("daysTold")),
        version=int(number("versionTold")),
        warned=int(number("warnedTold")),
    )
