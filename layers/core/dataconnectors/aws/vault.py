"""Secrets under KMS: sealed before they touch the database, opened into memory alone."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel import times
from dataconnectors.kernel.errors import VaultError

MAXIMUM_PLAINTEXT = 4096
"""Bytes. AWS: KMS Encrypt takes no more; emulators do not check, so callers must."""

CACHE_SECONDS = 30.0
"""How long a plaintext is kept: the longest that a revoked secret may still be in memory."""

CACHE_ENTRIES = 1000
"""Plaintexts kept at most (4 KiB each): a bound on memory, not a working-set estimate."""


class Vault:
    """Seals and opens secrets, bound to the name of what they belong to.

    The name is KMS's encryption context, so a ciphertext copied to another row does not open.
    Opened plaintexts are cached by name and ciphertext: a changed secret is another ciphertext,
    hence never served stale. Safe to share between threads.
    """

    def __init__(
        self, kms: Any, key_arn: str = "", *, clock: Callable[[], float] = times.elapsed
    ) -> None:
        """`key_arn` may be left out where nothing is sealed: a ciphertext knows its key."""
        self._kms = kms
        self._key_arn = key_arn
        self._clock = clock
        self._lock = Lock()
        self._opened: OrderedDict[tuple[str, bytes], tuple[float, bytes]] = OrderedDict()

    def seal(self, plaintext: bytes, name: str) -> bytes:
        """The ciphertext; raises `VaultError` when KMS does not seal it."""
        if len(plaintext) > MAXIMUM_PLAINTEXT:
            raise VaultError(f"{name}: a secret of {len(plaintext)} bytes, at most 4096")
        try:
            answer = self._kms.encrypt(
                KeyId=self._key_arn, Plaintext=plaintext, EncryptionContext={"name": name}
            )
        except (BotoCoreError, ClientError) as error:
            raise VaultError(f"KMS did not seal a secret of {name}: {_reason(error)}") from error
        return bytes(answer["CiphertextBlob"])

    def open(self, ciphertext: bytes, name: str) -> bytes:
        """The plaintext; raises `VaultError` when KMS does not open it."""
        key = (name, ciphertext)
        now = self._clock()
        with self._lock:
            # First of all: a secret that is not used any more must not stay for the others' sake.
            self._forget(now)
            kept = self._opened.get(key)
            if kept is not None:
                return kept[1]
        try:
            answer = self._kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext={"name": name})
        except (BotoCoreError, ClientError) as error:
            raise VaultError(f"KMS did not open a secret of {name}: {_reason(error)}") from error
        plaintext = bytes(answer["Plaintext"])
        with self._lock:
            self._opened[key] = (now, plaintext)
            self._opened.move_to_end(key)
            self._forget(now)
        return plaintext

    def _forget(self, now: float) -> None:
        """Drop what is expired or over the bound; the oldest are first."""
        while self._opened:
            key, (since, _) = next(iter(self._opened.items()))
            if len(self._opened) <= CACHE_ENTRIES and now - since < CACHE_SECONDS:
                return
            del self._opened[key]


def _reason(error: BotoCoreError | ClientError) -> str:
    """An error code, or the class: the message of a KMS error can hold more than a log should."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
