"""Who is calling: from the credentials of a request to the service account that they belong to."""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from dataconnectors.aws.vault import CACHE_SECONDS, Vault
from dataconnectors.identity import tokens
from dataconnectors.identity.accounts import AccountKey, ServiceAccount
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.kernel import times
from dataconnectors.kernel.aged_cache import AgedCache
from dataconnectors.kernel.errors import UnauthorizedError
from dataconnectors.kernel.ids import is_id

CACHED_CALLERS = 1000
"""Callers that a process has in memory at most."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a service account, known by one of its keys."""

    key: AccountKey
    account: ServiceAccount


class Accounts(Protocol):
    """What `store.accounts.AccountStore` offers here."""

    def caller(self, key_id: str, /) -> tuple[AccountKey, ServiceAccount] | None:
        """A key and its account; None unless both exist, and the account's project too."""


class Authenticator:
    """Finds the caller of a request by its credentials: an access token, or a key and its secret.

    A caller is cached for `CACHE_SECONDS`, so a key that is revoked stops working within that time.
    A key that was not found is not cached, so a new key works at once. Safe to share between
    threads.
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
        self._callers = AgedCache[str, Caller | None](
            CACHE_SECONDS, CACHED_CALLERS, clock, is_cached=lambda caller: caller is not None
        )

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

    def caller_with_key(self, key_id: str) -> Caller:
        """Who has the key with this id; `UnauthorizedError` when there is no such key.

        This proves nothing: it is for the token endpoint, which verifies the caller's signature.
        """
        caller = self._callers.get(key_id, lambda: self._read(key_id)) if is_id(key_id) else None
        if caller is None:
            raise UnauthorizedError("the key is not known, or was revoked")
        return caller

    def _by_access_token(self, token: str) -> Caller:
        signing_key = self._signing_keys.to_verify(tokens.key_id_of(token))
        return self.caller_with_key(tokens.account_key_of(token, signing_key, self._now()))

    def _by_secret(self, credentials: tokens.Credentials) -> Caller:
        caller = self.caller_with_key(credentials.key_id)
        secret = self._vault.open(caller.key.secret, caller.key.name)
        if not hmac.compare_digest(secret, credentials.secret.encode("utf-8", "replace")):
            raise UnauthorizedError("the key's secret is wrong")
        if not caller.account.enable_basic_auth:
            raise UnauthorizedError(f"{caller.account.email} does not allow Basic auth")
        return caller

    def _read(self, key_id: str) -> Caller | None:
        found = self._accounts.caller(key_id)
        return found and Caller(*found)
