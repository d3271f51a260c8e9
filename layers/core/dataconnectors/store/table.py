"""The table: reads, and transactions made of actions, in the same way for every kind of item.

Reads are strongly consistent, except those of the index. Methods raise botocore's `ClientError` or
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

BATCH_WRITE_PUTS = 25
"""AWS: BatchWriteItem takes 25 puts, of 16 MB together."""

TRANSACTION_ACTIONS = 100
"""AWS: TransactWriteItems takes 100 actions."""

TRIES = 6
"""Tries of a call that DynamoDB answers in part, or cancels because of another transaction."""

PAUSE = 0.02
"""Seconds before the second try, doubled before each further one, and up to twice that at random,
so that two calls that conflicted do not conflict again. The first is about as long as a transaction
takes; together they are at most 1.2 s."""

_TRANSIENT = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""AWS: reasons for cancelling a transaction that may succeed a moment later."""

Item = dict[str, Any]
"""An item or a primary key, as DynamoDB's API has it: `{"pk": {"S": "…"}, …}`."""


class Table:
    """The table of a deployment. Safe to share between threads, as botocore clients are."""

    def __init__(
        self, dynamodb: Any, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.dynamodb = dynamodb
        self.name = name
        self._sleep = sleep

    def get(self, key: Item) -> Item | None:
        """The item with a primary key; None when there is none."""
        answer = self.dynamodb.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        item: Item | None = answer.get("Item")
        return item

    def batch_get(self, keys: list[Item]) -> list[Item]:
        """The items with these primary keys that exist, in any order.

        Any number of different keys is read, 100 in one call. Raises `UnavailableError` when
        DynamoDB keeps leaving keys unprocessed.
        """
        items: list[Item] = []
        for start in range(0, len(keys), BATCH_GET_KEYS):
            items += self._get_batch(keys[start : start + BATCH_GET_KEYS])
        return items

    def _get_batch(self, keys: list[Item]) -> list[Item]:
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
        """All items of a partition whose sort keys begin with `prefix`, in their order."""
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
        """At most `limit` items with sort keys from `low` to `high`, and where the next begins.

        The latter is the sort key to pass as `after`, or "" after the last page. An `after` outside
        of the bounds cannot be from an earlier page, so it gets the first one.
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
        """The action that puts an item, under a `condition` with `values` unless it is ""."""
        put: dict[str, Any] = {"TableName": self.name, "Item": item}
        if condition:
            put["ConditionExpression"] = condition
        if values:
            put["ExpressionAttributeValues"] = dict(values)
        return {"Put": put}

    def add(self, key: Item, attribute: str, change: int) -> dict[str, Any]:
        """The action that adds `change` to a number of an item; fails when the item is absent."""
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
        """The action that deletes an item, under a `condition` with `values` unless it is ""."""
        delete: dict[str, Any] = {"TableName": self.name, "Key": key}
        if condition:
            delete["ConditionExpression"] = condition
        if values:
            delete["ExpressionAttributeValues"] = dict(values)
        return {"Delete": delete}

    def check(self, key: Item, condition: str) -> dict[str, Any]:
        """The action that changes nothing and fails when an item does not meet the `condition`."""
        return {
            "ConditionCheck": {
                "TableName": self.name,
                "Key": key,
                "ConditionExpression": condition,
            }
        }

    def count(self, key: Item, attribute: str, maximum: int) -> dict[str, Any]:
        """The action that adds 1 to a number of an item; fails when it would exceed `maximum`."""
        action = self.add(key, attribute, 1)
        action["Update"]["ConditionExpression"] += (
            f" AND (attribute_not_exists({attribute}) OR {attribute} < :maximum)"
        )
        action["Update"]["ExpressionAttributeValues"][":maximum"] = {"N": str(maximum)}
        return action

    def transact(self, actions: list[dict[str, Any]], conflict: str, *, tries: int = TRIES) -> None:
        """Do all actions or none; `ConflictError(conflict)` when a condition does not hold."""
        if self.try_transaction(actions, tries=tries) is not None:
            raise ConflictError(conflict)

    def try_transaction(self, actions: list[dict[str, Any]], *, tries: int = TRIES) -> int | None:
        """Do all actions or none, which are at most `TRANSACTION_ACTIONS`.

        Returns None when they are done, else the position of the first action whose condition does
        not hold. A transaction that conflicts with another one is tried again: all connectors of a
        project write the same version item, for example. Raises botocore's errors when DynamoDB
        fails, or conflicts do not end.
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
                if _TRANSIENT.isdisjoint(reasons) or try_number == tries:
                    raise
            else:
                break
        return None

    @staticmethod
    def try_write(write: Callable[..., object], **request: Any) -> bool:
        """Make one write with a condition; False when the condition does not hold.

        `write` is an operation of the client, such as `put_item`. Raises botocore's errors.
        """
        try:
            write(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _pause(self, tries: int) -> None:
        """Wait before the next try, when `tries` were made already."""
        if tries:
            self._sleep(PAUSE * 2 ** (tries - 1) * (1 + random()))
