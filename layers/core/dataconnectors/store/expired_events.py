"""Expired events in DynamoDB: a record of each for 31 days, and how many are to be announced."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.expiry.announcements import PendingAnnouncement
from dataconnectors.expiry.expired_event import KEPT_SECONDS, RETENTION_SECONDS, ExpiredEvent
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

PUTS_PER_CALL = 25
"""AWS: BatchWriteItem takes 25 puts. A batch of the sender has ten events."""

ROUNDS = 2
"""How often what DynamoDB left unprocessed is sent, the first time included. There is little time;
what is left stays in its queue and is tried again."""

NOTICE_SECONDS = 24 * 3600
"""How long a connector without further expired events stays among those to be looked at."""


_BEYOND = "~"
"""Sorts after everything that follows a time in a sort key."""


class ExpiredStore:
    """Records of expired events. Safe to share between threads."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, events: Sequence[ExpiredEvent]) -> set[int]:
        """Write records, and return the positions of those that are written.

        Writing one again changes nothing but its last error: its key is the event's and the
        time at which it was queued.
        """
        items = [_item(event) for event in events]
        # DynamoDB refuses a batch that writes an item twice, and a message may come twice.
        distinct = list({_name(item): item for item in items}.values())
        left: set[tuple[str, str]] = set()
        for start in range(0, len(distinct), PUTS_PER_CALL):
            left |= self._put(distinct[start : start + PUTS_PER_CALL])
        return {position for position, item in enumerate(items) if _name(item) not in left}

    def _put(self, items: list[Item]) -> set[tuple[str, str]]:
        """The names of the items that were not written."""
        requests: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        for _ in range(ROUNDS):
            answer = self._table.dynamodb.batch_write_item(
                RequestItems={self._table.name: requests}
            )
            requests = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            if not requests:
                break
        return {_name(request["PutRequest"]["Item"]) for request in requests}

    def page(
        self, connector: str, now: float, *, limit: int, after: str
    ) -> tuple[list[ExpiredEvent], str]:
        """A connector's records, the latest accepted first, and where to go on, or "".

        DynamoDB deletes what is past its time when it gets to it: it is not asked for, or left out,
        so that the last pages may be shorter.
        """
        oldest = now - KEPT_SECONDS - RETENTION_SECONDS
        items, rest = self._table.page(
            keys.expired_partition(connector),
            keys.history_sort(oldest),
            keys.history_sort(now) + _BEYOND,
            limit=limit,
            after=after,
            newest_first=True,
        )
        current = [item for item in items if now <= int(item["expiresAt"]["N"])]
        return [_event(connector, item) for item in current], rest

    def accounted(self) -> float | None:
        """The start of the hour that all queues were accounted for last, or None before."""
        item = self._table.get(keys.ACCOUNTED)
        return None if item is None else float(item["hour"]["N"])

    def set_accounted(self, hour: float) -> None:
        """The hour from `hour` on, in epoch seconds, is accounted for."""
        self._table.dynamodb.put_item(
            TableName=self._table.name, Item=keys.ACCOUNTED | {"hour": {"N": str(int(hour))}}
        )

    def note(self, events: Sequence[ExpiredEvent], now: float) -> None:
        """Count records that were kept, for the next announcement."""
        for connector, count in Counter(event.connector for event in events).items():
            self._table.dynamodb.update_item(
                TableName=self._table.name,
                Key=keys.notice_key(connector),
                UpdateExpression="SET expiresAt = :end ADD expired :count",
                ExpressionAttributeValues={
                    ":end": {"N": str(int(now) + NOTICE_SECONDS)},
                    ":count": {"N": str(count)},
                },
            )

    def notices(self) -> list[PendingAnnouncement]:
        """Connectors with expired events in the last day, announced or not."""
        return [
            PendingAnnouncement(
                connector=item["sk"]["S"],
                count=int(item["expired"]["N"]),
                announced_at=float(item.get("announcedAt", {"N": "0"})["N"]),
            )
            for item in self._table.query(keys.NOTICES)
        ]

    def claim(self, notice: PendingAnnouncement, now: float) -> bool:
        """Take it on oneself to announce what was counted; False when another run has done so."""
        try:
            self._table.dynamodb.update_item(
                TableName=self._table.name,
                Key=keys.notice_key(notice.connector),
                UpdateExpression="SET announcedAt = :now, expiresAt = :end",
                ConditionExpression=(
                    "announcedAt = :before"
                    if notice.announced_at
                    else "attribute_exists(pk) AND attribute_not_exists(announcedAt)"
                ),
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now))},
                    ":end": {"N": str(int(now) + NOTICE_SECONDS)},
                }
                | ({":before": {"N": f"{notice.announced_at:.0f}"}} if notice.announced_at else {}),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise
        return True

    def announced(self, notice: PendingAnnouncement) -> None:
        """What was counted by then is announced; what came since stays for the next time."""
        self._table.dynamodb.update_item(
            TableName=self._table.name,
            Key=keys.notice_key(notice.connector),
            UpdateExpression="ADD expired :less",
            ExpressionAttributeValues={":less": {"N": str(-notice.count)}},
        )


def _item(event: ExpiredEvent) -> Item:
    item = {
        "pk": {"S": keys.expired_partition(event.connector)},
        "sk": {"S": keys.history_sort(event.accepted_at, event.event_id)},
        "eventType": {"S": event.event_type},
        "target": {"S": event.target},
        "attempts": {"N": str(event.attempts)},
        "kind": {"S": event.kind},
        "message": {"S": event.message},
        "expiredAt": {"N": str(keys.micros(event.expired_at))},
        "expiresAt": {"N": str(int(event.expired_at) + KEPT_SECONDS)},
    }
    if event.status is not None:
        item["status"] = {"N": str(event.status)}
    return item


def _event(connector: str, item: Item) -> ExpiredEvent:
    accepted, _, event_id = item["sk"]["S"].partition("#")
    return ExpiredEvent(
        connector=connector,
        event_id=event_id,
        event_type=item["eventType"]["S"],
        target=item["target"]["S"],
        attempts=int(item["attempts"]["N"]),
        kind=item["kind"]["S"],
        message=item["message"]["S"],
        status=int(item["status"]["N"]) if "status" in item else None,
        accepted_at=int(accepted) / 1_000_000,
        expired_at=int(item["expiredAt"]["N"]) / 1_000_000,
    )


def _name(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
