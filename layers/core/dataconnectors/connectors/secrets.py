"""Secrets: a connector's signature secret and custom headers, which are stored encrypted."""

import json
from dataclasses import dataclass, field
from typing import Self

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the sender and the connector's owner see.

    `Connector.sealed` holds them encrypted. Without any, `signature_secret` is "" and `headers` is
    empty. A repr shows neither.
    """

    signature_secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def to_bytes(self) -> bytes:
        """Return the plaintext to encrypt. It is a stored format: rows of all versions hold it."""
        return json.dumps(
            {"signatureSecret": self.signature_secret, "headers": dict(self.headers)},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()

    def masked(self) -> Self:
        """The same with `MASK` in place of each secret: what there is, but not what it is."""
        secret = MASK if self.signature_secret else ""
        return type(self)(secret, tuple((name, MASK) for name, _ in self.headers))

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        """Read what `to_bytes` returned."""
        fields = json.loads(plaintext)
        return cls(fields["signatureSecret"], tuple(fields["headers"].items()))


NO_SECRETS = Secrets()

MASK = "********"
"""Shown in place of a secret to readers who may not change it. It cannot be set as a secret."""

MASKED_VALUE = f"{MASK} stands for a secret that is not shown: leave it out to keep the secret"
"""What to do about a mask that is sent back as a value."""


def open_secrets(connector: Connector, vault: Vault) -> Secrets:
    """Return a connector's secrets; raises `VaultError` when KMS does not decrypt them."""
    if connector.sealed is None:
        return NO_SECRETS
    return Secrets.from_bytes(vault.open(connector.sealed, connector.name))
