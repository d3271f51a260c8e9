"""Reads a device's history from DynamoDB, page by page: newest first, or as it happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataconnectors.events.event import Event
from dataconnectors.events.history_query import HistoryQuery
from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table

MAXIMUM_QUERIES = 8
"""Queries for one page, each of which reads at most 1 MB: together they take up to three seconds.
When a filter lets little through, a page ends early, with a token to go on from there."""

MAXIMUM_PAGE_BYTES = 4 * 1024 * 1024
"""Bytes of the events on a page. AWS: an answer of a function has 6 MB at most."""


@dataclass(frozen=True, slots=True)
class Page:
    """JSON texts of events, the newest first.

    `position` is where the next page begins; it is None after the last page.
    """

    events: list[str]
    position: str | None


FILTERED_ITEMS = 1000
"""Items that a Query reads to find events of some types: about half of the 1 MB it may read."""


SEARCH_QUERIES = 10
"""Queries of one search for an event: 10 MB of a device's history, which is a month of events of
300 bytes every minute. They take up to a second."""


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """An event in history, and when it was accepted, in epoch seconds.

    `accepted_at` is None for events that an earlier release has written.
    """

    event: Event
    accepted_at: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """The events of a device from `start` on and before `end`, in epoch seconds.

    Empty `event_types` means all types.
    """

    project: str
    device: str
    start: float
    end: float
    event_types: Sequence[str]


class HistoryStore:
    """Reads the history of devices."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def page(self, project: str, device: str, query: HistoryQuery) -> Page:
        """One page of the events of a device that a query asks for."""
        low = keys.history_sort(query.start).removesuffix("#")
        high = keys.HIGHEST if query.end is None else keys.history_sort(query.end).removesuffix("#")
        partition = keys.history_partition(project, device)
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        values: dict[str, Any] = {":pk": {"S": partition}, ":low": {"S": low}, ":high": {"S": high}}
        if query.event_types:
            values |= _filter_types(request, sorted(query.event_types))
        else:
            request["Limit"] = query.size
        position = query.after
        if high < low or (position is not None and position < low):
            return Page([], None)  # everything that the query or its token asks for has expired
        events: list[str] = []
        size = 0
        for _ in range(MAXIMUM_QUERIES):
            start = {}
            if position is not None and position < high:
                start = {"ExclusiveStartKey": {"pk": {"S": partition}, "sk": {"S": position}}}
            answer = self._table.dynamodb.query(
                **request, ExpressionAttributeValues=values, **start
            )
            for item in answer["Items"]:
                text = item["event"]["S"]
                size += len(text)
                if len(events) == query.size or (events and size > MAXIMUM_PAGE_BYTES):
                    return Page(events, position)
                events.append(text)
                position = item["sk"]["S"]
            if "LastEvaluatedKey" not in answer:
                return Page(events, None)
            position = answer["LastEvaluatedKey"]["sk"]["S"]
            if len(events) == query.size:
                break
        return Page(events, position)

    def event(self, project: str, device: str, timestamp: float, event_id: str) -> KeptEvent | None:
        """The event of a device with this timestamp (epoch seconds) and id; None without one."""
        return self._kept(project, device, keys.history_sort(timestamp, event_id))

    def search(
        self, project: str, device: str, event_id: str, start: float, end: float
    ) -> KeptEvent | None:
        """The newest event of a device with this id, from `start` to `end` in epoch seconds.

        None without one, and also when the first `SEARCH_QUERIES` MB have none: keys begin with the
        time, so that all events of the span are read.
        """
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": {"S": keys.history_partition(project, device)},
                ":low": {"S": keys.history_sort(start)},
                ":high": {"S": keys.history_sort(end) + keys.HIGHEST},
            },
            "ProjectionExpression": "sk",
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        for _ in range(SEARCH_QUERIES):
            answer = self._table.dynamodb.query(**request)
            for item in answer["Items"]:
                if item["sk"]["S"].partition("#")[2] == event_id:
                    return self._kept(project, device, item["sk"]["S"])
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return None

    def _kept(self, project: str, device: str, sort_key: str) -> KeptEvent | None:
        partition = keys.history_partition(project, device)
        item = self._table.get({"pk": {"S": partition}, "sk": {"S": sort_key}})
        if item is None:
            return None
        accepted = item.get("acceptedAt")
        return KeptEvent(
            _event(device, item), None if accepted is None else int(accepted["N"]) / 1_000_000
        )

    def in_order(self, span: Span, *, limit: int, after: str) -> tuple[list[Event], str]:
        """At most `limit` events that follow the sort key `after`, in the order of their times.

        The other result is the sort key to go on after, and "" when there are no more. One Query is
        made, so there may be more although none was found.
        """
        request = self._query_of(span, after)
        if request is None:
            return [], ""
        request["Limit"] = FILTERED_ITEMS if span.event_types else limit
        answer = self._table.dynamodb.query(**request)
        items = answer["Items"]
        rest = answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")
        if len(items) > limit:
            items = items[:limit]
            rest = items[-1]["sk"]["S"]
        return [_event(span.device, item) for item in items], rest

    def count(self, span: Span, *, after: str) -> tuple[int, str]:
        """How many events follow the sort key `after` in as much as one Query reads.

        The other result is the sort key to go on after, and "" when all are counted.
        """
        request = self._query_of(span, after)
        if request is None:
            return 0, ""
        answer = self._table.dynamodb.query(**request, Select="COUNT")
        return answer["Count"], answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")

    def _query_of(self, span: Span, after: str) -> dict[str, Any] | None:
        """The Query for a span, from after a sort key on; None when nothing can be there."""
        low = keys.history_sort(span.start).removesuffix("#")
        high = keys.history_sort(span.end).removesuffix("#")
        if high < low or after > high:
            return None
        partition = keys.history_partition(span.project, span.device)
        values: dict[str, Any] = {":pk": {"S": partition}, ":low": {"S": low}, ":high": {"S": high}}
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        if span.event_types:
            values |= _filter_types(request, span.event_types)
        if after >= low:
            request["ExclusiveStartKey"] = {"pk": {"S": partition}, "sk": {"S": after}}
        return request


def _filter_types(request: dict[str, Any], event_types: Sequence[str]) -> dict[str, Any]:
    """Let a Query return only events of some types; returns the values that its filter names."""
    names = {f":t{n}": {"S": text} for n, text in enumerate(event_types)}
    request["FilterExpression"] = f"eventType IN ({', '.join(names)})"
    return names


def _event(device: str, item: Item) -> Event:
    stamp, _, event_id = item["sk"]["S"].partition("#")
    return Event(
        event_id, device, item["eventType"]["S"], int(stamp) / 1_000_000, item["event"]["S"]
    )
