"""The keys that sign access tokens in DynamoDB: a few items in one partition."""

from dataconnectors.identity.signing_keys import SigningKey
from dataconnectors.store import keys
from dataconnectors.store.table import Table


class SigningKeyStore:
    """The signing keys of a deployment, which all processes share."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def signing_keys(self) -> list[SigningKey]:
        """All signing keys, the oldest first, including expired ones that are not deleted yet."""
        return [
            SigningKey(
                id=item["sk"]["S"].removeprefix(keys.SIGNING_KEY_PREFIX),
                sealed=bytes(item["sealed"]["B"]),
                create_time=item["createTime"]["S"],
            )
            for item in self._table.query(keys.SIGNING_KEY_PARTITION, keys.SIGNING_KEY_PREFIX)
        ]

    def add_signing_key(self, key: SigningKey) -> None:
        """Put a signing key. DynamoDB deletes it after it has expired."""
        self._table.dynamodb.put_item(
            TableName=self._table.name,
            Item=keys.primary_key_of_signing_key(key.id)
            | {
                "sealed": {"B": key.sealed},
                "createTime": {"S": key.create_time},
                "expiresAt": {"N": str(int(key.expires_at) + 1)},
            },
        )
