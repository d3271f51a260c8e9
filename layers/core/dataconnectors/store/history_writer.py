"""Writes events to DynamoDB: to each device's history, and as the last value of their type."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.events.event import Event
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS
from dataconnectors.store import keys
from dataconnectors.store.table import BATCH_WRITE_PUTS, Item, Table

ROUNDS = 4
"""How often a batch is sent in all when DynamoDB leaves a part of it unprocessed."""

PAUSE = 0.05
"""Seconds before the second round, doubled before each further one."""


class HistoryWriter:
    """Writes the events of publish calls. Safe to share between threads."""

    def __init__(
        self,
        table: Table,
        executor: Executor,
        *,
        keeps_history: bool,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`executor` runs the calls. Without `keeps_history`, only last values are written.

        `sleep` takes seconds, and `now` gives epoch seconds.
        """
        self._table = table
        self._executor = executor
        self._keeps_history = keeps_history
        self._sleep = sleep
        self._now = now

    def write(self, project: str, events: Mapping[int, Event]) -> dict[int, str]:
        """Write events to history and as last values; returns why some were not, by position.

        All calls to DynamoDB are made in parallel. An event that is written again replaces the one
        with the same id and timestamp. Errors of DynamoDB are returned, not raised.
        """
        written = {
            index: event for index, event in events.items() if event.type not in NOT_IN_HISTORY
        }
        calls: list[Callable[[], dict[int, str]]] = []
        if self._keeps_history:
            batches = _batches(project, written.items(), self._now())
            calls += [partial(self._put, batch) for batch in batches]
        calls += [partial(self._set_last_value, project, *last) for last in _newest(written)]
        failed: dict[int, str] = {}
        for result in self._executor.map(lambda call: call(), calls):
            failed |= result
        return failed

    def _put(self, batch: list["_HistoryPut"]) -> dict[int, str]:
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
                # botocore has already repeated the call where that could help.
                reason = _reason(error)
                break
            remaining = answer.get("UnprocessedItems", {}).get(self._table.name, [])
            if not remaining:
                return {}
        unwritten = {_key(request["PutRequest"]["Item"]) for request in remaining}
        return {
            index: f"not confirmed by history ({reason}): send it again"
            for put in batch
            if _key(put.item) in unwritten
            for index in put.indices
        }

    def _set_last_value(self, project: str, index: int, event: Event) -> dict[int, str]:
        """Make an event its device's last value of its type, unless a newer one is stored."""
        try:
            self._table.try_write(
                self._table.dynamodb.update_item,
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
            return {index: f"not confirmed as last value ({_reason(error)}): send it again"}
        return {}


def _newest(events: Mapping[int, Event]) -> Iterable[tuple[int, Event]]:
    """The newest event of each device and type, with its position in the call."""
    newest: dict[tuple[str, str], tuple[int, Event]] = {}
    for index, event in events.items():
        known = newest.get((event.device, event.type))
        if known is None or event.timestamp >= known[1].timestamp:
            newest[event.device, event.type] = (index, event)
    return newest.values()


@dataclass(frozen=True, slots=True)
class _HistoryPut:
    """A history item, and the positions of the events that it is written for."""

    item: Item
    indices: list[int]


def _batches(
    project: str, events: Iterable[tuple[int, Event]], now: float
) -> list[list[_HistoryPut]]:
    """The history items of events accepted at `now`, in batches that one call to DynamoDB takes.

    DynamoDB refuses a batch that writes an item twice. So of the events with the same id and
    timestamp only the last is written, and the others share its fate.
    """
    puts: dict[tuple[str, str], _HistoryPut] = {}
    for index, event in events:
        item = _item(project, event, now)
        earlier = puts.get(_key(item))
        puts[_key(item)] = _HistoryPut(item, [*(earlier.indices if earlier else ()), index])
    ordered = list(puts.values())
    return [
        ordered[start : start + BATCH_WRITE_PUTS]
        for start in range(0, len(ordered), BATCH_WRITE_PUTS)
    ]


def _item(project: str, event: Event, now: float) -> Item:
    return {
        "pk": {"S": keys.history_partition(project, event.device)},
        "sk": {"S": keys.history_sort(event.timestamp, event.id)},
        "eventType": {"S": event.type},
        "event": {"S": event.json},
        "acceptedAt": {"N": str(keys.micros(now))},
        "expiresAt": {"N": str(int(event.timestamp) + RETENTION_SECONDS)},
    }


def _key(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def _reason(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", ""))
    return type(error).__name__
