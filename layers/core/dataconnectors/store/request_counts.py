"""The number of requests that a key has made in a window of time, in DynamoDB."""

import math

from dataconnectors.store import keys
from dataconnectors.store.table import Table


class RequestCountStore:
    """A counter for each key and window. DynamoDB deletes them when they have expired."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def count(self, key_id: str, window: int, expires_at: float) -> int:
        """Count one more request; returns the count with it. `expires_at` is in epoch seconds.

        A request is counted twice when botocore repeats the call: the key is then refused a little
        early.
        """
        answer = self._table.dynamodb.update_item(
            TableName=self._table.name,
            Key=keys.request_count_key(key_id, window),
            UpdateExpression="ADD requests :one SET expiresAt = :expires",
            ExpressionAttributeValues={
                ":one": {"N": "1"},
                ":expires": {"N": str(math.ceil(expires_at))},
            },
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["requests"]["N"])
