"""Expired events in DynamoDB: records, counts to announce, and the hour last accounted for."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from dataconnectors.expiry.expired_event import (
    RECORD_RETENTION_SECONDS,
    RETENTION_SECONDS,
    UNTRIED,
    ExpiredEvent,
)
from dataconnectors.expiry.pending_announcement import PendingAnnouncement
from dataconnectors.store import keys
from dataconnectors.store.table import BATCH_WRITE_PUTS, Item, Table

ROUNDS = 2
"""How often a batch is sent, when DynamoDB leaves a part of it unprocessed. There is little time;
the message of an event that is still left stays in its queue, and the sender tries again."""

COUNT_RETENTION_SECONDS = 24 * 3600
"""How long the count of a connector without further expired events is kept."""


SEARCHED_RECORDS = 1000
SEARCH_PAGES = 10
"""What one search for an event reads: the records of ten thousand events that were accepted around
the same time. A connector with more of them expired has its gaps to look at."""


class ExpiredEventStore:
    """Saves and reads records of expired events. Safe to share between threads."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def save(self, events: Sequence[ExpiredEvent]) -> set[int]:
        """Save records, and return the positions of those that are saved.

        A record's key consists of the event's id and of when SQS accepted it, so saving a record
        again only replaces its last error. A record without an attempt replaces nothing: an
        earlier one knows more. Raises botocore's errors.
        """
        items = [_item(event) for event in events]
        # DynamoDB refuses a batch that writes an item twice, and a message may come twice.
        distinct = {_key(item): item for item in items}.values()
        attempted = [item for item in distinct if item["kind"]["S"] != UNTRIED]
        for item in distinct:
            if item["kind"]["S"] == UNTRIED:
                self._put_if_new(item)
        unsaved: set[tuple[str, str]] = set()
        for start in range(0, len(attempted), BATCH_WRITE_PUTS):
            unsaved |= self._put(attempted[start : start + BATCH_WRITE_PUTS])
        return {position for position, item in enumerate(items) if _key(item) not in unsaved}

    def _put(self, items: list[Item]) -> set[tuple[str, str]]:
        """Put the items, and return the keys of those that were not written."""
        requests: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        for _ in range(ROUNDS):
            answer = self._table.dynamodb.batch_write_item(
                RequestItems={self._table.name: requests}
            )
            requests = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            if not requests:
                break
        return {_key(request["PutRequest"]["Item"]) for request in requests}

    def _put_if_new(self, item: Item) -> None:
        """Put the item unless there is one with its key."""
        self._table.try_write(
            self._table.dynamodb.put_item,
            TableName=self._table.name,
            Item=item,
            ConditionExpression="attribute_not_exists(pk)",
        )

    def page(
        self, connector: str, now: float, *, limit: int, after: str
    ) -> tuple[list[ExpiredEvent], str]:
        """A page of a connector's records, and where the next page begins, or "".

        The event that was accepted last comes first. A page has up to `limit` records, and begins
        at `after`, which the page before has returned. DynamoDB deletes a record some time after
        its 31 days. A record that is too old is left out here, so the last pages may be shorter.
        """
        oldest = now - RECORD_RETENTION_SECONDS - RETENTION_SECONDS
        items, rest = self._table.page(
            keys.expired_partition(connector),
            keys.history_sort(oldest),
            keys.history_sort(now) + keys.HIGHEST,
            limit=limit,
            after=after,
            newest_first=True,
        )
        current = [item for item in items if now <= int(item["expiresAt"]["N"])]
        return [_event(connector, item) for item in current], rest

    def of_event(
        self, connector: str, event_id: str, start: float, end: float
    ) -> ExpiredEvent | None:
        """The record of an event that was accepted from `start` to `end`, in epoch seconds."""
        after = ""
        for _ in range(SEARCH_PAGES):
            items, after = self._table.page(
                keys.expired_partition(connector),
                keys.history_sort(start),
                keys.history_sort(end) + keys.HIGHEST,
                limit=SEARCHED_RECORDS,
                after=after,
            )
            for item in items:
                if item["sk"]["S"].partition("#")[2] == event_id:
                    return _event(connector, item)
            if not after:
                break
        return None

    @staticmethod
    def position_of(event: ExpiredEvent) -> str:
        """The position after a record, to pass to `page` as `after`."""
        return keys.history_sort(event.accepted_at, event.event_id)

    def last_accounted_hour(self) -> float | None:
        """The start of the hour that was accounted for last, in epoch seconds; None before any."""
        item = self._table.get(keys.ACCOUNTED_HOUR)
        return None if item is None else float(item["hour"]["N"])

    def set_last_accounted_hour(self, start: float) -> None:
        """Remember that the hour from `start` on, in epoch seconds, is accounted for."""
        self._table.dynamodb.put_item(
            TableName=self._table.name, Item=keys.ACCOUNTED_HOUR | {"hour": {"N": str(int(start))}}
        )

    def count_for_announcement(self, events: Sequence[ExpiredEvent], now: float) -> None:
        """Add events whose records are saved to the counts of their connectors."""
        for connector, count in Counter(event.connector for event in events).items():
            self._table.dynamodb.update_item(
                TableName=self._table.name,
                Key=keys.pending_announcement_key(connector),
                UpdateExpression="SET expiresAt = :end ADD expired :count",
                ExpressionAttributeValues={
                    ":end": {"N": str(int(now) + COUNT_RETENTION_SECONDS)},
                    ":count": {"N": str(count)},
                },
            )

    def pending_announcements(self) -> list[PendingAnnouncement]:
        """All connectors with expired events in the last day; a `count` may be 0."""
        return [
            PendingAnnouncement(
                connector=item["sk"]["S"],
                count=int(item["expired"]["N"]),
                announced_at=float(item.get("announcedAt", {"N": "0"})["N"]),
            )
            for item in self._table.query(keys.PENDING_ANNOUNCEMENTS)
        ]

    def claim(self, pending: PendingAnnouncement, now: float) -> bool:
        """Reserve an announcement for this run; False when another run has claimed it."""
        condition = "attribute_exists(pk) AND attribute_not_exists(announcedAt)"
        values = {
            ":now": {"N": str(int(now))},
            ":end": {"N": str(int(now) + COUNT_RETENTION_SECONDS)},
        }
        if pending.announced_at:
            condition = "announcedAt = :before"
            values[":before"] = {"N": f"{pending.announced_at:.0f}"}
        return self._table.try_write(
            self._table.dynamodb.update_item,
            TableName=self._table.name,
            Key=keys.pending_announcement_key(pending.connector),
            UpdateExpression="SET announcedAt = :now, expiresAt = :end",
            ConditionExpression=condition,
            ExpressionAttributeValues=values,
        )

    def mark_announced(self, pending: PendingAnnouncement) -> None:
        """Subtract what was announced from the connector's count.

        What was counted since stays for the next announcement.
        """
        self._table.dynamodb.update_item(
            TableName=self._table.name,
            Key=keys.pending_announcement_key(pending.connector),
            UpdateExpression="ADD expired :minus",
            ExpressionAttributeValues={":minus": {"N": str(-pending.count)}},
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
        "expiresAt": {"N": str(int(event.expired_at) + RECORD_RETENTION_SECONDS)},
    }
    if event.status is not None:
        item["status"] = {"N": str(event.status)}
    if event.event_time is not None:
        item["eventTime"] = {"N": str(keys.micros(event.event_time))}
    if event.count != 1:
        item["count"] = {"N": str(event.count)}
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
        event_time=int(item["eventTime"]["N"]) / 1_000_000 if "eventTime" in item else None,
        count=int(item.get("count", {"N": "1"})["N"]),
    )


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]
