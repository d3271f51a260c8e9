"""Who is calling: from the credentials of a request to the account that they belong to."""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dataconnectors.aws.vault import CACHE_SECONDS, Vault
from dataconnectors.identity import tokens
from dataconnectors.identity.accounts import AccountKey, ServiceAccount
from dataconnectors.identity.people import Person
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.kernel import times
from dataconnectors.kernel.aged_cache import AgedCache
from dataconnectors.kernel.errors import UnauthorizedError
from dataconnectors.kernel.ids import is_id

CACHED_CALLERS = 1000
"""Callers that a process has in memory at most."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a service account with one of its keys, or a person without any."""

    account: ServiceAccount | Person
    key_id: str = ""

    @property
    def counted_as(self) -> str:
        """What `identity.throttle` counts the request for: the key, or the person."""
        return self.key_id or self.account.id


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """A service account with one of its keys."""

    key: AccountKey
    account: ServiceAccount

    @property
    def caller(self) -> Caller:
        """The caller who has proved to have the key."""
        return Caller(self.account, self.key.id)


class Accounts(Protocol):
    """What `store.accounts.AccountStore` offers here."""

    def caller(self, key_id: str, /) -> tuple[AccountKey, ServiceAccount] | None:
        """A key and its account; None unless both exist, and the account's project too."""

    def is_member(self, member_id: str, /) -> bool:
        """Whether anybody has this id as a member of anything."""


class Authenticator:
    """Finds the caller of a request by its credentials: an access token, or a key and its secret.

    A caller is cached for `CACHE_SECONDS`, so a key that is revoked stops working within that time,
    and so does the token of a person whose last membership has ended. What was not found is not
    cached, so a new key works at once. Safe to share between threads.
    """

    def __init__(
        self,
        accounts: Accounts,
        signing_keys: SigningKeys,
        vault: Vault,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = times.elapsed,
    ) -> None:
        """`now` gives epoch seconds, and `clock` seconds that have passed."""
        self._accounts = accounts
        self._signing_keys = signing_keys
        self._vault = vault
        self._now = now
        self._callers = AgedCache[str, KeyOwner | None](
            CACHE_SECONDS, CACHED_CALLERS, clock, is_cached=lambda owner: owner is not None
        )
        self._people = AgedCache[str, bool](CACHE_SECONDS, CACHED_CALLERS, clock, is_cached=bool)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who makes the request with these headers, which have names in lower case.

        Raises `UnauthorizedError` when it has no credentials, or they are not valid.
        """
        authorization = headers.get("authorization", "")
        token = tokens.bearer(authorization)
        if token is not None:
            return self._by_access_token(token)
        credentials = tokens.basic(authorization)
        if credentials is not None:
            return self._by_secret(credentials)
        raise UnauthorizedError("no credentials: send Authorization: Bearer <access token>")

    def key_owner(self, key_id: str) -> KeyOwner:
        """Who has the key with this id; `UnauthorizedError` when there is no such key.

        This proves nothing: it is for the token endpoint, which verifies the caller's signature.
        """
        owner = self._callers.get(key_id, lambda: self._read(key_id)) if is_id(key_id) else None
        if owner is None:
            raise UnauthorizedError("the key is not known, or was revoked")
        return owner

    def _by_access_token(self, token: str) -> Caller:
        signing_key = self._signing_keys.to_verify(tokens.key_id_of(token))
        subject = tokens.subject_of(token, signing_key, self._now())
        # The id of a key has no @, and every email has one.
        return self._person(subject) if "@" in subject else self.key_owner(subject).caller

    def _person(self, email: str) -> Caller:
        person = Person(email)
        if not self._people.get(email, lambda: self._accounts.is_member(person.id)):
            raise UnauthorizedError(f"{email:.254} is no member of anything any more")
        return Caller(person)

    def _by_secret(self, credentials: tokens.Credentials) -> Caller:
        owner = self.key_owner(credentials.key_id)
        secret = self._vault.open(owner.key.secret, owner.key.name)
        if not hmac.compare_digest(secret, credentials.secret.encode("utf-8", "replace")):
            raise UnauthorizedError("the key's secret is wrong")
        if not owner.account.enable_basic_auth:
            raise UnauthorizedError(f"{owner.account.email} does not allow Basic auth")
        return owner.caller

    def _read(self, key_id: str) -> KeyOwner | None:
        found = self._accounts.caller(key_id)
        return found and KeyOwner(*found)
