"""How secrets are encrypted by KMS, and how long their plaintexts stay in memory."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dataconnectors.aws.vault import CACHE_ENTRIES, CACHE_SECONDS, MAXIMUM_PLAINTEXT, Vault
from dataconnectors.kernel.errors import VaultError


class Kms:
    """A fake of KMS: it decrypts a ciphertext only with the context that it was encrypted with."""

    def __init__(self) -> None:
        self.decrypted = 0
        self.error: Exception | None = None

    def encrypt(
        self, *, KeyId: str, Plaintext: bytes, EncryptionContext: dict[str, str]
    ) -> dict[str, Any]:
        if self.error:
            raise self.error
        context = EncryptionContext["name"].encode()
        return {"CiphertextBlob": KeyId.encode() + b"|" + context + b"|" + Plaintext[::-1]}

    def decrypt(self, *, CiphertextBlob: bytes, EncryptionContext: dict[str, str]) -> Any:
        if self.error:
            raise self.error
        self.decrypted += 1
        _, context, sealed = CiphertextBlob.split(b"|", 2)
        if context != EncryptionContext["name"].encode():
            raise refusal("InvalidCiphertextException")
        return {"Plaintext": sealed[::-1]}


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "something secret"}}, "Decrypt")


@pytest.fixture
def kms() -> Kms:
    return Kms()


@pytest.fixture
def now() -> list[float]:
    return [1000.0]


@pytest.fixture
def vault(kms: Kms, now: list[float]) -> Vault:
    return Vault(kms, "key", clock=lambda: now[0])


def test_a_secret_opens_only_under_the_name_that_it_was_sealed_with(vault: Vault) -> None:
    sealed = vault.seal(b"secret", "a")
    assert b"secret" not in sealed
    assert vault.open(sealed, "a") == b"secret"
    with pytest.raises(VaultError, match="a secret of b: InvalidCiphertextException"):
        vault.open(sealed, "b")


def test_a_secret_is_opened_again_after_half_a_minute_and_not_before(
    vault: Vault, kms: Kms, now: list[float]
) -> None:
    sealed = vault.seal(b"secret", "a")
    for now[0] in (0.0, 1.0, CACHE_SECONDS - 0.1):
        vault.open(sealed, "a")
    assert kms.decrypted == 1
    now[0] = CACHE_SECONDS
    vault.open(sealed, "a")
    assert kms.decrypted == 2


def test_an_unused_secret_is_dropped_when_another_one_is_opened(
    vault: Vault, now: list[float]
) -> None:
    unused, used = vault.seal(b"unused", "a"), vault.seal(b"used", "b")
    now[0] = 0.0
    vault.open(unused, "a")
    now[0] = CACHE_SECONDS - 1
    vault.open(used, "b")
    now[0] = CACHE_SECONDS
    vault.open(used, "b")  # from memory, without a call to KMS
    assert b"unused" not in vault._plaintexts.entries().values()


def test_a_changed_secret_is_used_at_once(vault: Vault) -> None:
    first, second = vault.seal(b"first", "a"), vault.seal(b"second", "a")
    assert vault.open(first, "a") == b"first"
    assert vault.open(second, "a") == b"second"


def test_the_number_of_plaintexts_in_memory_is_limited(vault: Vault, kms: Kms) -> None:
    sealed = [vault.seal(str(number).encode(), "a") for number in range(CACHE_ENTRIES + 1)]
    for ciphertext in sealed:
        vault.open(ciphertext, "a")
    vault.open(sealed[-1], "a")
    assert kms.decrypted == CACHE_ENTRIES + 1
    vault.open(sealed[0], "a")
    assert kms.decrypted == CACHE_ENTRIES + 2


def test_a_plaintext_that_is_too_long_for_kms_is_refused_without_a_call(vault: Vault) -> None:
    assert vault.seal(b"x" * MAXIMUM_PLAINTEXT, "a")
    with pytest.raises(VaultError, match="4097 bytes"):
        vault.seal(b"x" * (MAXIMUM_PLAINTEXT + 1), "a")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refusal("ThrottlingException"), "ThrottlingException"),
        (EndpointConnectionError(endpoint_url="https://kms"), "EndpointConnectionError"),
    ],
)
def test_an_error_of_kms_is_reported_by_its_code_without_its_message(
    vault: Vault, kms: Kms, error: Exception, reason: str
) -> None:
    sealed = vault.seal(b"secret", "a")
    kms.error = error
    for call, data in ((vault.seal, b"secret"), (vault.open, sealed)):
        with pytest.raises(VaultError, match=reason) as caught:
            call(data, "a")
        assert "something secret" not in str(caught.value)
    kms.error = None
    assert vault.open(sealed, "a") == b"secret"  # the failure is not remembered
