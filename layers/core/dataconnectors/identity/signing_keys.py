"""The keys that sign access tokens: each is made when it is needed, and replaced after 30 days."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dataconnectors.aws.vault import CACHE_SECONDS, Vault
from dataconnectors.identity import tokens
from dataconnectors.kernel import times
from dataconnectors.kernel.aged_cache import AgedCache
from dataconnectors.kernel.errors import UnauthorizedError
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id

ROTATION_SECONDS = 30 * 24 * 3600
"""How long a key signs access tokens."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs access tokens. `sealed` is KMS ciphertext, sealed under `name`.

    It signs for `ROTATION_SECONDS`, and verifies until the last token that it signed has expired,
    so that nobody is logged out when a new key takes its place.
    """

    id: str
    sealed: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`tokenkeys/{id}`: the name that `sealed` was sealed under, so it must stay as it is."""
        return f"tokenkeys/{self.id}"

    @property
    def expires_at(self) -> float:
        """The epoch second from which no token that it signed is valid any more."""
        longest = tokens.LIFETIME + tokens.GRACE + tokens.CLOCK_SKEW
        return times.from_text(self.create_time) + ROTATION_SECONDS + longest

    def signs(self, now: float) -> bool:
        """Whether it signs new tokens."""
        return now < times.from_text(self.create_time) + ROTATION_SECONDS

    def verifies(self, now: float) -> bool:
        """Whether tokens that it signed are accepted."""
        return now < self.expires_at


class SigningKeyRows(Protocol):
    """What `store.signing_keys.SigningKeyStore` offers here."""

    def signing_keys(self) -> Sequence[SigningKey]:
        """All signing keys, the oldest first."""

    def add_signing_key(self, key: SigningKey, /) -> None:
        """Store a new signing key."""


class SigningKeys:
    """Finds the key to sign a token with, and the key to verify one with.

    All processes share the keys of the table. A process caches them for `CACHE_SECONDS`, and reads
    them again when it misses one, because another process may just have made it.
    """

    def __init__(
        self,
        rows: SigningKeyRows,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = times.elapsed,
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds, `clock` seconds that have passed."""
        self._rows = rows
        self._vault = vault
        self._entropy = entropy
        self._now = now
        self._keys = AgedCache[str, tuple[SigningKey, ...]](CACHE_SECONDS, 1, clock, is_cached=bool)

    def to_sign(self) -> tuple[str, bytes]:
        """The id and the plaintext of the newest key, which is made when no key may sign any more.

        When two requests make a key at the same time, both keys stay valid.
        """
        now = self._now()
        key = self._find(lambda key: key.signs(now)) or self._make(now)
        return key.id, self._vault.open(key.sealed, key.name)

    def to_verify(self, key_id: str) -> bytes:
        """The plaintext of the key whose id a token names.

        Raises `UnauthorizedError` when there is no such key, or its last token has expired.
        """
        now = self._now()
        key = self._find(lambda key: key.id == key_id and key.verifies(now))
        if key is None:
            raise UnauthorizedError("the token is not one of ours, or was signed long ago")
        return self._vault.open(key.sealed, key.name)

    def forget(self) -> None:
        """Drop the cached keys, so that the next use reads them again."""
        self._keys.forget("")

    def _find(self, is_wanted: Callable[[SigningKey], bool]) -> SigningKey | None:
        """The newest wanted key among the cached ones, or else among those in the table."""
        for reads_again in (False, True):
            if reads_again:
                self.forget()
            keys = self._keys.get("", lambda: tuple(self._rows.signing_keys()))
            wanted = [key for key in keys if is_wanted(key)]
            if wanted:
                return wanted[-1]
        return None

    def _make(self, now: float) -> SigningKey:
        key = SigningKey(new_id(now, self._entropy(ENTROPY_BYTES)), b"", times.to_text(now))
        plaintext = self._entropy(tokens.SIGNING_KEY_BYTES)
        key = replace(key, sealed=self._vault.seal(plaintext, key.name))
        self._rows.add_signing_key(key)
        self.forget()
        return key
