"""KMS with the two calls that secrets need. A ciphertext opens only with its encryption context."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.faults.models.errors import refusal

LARGEST_PLAINTEXT = 4096
"""AWS: the most bytes that Encrypt accepts."""


class Kms:
    """One key. It encrypts nothing, so that the ledger can read plaintexts."""

    name = "kms"

    def __init__(self) -> None:
        self._sealed = 0

    def encrypt(
        self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return a new ciphertext each time, even for the same plaintext."""
        if len(Plaintext) > LARGEST_PLAINTEXT:
            raise refusal("ValidationException", "Encrypt", f"{len(Plaintext)} bytes")
        self._sealed += 1
        fields = {
            "number": self._sealed,
            "context": dict(EncryptionContext),
            "plaintext": base64.b64encode(Plaintext).decode(),
        }
        return {"CiphertextBlob": json.dumps(fields).encode(), "KeyId": KeyId}

    def decrypt(
        self, *, CiphertextBlob: bytes, EncryptionContext: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the plaintext if the context is the same."""
        try:
            fields = json.loads(CiphertextBlob)
        except ValueError:
            raise refusal("InvalidCiphertextException", "Decrypt") from None
        if fields["context"] != dict(EncryptionContext):
            raise refusal("InvalidCiphertextException", "Decrypt")
        return {"Plaintext": plaintext_of(CiphertextBlob)}


def plaintext_of(ciphertext: bytes) -> bytes:
    """The plaintext of a ciphertext of the model."""
    return base64.b64decode(json.loads(ciphertext)["plaintext"])
