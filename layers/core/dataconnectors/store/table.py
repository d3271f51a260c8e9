"""The one table: requests built and sent, the same way for every kind of item.

Reads are strongly consistent, the index excepted. Methods raise botocore's `ClientError` and
`BotoCoreError` when DynamoDB fails.
"""

import time
from collections.abc import Callable, Mapping
from random import random
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.kernel.errors import ConflictError, UnavailableError

BATCH_GET_KEYS = 100
"""AWS: BatchGetItem takes 100 keys."""

TRANSACTION_ACTIONS = 100
"""AWS: TransactWriteItems takes 100 actions."""

TRIES = 6
"""Of a call that DynamoDB answered in part, or cancelled because of a concurrent transaction."""

PAUSE = 0.02
"""Seconds before the second try, doubled before each further one, and up to twice that: whoever met
once shall not meet again. About as long as a transaction takes, and 1.2 s together at most."""

_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""AWS: the reasons for which a transaction is cancelled now and may be done a moment later."""

Item = dict[str, Any]


class Table:
    """The table. Safe to share between threads, as botocore clients are."""

    def __init__(
        self, dynamodb: Any, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.dynamodb = dynamodb
        self.name = name
        self._sleep = sleep

    def get(self, key: Item) -> Item | None:
        answer = self.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def batch_get(self, keys: list[Item]) -> list[Item]:
        items: list[Item] = []
        for tries in range(TRIES):
            self._pause(tries)
            answer = self.dynamodb.batch_get_item(
                RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}}
            )
            items += answer["Responses"].get(self.name, [])
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return items
        raise UnavailableError("the database is busy: send the request again")

    def query(self, partition: str, prefix: str = "") -> list[Item]:
        condition, values = "pk = :pk", {":pk": {"S": partition}}
        if prefix:
            condition += " AND begins_with(sk, :prefix)"
            values[":prefix"] = {"S": prefix}
        pages = self.dynamodb.get_paginator("query").paginate(
            TableName=self.name,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ConsistentRead=True,
        )
        return [item for page in pages for item in page["Items"]]

    def page(
        self,
        partition: str,
        low: str,
        high: str,
        *,
        limit: int,
        after: str = "",
        newest_first: bool = False,
    ) -> tuple[list[Item], str]:
        """At most `limit` items from `low` to `high`, and the sort key to go on `after`, or "".

        `after` outside of the bounds is none of ours: the page is the first.
        """
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
            "ExpressionAttributeValues": {
                ":pk": {"S": partition},
                ":low": {"S": low},
                ":high": {"S": high},
            },
            "ConsistentRead": True,
            "ScanIndexForward": not newest_first,
            "Limit": limit,
        }
        if low <= after <= high:
            request["ExclusiveStartKey"] = {"pk": {"S": partition}, "sk": {"S": after}}
        answer = self.dynamodb.query(**request)
        return answer["Items"], answer.get("LastEvaluatedKey", {}).get("sk", {}).get("S", "")

    def put(
        self, item: Item, condition: str, values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        put: dict[str, Any] = {"TableName": self.name, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = dict(values)
        return {"Put": put}

    def add(self, key: Item, attribute: str, change: int) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self.name,
                "Key": key,
                "UpdateExpression": f"ADD {attribute} :change",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeValues": {":change": {"N": str(change)}},
            }
        }

    def delete(
        self, key: Item, condition: str = "", values: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        delete: dict[str, Any] = {"TableName": self.name, "Key": key}
        if condition:
            delete["ConditionExpression"] = condition
        if values:
            delete["ExpressionAttributeValues"] = dict(values)
        return {"Delete": delete}

    def check(self, key: Item, condition: str) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": key,
                "ConditionExpression": condition,
            }
        }

    def count(self, key: Item, attribute: str, maximum: int) -> dict[str, Any]:
        """One more, where there are fewer than `maximum`."""
        action = self.add(key, attribute, 1)
        action["Update"]["ConditionExpression"] += (
            f" AND (attribute_not_exists({attribute}) OR {attribute} < :maximum)"
        )
        action["Update"]["ExpressionAttributeValues"][":maximum"] = {"N": str(maximum)}
        return action

    def transact(self, actions: list[dict[str, Any]], conflict: str, *, tries: int = TRIES) -> None:
        """All actions or none; `ConflictError(conflict)` when a condition did not hold."""
        if self.try_transaction(actions, tries=tries) is not None:
            raise ConflictError(conflict)

    def try_transaction(self, actions: list[dict[str, Any]], *, tries: int = TRIES) -> int | None:
        """All actions or none. None when done, else the place of the first whose condition failed.

        At most `TRANSACTION_ACTIONS`. What others get in the way of is tried again: all of a
        project's connectors share its version, for one.
        """
        for try_number in range(1, tries + 1):
            self._pause(try_number - 1)
            try:
                self.dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = [
                    reason.get("Code") for reason in error.response.get("CancellationReasons", [])
                ]
                if "ConditionalCheckFailed" in reasons:
                    return reasons.index("ConditionalCheckFailed")
                if _PASSING.isdisjoint(reasons) or try_number == tries:
                    raise
            else:
                break
        return None

    def _pause(self, tries: int) -> None:
        """Wait before a try that so many `tries` went before."""
        if tries:
            self._sleep(PAUSE * 2 ** (tries - 1) * (1 + random()))
