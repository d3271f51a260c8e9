"""KMS as far as secrets need it: a ciphertext opens with the context that it was sealed with."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from tests.faults.models.errors import refusal

LARGEST_PLAINTEXT = 4096
"""AWS: bytes that Encrypt takes."""


class Kms:
    """One key. Nothing is encrypted: a plaintext can be read back by whoever checks a run."""

    name = "kms"

    def __init__(self) -> None:
        self._sealed = 0

    def encrypt(
        self, *, KeyId: str, Plaintext: bytes, EncryptionContext: Mapping[str, str]
    ) -> dict[str, Any]:
        """Each ciphertext is another one, whatever the plaintext."""
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
        """The plaintext, for the same context."""
        try:
            fields = json.loads(CiphertextBlob)
        except ValueError:
            raise refusal("InvalidCiphertextException", "Decrypt") from None
        if fields["context"] != dict(EncryptionContext):
            raise refusal("InvalidCiphertextException", "Decrypt")
        return {"Plaintext": plaintext_of(CiphertextBlob)}


def plaintext_of(ciphertext: bytes) -> bytes:
    """What a ciphertext of the model holds."""
    return base64.b64decode(json.loads(ciphertext)["plaintext"])
