"""Secrets: what a connector's deliveries are signed with, and custom headers: stored encrypted.

And what stands for them, and for the keys in a URL, in answers to who may not read them.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any, Self

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the sender and the connector's owner see.

    `Connector.sealed` holds them encrypted. Without any, `signature_secret` is "" and `headers` is
    empty. `previous_secret` is the one that `signature_secret` has replaced: it signs too, until
    `previous_until` in epoch seconds. It is "" when there is none, and is never shown to anybody.
    `standard_webhooks` says whether deliveries are also signed as Standard Webhooks. It is no
    secret, but is kept here because an older release, which does not know it, then keeps it when it
    writes the row. A repr shows no secret.
    """

    signature_secret: str = field(default="", repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    previous_secret: str = field(default="", repr=False)
    previous_until: float = 0.0
    standard_webhooks: bool = False

    def at(self, now: float) -> Self:
        """The same without a previous secret that no longer signs at `now`, in epoch seconds.

        Nothing is written when its time is over: whoever reads it asks the clock.
        """
        if not self.previous_secret or now < self.previous_until:
            return self
        return replace(self, previous_secret="", previous_until=0.0)

    def to_bytes(self) -> bytes:
        """Return the plaintext to encrypt. It is a stored format: rows of all versions hold it.

        Older releases read the first two fields and ignore the others, which are only there when
        they are set.
        """
        fields: dict[str, Any] = {
            "signatureSecret": self.signature_secret,
            "headers": dict(self.headers),
        }
        if self.previous_secret:
            fields["previousSecret"] = self.previous_secret
            fields["previousUntil"] = self.previous_until
        if self.standard_webhooks:
            fields["standardWebhooks"] = True
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()

    def masked(self) -> Self:
        """The same with `MASK` in place of each secret: what there is, but not what it is."""
        return replace(
            self,
            signature_secret=MASK if self.signature_secret else "",
            headers=tuple((name, MASK) for name, _ in self.headers),
            previous_secret=MASK if self.previous_secret else "",
        )

    @classmethod
    def from_bytes(cls, plaintext: bytes) -> Self:
        """Read what `to_bytes` returned, in this release or an older one."""
        fields = json.loads(plaintext)
        return cls(
            fields["signatureSecret"],
            tuple(fields["headers"].items()),
            fields.get("previousSecret", ""),
            fields.get("previousUntil", 0.0),
            fields.get("standardWebhooks", False),
        )


NO_SECRETS = Secrets()

MASK = "********"
"""Shown in place of a secret to readers who may not change it. It cannot be set as a secret."""

MASKED_VALUE = f"{MASK} stands for a secret that is not shown: leave it out to keep the secret"
"""What to do about a mask that is sent back as a value."""


def masked_url(url: str) -> str:
    """The URL with `MASK` for what its query holds: the names stay, values are often keys."""
    address, mark, query = url.partition("?")
    if not mark:
        return url
    parts = []
    for part in query.split("&"):
        name, equals, _ = part.partition("=")
        parts.append(f"{name}={MASK}" if equals else MASK)
    return f"{address}?{'&'.join(parts)}"


def has_mask(url: str) -> bool:
    """Whether a part of the URL's query is `MASK`, as `masked_url` writes it."""
    return any(part.rpartition("=")[2] == MASK for part in url.partition("?")[2].split("&"))


def open_secrets(connector: Connector, vault: Vault) -> Secrets:
    """Return a connector's secrets; raises `VaultError` when KMS does not decrypt them."""
    if connector.sealed is None:
        return NO_SECRETS
    return Secrets.from_bytes(vault.open(connector.sealed, connector.name))
