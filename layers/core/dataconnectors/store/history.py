"""Events in DynamoDB: each device's history, and the last value of each type."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.events.event import Event
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS, HistoryQuery
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

BATCH_WRITE_ITEMS = 25
"""AWS: BatchWriteItem takes 25 puts, of 16 MB together."""

ROUNDS = 4
"""How often the puts that DynamoDB reported as unprocessed are sent, the first time included."""

PAUSE = 0.05
"""Seconds before the second round, doubled before each further one."""

MOST_READS = 8
"""Queries for one page, of at most 1 MB each: what a caller waits three seconds for. A filter that
lets little through ends a page early, with a token to go on from there."""

MOST_BYTES = 4 * 1024 * 1024
"""Of one page's events; Lambda's answers have 6 MB at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """Events' JSON texts, newest first, and where the next page begins; None after the last."""

    events: list[str]
    position: str | None


class HistoryWriter:
    """Writes events. Safe to share between threads."""

    def __init__(
        self,
        table: Table,
        executor: Executor,
        *,
        keeps_history: bool,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Without `keeps_history`, only last values are written."""
        self._table = table
        self._executor = executor
        self._keeps_history = keeps_history
        self._sleep = sleep

    def keep(self, project: str, events: Mapping[int, Event]) -> dict[int, str]:
        """Write events' history and last values; the positions of those that failed, with reasons.

        Every call is made in parallel. An event that is kept again takes the place of the one
        with its id and timestamp. Never raises for what DynamoDB does.
        """
        kept = {index: event for index, event in events.items() if event.type not in NOT_IN_HISTORY}
        jobs: list[Callable[[], dict[int, str]]] = []
        if self._keeps_history:
            jobs += [partial(self._put, batch) for batch in _batches(project, kept.items())]
        jobs += [partial(self._set_last, project, *last) for last in _newest(kept)]
        failed: dict[int, str] = {}
        for result in self._executor.map(lambda job: job(), jobs):
            failed |= result
        return failed

    def _put(self, batch: list["_Put"]) -> dict[int, str]:
        remaining: list[Any] = [{"PutRequest": {"Item": put.item}} for put in batch]
        reason = "unprocessed"
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(PAUSE * 2 ** (round_number - 1))
            try:
                answer = self._table.dynamodb.batch_write_item(
                    RequestItems={self._table.name: remaining}
                )
            except (ClientError, BotoCoreError) as error:
                # botocore has repeated the call already where that can help.
                reason = _reason(error)
                break
            remaining = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            if not remaining:
                return {}
        unwritten = {_name(request["PutRequest"]["Item"]) for request in remaining}
        return {
            index: f"not confirmed by history ({reason}): send it again"
            for put in batch
            if _name(put.item) in unwritten
            for index in put.indices
        }

    def _set_last(self, project: str, index: int, event: Event) -> dict[int, str]:
        """Make an event its device's last of its type, unless a newer one is."""
        try:
            self._table.dynamodb.update_item(
                TableName=self._table.name,
                Key=keys.last_value_key(project, event.device, event.type),
                UpdateExpression="SET happenedAt = :at, event = :event",
                ConditionExpression="attribute_not_exists(pk) OR happenedAt <= :at",
                ExpressionAttributeValues={
                    ":at": {"N": str(keys.micros(event.timestamp))},
                    ":event": {"S": event.json},
                },
            )
        except (ClientError, BotoCoreError) as error:
            reason = _reason(error)
            if reason != "ConditionalCheckFailedException":
                return {index: f"not confirmed as last value ({reason}): send it again"}
        return {}


class HistoryStore:
    """Reads events back."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, project: str, device: str, wanted: HistoryQuery) -> Page:
        """One page of a device's history."""
        low = keys.history_sort(wanted.start).removesuffix("#")
        high = "~" if wanted.end is None else keys.history_sort(wanted.end).removesuffix("#")
        partition = keys.history_partition(project, device)
        query = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        values: dict[str, Any] = {":pk": {"S": partition}, ":low": {"S": low}, ":high": {"S": high}}
        if wanted.event_types:
            names = {f":t{n}": {"S": text} for n, text in enumerate(sorted(wanted.event_types))}
            query["FilterExpression"] = f"eventType IN ({', '.join(names)})"
            values |= names
        else:
            query["Limit"] = wanted.size
        position = wanted.after
        if high < low or (position is not None and position < low):
            return Page([], None)  # all of it has expired, or the token's place has meanwhile
        events: list[str] = []
        size = 0
        for _ in range(MOST_READS):
            start = {}
            if position is not None and position < high:
                start = {"ExclusiveStartKey": {"pk": {"S": partition}, "sk": {"S": position}}}
            answer = self._table.dynamodb.query(**query, ExpressionAttributeValues=values, **start)
            for item in answer["Items"]:
                text = item["event"]["S"]
                size += len(text)
                if len(events) == wanted.size or (events and size > MOST_BYTES):
                    return Page(events, position)
                events.append(text)
                position = item["sk"]["S"]
            if "LastEvaluatedKey" not in answer:
                return Page(events, None)
            position = answer["LastEvaluatedKey"]["sk"]["S"]
            if len(events) == wanted.size:
                break
        return Page(events, position)


def _newest(events: Mapping[int, Event]) -> Iterable[tuple[int, Event]]:
    """The newest event of each device and type, with its position."""
    newest: dict[tuple[str, str], tuple[int, Event]] = {}
    for index, event in events.items():
        known = newest.get((event.device, event.type))
        if known is None or event.timestamp >= known[1].timestamp:
            newest[event.device, event.type] = (index, event)
    return newest.values()


@dataclass(frozen=True, slots=True)
class _Put:
    """One history item, and the positions of the events that it stands for."""

    item: Item
    indices: list[int]


def _batches(project: str, events: Iterable[tuple[int, Event]]) -> list[list[_Put]]:
    """History items in batches that one call takes.

    DynamoDB refuses a batch that writes an item twice: of a call's events with the same id and
    timestamp, the last is written for all.
    """
    puts: dict[tuple[str, str], _Put] = {}
    for index, event in events:
        item = _item(project, event)
        earlier = puts.get(_name(item))
        puts[_name(item)] = _Put(item, [*(earlier.indices if earlier else ()), index])
    ordered = list(puts.values())
    return [
        ordered[start : start + BATCH_WRITE_ITEMS]
        for start in range(0, len(ordered), BATCH_WRITE_ITEMS)
    ]


def _item(project: str, event: Event) -> Item:
    return {
        "pk": {"S": keys.history_partition(project, event.device)},
        "sk": {"S": keys.history_sort(event.timestamp, event.id)},
        "eventType": {"S": event.type},
        "event": {"S": event.json},
        "expiresAt": {"N": str(int(event.timestamp) + RETENTION_SECONDS)},
    }


def _name(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__
