"""A process that authenticates requests, whose rows and clock a test controls."""

from typing import Any

import jwt

from dataconnectors.identity import tokens
from dataconnectors.identity.access import Access
from dataconnectors.identity.accounts import AccountKey, ServiceAccount
from dataconnectors.identity.authentication import Authenticator
from dataconnectors.identity.people import Person
from dataconnectors.identity.roles import ADMIN
from dataconnectors.identity.signing_keys import SigningKey, SigningKeys
from dataconnectors.identity.token_exchange import TokenExchange, token_answer

NOW = 1_790_000_000.0
ACCOUNT = ServiceAccount("p1", "s1", "s1@p1.example", "", enable_basic_auth=True, create_time="")
KEY = AccountKey("k1", "p1", "s1", b"the-secret-of-k1-has-32-or-more-bytes", "")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Rows:
    """Keys, accounts and roles that a test can remove. `reads` has the reads of them."""

    def __init__(self) -> None:
        self.keys = {"k1": KEY}
        self.accounts = {"s1": ACCOUNT}
        self.members = {("projects/p1", ACCOUNT.email): (ADMIN,)}
        self.people: set[str] = set()
        self.keys_that_sign: list[SigningKey] = []
        self.reads: list[str] = []

    def caller(self, key_id: str) -> tuple[AccountKey, ServiceAccount] | None:
        self.reads.append("caller")
        key = self.keys.get(key_id)
        account = key and self.accounts.get(key.account)
        return (key, account) if key and account else None

    def is_member(self, member_id: str) -> bool:
        self.reads.append("member")
        return member_id in self.people

    def roles(self, parent: str, account: ServiceAccount | Person) -> tuple[str, ...]:
        self.reads.append(f"roles in {parent}")
        return self.members.get((parent, account.email), ())

    def signing_keys(self) -> list[SigningKey]:
        return list(self.keys_that_sign)

    def add_signing_key(self, key: SigningKey) -> None:
        self.keys_that_sign.append(key)


class OpenVault:
    """A fake of the vault that encrypts nothing. Ciphertext and plaintext are the same."""

    def open(self, ciphertext: bytes, name: str) -> bytes:
        return ciphertext

    def seal(self, plaintext: bytes, name: str) -> bytes:
        return plaintext


class Process:
    """One process with its caches and its clock. Several processes may share the rows."""

    def __init__(self, rows: Rows | None = None) -> None:
        self.rows = rows or Rows()
        self.clock = Clock()
        vault: Any = OpenVault()
        clocks: Any = {"now": self.now, "clock": self.clock}
        signing_keys = SigningKeys(self.rows, vault, entropy=_entropy, **clocks)
        authenticator = Authenticator(self.rows, signing_keys, vault, **clocks)
        self.access = Access(authenticator, self.rows, entropy=_entropy, **clocks)
        self.token_exchange = TokenExchange(authenticator, signing_keys, vault, now=self.now)
        self.signing_keys = signing_keys

    def now(self) -> float:
        return NOW + self.clock.time

    def headers(self) -> dict[str, str]:
        """The headers of a request with a new access token."""
        form = f"grant_type={tokens.GRANT_TYPE}&assertion=" + jwt.encode(
            {
                "iat": int(self.now()),
                "exp": int(self.now()) + 3600,
                "iss": ACCOUNT.email,
                "aud": "https://h/v2/oauth2/token",
            },
            KEY.secret,
            "HS256",
            headers={"kid": "k1"},
        )
        answer = self.token_exchange.exchange(form.encode(), "h")
        return {"authorization": f"Bearer {answer['access_token']}"}

    def headers_of_person(self, email: str) -> dict[str, str]:
        """The headers of a request of a person who has just signed in."""
        answer = token_answer(self.signing_keys, email, self.now())
        return {"authorization": f"Bearer {answer['access_token']}"}


def _entropy(count: int) -> bytes:
    return bytes(range(count))
