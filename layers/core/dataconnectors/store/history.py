"""Reads a device's history from DynamoDB, page by page, the newest events first."""

from dataclasses import dataclass
from typing import Any

from dataconnectors.events.history_query import HistoryQuery
from dataconnectors.store import keys
from dataconnectors.store.table import Table

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
            names = {f":t{n}": {"S": text} for n, text in enumerate(sorted(query.event_types))}
            request["FilterExpression"] = f"eventType IN ({', '.join(names)})"
            values |= names
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
