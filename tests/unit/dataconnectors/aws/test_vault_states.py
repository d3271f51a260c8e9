"""The vault keeps exactly the plaintexts that a model says, however secrets change."""

import base64
import json
from collections import OrderedDict
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dataconnectors.aws.vault import CACHE_ENTRIES, CACHE_SECONDS, Vault
from dataconnectors.kernel.errors import VaultError
from tests.faults.models.kms import Kms

NAMES = st.sampled_from(["a", "b", "c"])


class CountingKms(Kms):
    """A fake of KMS that counts the ciphertexts it decrypts, and that can be unreachable."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.is_down = False

    def decrypt(self, **parameters: Any) -> dict[str, Any]:
        if self.is_down:
            raise EndpointConnectionError(endpoint_url="https://kms")
        self.opened += 1
        return super().decrypt(**parameters)


class VaultStates(RuleBasedStateMachine):
    """`kept` has the plaintexts that the vault may hold, with the time of decryption, oldest
    first."""

    @initialize()
    def start(self) -> None:
        self.now = 1000.0
        self.kms = CountingKms()
        self.vault = Vault(self.kms, "key", clock=lambda: self.now)
        self.sealed: dict[str, list[tuple[bytes, bytes]]] = {}
        self.kept: OrderedDict[tuple[str, bytes], float] = OrderedDict()
        self.others = 0

    @rule(name=NAMES, secret=st.binary(max_size=8))
    def change(self, name: str, secret: bytes) -> None:
        """Replace a secret, perhaps by an equal one."""
        self.sealed.setdefault(name, []).append((self.vault.seal(secret, name), secret))

    @rule(name=NAMES, age=st.integers(0, 2))
    def open(self, name: str, age: int) -> None:
        """Open the current ciphertext, or an older one from a row that was read earlier."""
        versions = self.sealed.get(name, [])
        if age < len(versions):
            ciphertext, secret = versions[-1 - age]
            self._open(name, ciphertext, secret)

    @rule(name=NAMES, other=NAMES)
    def open_of_another(self, name: str, other: str) -> None:
        """A ciphertext copied to another row does not open, whether its plaintext is kept or
        not."""
        if name == other or other not in self.sealed:
            return
        ciphertext, _ = self.sealed[other][-1]
        with pytest.raises(VaultError):
            self.vault.open(ciphertext, name)
        self._expire()

    @rule(count=st.sampled_from([1, CACHE_ENTRIES // 2 + 1]))
    def open_many(self, count: int) -> None:
        """Open secrets of other connectors, each once."""
        for _ in range(count):
            self.others += 1
            name = f"other {self.others}"
            fields = {"context": {"name": name}, "plaintext": base64.b64encode(b"x").decode()}
            self._open(name, json.dumps(fields).encode(), b"x")

    @rule(seconds=st.sampled_from([0.001, 1.0, CACHE_SECONDS - 1, CACHE_SECONDS]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(is_down=st.booleans())
    def reach_kms(self, is_down: bool) -> None:
        self.kms.is_down = is_down

    @invariant()
    def keeps_no_more_than_it_may(self) -> None:
        """The vault keeps nothing else: each use drops the plaintexts that are too old."""
        assert list(self.vault._plaintexts.entries()) == list(self.kept)
        assert len(self.kept) <= CACHE_ENTRIES

    def _open(self, name: str, ciphertext: bytes, secret: bytes) -> None:
        self._expire()
        before, key = self.kms.opened, (name, ciphertext)
        if key in self.kept:
            assert self.vault.open(ciphertext, name) == secret
            assert self.kms.opened == before, "KMS was asked for what was kept"
        elif self.kms.is_down:
            with pytest.raises(VaultError):
                self.vault.open(ciphertext, name)
        else:
            assert self.vault.open(ciphertext, name) == secret
            assert self.kms.opened == before + 1
            self.kept[key] = self.now
            if len(self.kept) > CACHE_ENTRIES:
                self.kept.popitem(last=False)

    def _expire(self) -> None:
        for key, since in list(self.kept.items()):
            if self.now - since >= CACHE_SECONDS:
                del self.kept[key]


TestVaultStates = VaultStates.TestCase
TestVaultStates.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, derandomize=True
)
