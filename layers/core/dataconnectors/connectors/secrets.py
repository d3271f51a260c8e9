"""What a connector holds sealed: its signature secret and its custom headers."""

import json
from dataclasses import dataclass, field
from typing import Self

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the sender and the connector's owner see; `Connector.sealed` holds them encrypted.

    `signature_secret` is "" and `headers` empty without any. Never part of a repr.
    """

    signature_secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def to_bytes(self) -> bytes:
        """The plaintext to seal."""
        return json.dumps(
            {"signatureSecret": self.signature_secret, "headers": dict(self.headers)},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        """What `to_bytes` made."""
        fields = json.loads(plaintext)
        return cls(fields["signatureSecret"], tuple(fields["headers"].items()))


NO_SECRETS = Secrets()


def open_secrets(connector: Connector, vault: Vault) -> Secrets:
    """A connector's secrets; raises `VaultError` when KMS does not open it."""
    if connector.sealed is None:
        return NO_SECRETS
    return Secrets.from_bytes(vault.open(connector.sealed, connector.name))
