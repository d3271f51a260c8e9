"""Secrets under KMS: encrypted before they reach the database, decrypted only into memory."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel import times
from dataconnectors.kernel.aged_cache import AgedCache
from dataconnectors.kernel.errors import VaultError

MAXIMUM_PLAINTEXT = 4096
"""Bytes. AWS: KMS Encrypt takes no more. Emulators do not check it, so `seal` does."""

CACHE_SECONDS = 30.0
"""How long a plaintext stays in memory, and thus how long a revoked secret may still be used."""

CACHE_ENTRIES = 1000
"""Plaintexts in memory at most, of up to 4 KiB each: a bound on memory, not an estimate of how many
secrets a process uses."""


class Vault:
    """Seals and opens secrets, each bound to the resource name of what it belongs to.

    The name is KMS's encryption context, so a ciphertext that is copied to another row does not
    open there. Plaintexts are cached by name and ciphertext. A changed secret has a new ciphertext,
    so the cache never returns the old one for it. Safe to share between threads.
    """

    def __init__(
        self, kms: Any, key_arn: str = "", *, clock: Callable[[], float] = times.elapsed
    ) -> None:
        """`key_arn` is needed only to seal: a ciphertext names its key. `clock` is in seconds."""
        self._kms = kms
        self._key_arn = key_arn
        self._plaintexts = AgedCache[tuple[str, bytes], bytes](CACHE_SECONDS, CACHE_ENTRIES, clock)

    def seal(self, plaintext: bytes, name: str) -> bytes:
        """The ciphertext of a secret; raises `VaultError` when KMS does not encrypt it."""
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
        """The plaintext of a secret; raises `VaultError` when KMS does not decrypt it."""
        key = (name, ciphertext)
        return self._plaintexts.get(key, lambda: self._decrypt(ciphertext, name))

    def _decrypt(self, ciphertext: bytes, name: str) -> bytes:
        try:
            answer = self._kms.decrypt(CiphertextBlob=ciphertext, EncryptionContext={"name": name})
        except (BotoCoreError, ClientError) as error:
            raise VaultError(f"KMS did not open a secret of {name}: {_reason(error)}") from error
        return bytes(answer["Plaintext"])


def _reason(error: BotoCoreError | ClientError) -> str:
    """The error's code or its class: a KMS error's message may hold more than a log should."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__
