"""Try-outs in DynamoDB: their addresses, and the last deliveries to each."""

import json
import math
from typing import Any

from dataconnectors.store import keys
from dataconnectors.store.table import Item, Table
from dataconnectors.tryouts.delivery import KEPT_SECONDS, MAXIMUM_DELIVERIES, TriedDelivery
from dataconnectors.tryouts.try_out import TryOut, TryOutAnswer

_NUMBER_WIDTH = len(str(MAXIMUM_DELIVERIES - 1))


class TryOutStore:
    """The try-outs of all projects.

    DynamoDB deletes expired items late, so reads compare the time as well.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, try_out: TryOut) -> None:
        """Put a new try-out."""
        self._table.dynamodb.put_item(
            TableName=self._table.name,
            Item=keys.try_out_key(try_out.project, try_out.id)
            | {
                "answer": {"S": try_out.answer.value},
                "createTime": {"N": str(keys.micros(try_out.create_time))},
                "expiresAt": _expiry(try_out.expires_at),
            },
        )

    def try_outs(self, project_id: str, now: float) -> list[TryOut]:
        """All try-outs of a project that are served at `now`, in epoch seconds."""
        items = self._table.query(keys.try_out_partition(project_id))
        return [each for each in map(_read, items) if now < each.expires_at]

    def try_out(self, project_id: str, try_out_id: str, now: float) -> TryOut | None:
        """A try-out that is served at `now`; None when there is none."""
        item = self._table.get(keys.try_out_key(project_id, try_out_id))
        try_out = None if item is None else _read(item)
        return try_out if try_out and now < try_out.expires_at else None

    def change(
        self, try_out: TryOut, answer: TryOutAnswer, expires_at: float, now: float
    ) -> TryOut | None:
        """Set what a try-out answers and how long it is served; None when it is gone."""
        written = self._table.try_write(
            self._table.dynamodb.update_item,
            TableName=self._table.name,
            Key=keys.try_out_key(try_out.project, try_out.id),
            UpdateExpression="SET answer = :answer, expiresAt = :expires",
            ConditionExpression="expiresAt > :now",
            ExpressionAttributeValues={
                ":answer": {"S": answer.value},
                ":expires": _expiry(expires_at),
                ":now": {"N": str(int(now))},
            },
        )
        if not written:
            return None
        return TryOut(try_out.project, try_out.id, answer, try_out.create_time, expires_at)

    def remove(self, project_id: str, try_out_id: str) -> None:
        """Delete a try-out. Its deliveries go away with their hour; nobody can read them now."""
        self._table.dynamodb.delete_item(
            TableName=self._table.name, Key=keys.try_out_key(project_id, try_out_id)
        )

    def count_delivery(self, project_id: str, try_out_id: str) -> tuple[TryOut, int] | None:
        """Count one more POST to a try-out; the try-out, and the POST's number. None without one.

        A POST takes two numbers when botocore repeats the call: one delivery fewer is then kept.
        """
        request: dict[str, Any] = {
            "TableName": self._table.name,
            "Key": keys.try_out_key(project_id, try_out_id),
            "UpdateExpression": "ADD received :one",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
            "ReturnValues": "ALL_NEW",
        }
        answers: list[dict[str, Any]] = []
        if not self._table.try_write(
            lambda **each: answers.append(self._table.dynamodb.update_item(**each)), **request
        ):
            return None
        item = answers[0]["Attributes"]
        return _read(item), int(item["received"]["N"])

    def keep(self, try_out_id: str, number: int, delivery: TriedDelivery) -> None:
        """Keep a delivery, in the place of the one that came 50 deliveries earlier."""
        place = f"{number % MAXIMUM_DELIVERIES:0{_NUMBER_WIDTH}d}"
        valid = delivery.signature_valid
        self._table.dynamodb.put_item(
            TableName=self._table.name,
            Item={
                "pk": {"S": keys.try_out_deliveries_partition(try_out_id)},
                "sk": {"S": place},
                "number": {"N": str(number)},
                "time": {"N": str(keys.micros(delivery.time))},
                "connector": {"S": delivery.connector},
                "signatureValid": {"NULL": True} if valid is None else {"BOOL": valid},
                "problem": {"S": delivery.problem},
                "status": {"N": str(delivery.status)},
                "seconds": {"N": str(delivery.seconds)},
                "eventId": {"S": delivery.event_id},
                "eventType": {"S": delivery.event_type},
                "headers": {"S": json.dumps(dict(delivery.headers))},
                "body": {"S": delivery.body},
                "truncated": {"BOOL": delivery.is_truncated},
                "size": {"N": str(delivery.size)},
                "expiresAt": _expiry(delivery.time + KEPT_SECONDS),
            },
        )

    def deliveries(self, try_out_id: str, now: float) -> list[TriedDelivery]:
        """The deliveries that are kept, the newest first."""
        items = self._table.query(keys.try_out_deliveries_partition(try_out_id))
        current = [item for item in items if now < int(item["expiresAt"]["N"])]
        current.sort(key=lambda item: int(item["number"]["N"]), reverse=True)
        return [_read_delivery(item) for item in current]


def _expiry(moment: float) -> Item:
    return {"N": str(math.ceil(moment))}


def _read(item: Item) -> TryOut:
    return TryOut(
        project=item["pk"]["S"].removeprefix(keys.try_out_partition("")),
        id=item["sk"]["S"],
        answer=TryOutAnswer(item["answer"]["S"]),
        create_time=int(item["createTime"]["N"]) / 1_000_000,
        expires_at=float(item["expiresAt"]["N"]),
    )


def _read_delivery(item: Item) -> TriedDelivery:
    return TriedDelivery(
        time=int(item["time"]["N"]) / 1_000_000,
        connector=item["connector"]["S"],
        signature_valid=item["signatureValid"].get("BOOL"),
        problem=item["problem"]["S"],
        status=int(item["status"]["N"]),
        seconds=float(item["seconds"]["N"]),
        event_id=item["eventId"]["S"],
        event_type=item["eventType"]["S"],
        headers=json.loads(item["headers"]["S"]),
        body=item["body"]["S"],
        is_truncated=item["truncated"]["BOOL"],
        size=int(item["size"]["N"]),
    )
