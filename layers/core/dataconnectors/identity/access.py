"""Who is calling, and whether they may: credentials to an account, account to roles."""

import hmac
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeVar
from urllib.parse import parse_qs

from dataconnectors.aws.vault import CACHE_SECONDS, Vault
from dataconnectors.identity import roles, tokens
from dataconnectors.identity.accounts import AccountKey, ServiceAccount, TokenKey
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import (
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    UnauthorizedError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id

REMEMBERED = 1000
"""Callers kept in memory at most."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: a service account, by one of its keys."""

    key: AccountKey
    account: ServiceAccount


class Accounts(Protocol):
    """What `store.accounts.AccountStore` offers here."""

    def caller(self, key_id: str, /) -> tuple[AccountKey, ServiceAccount] | None:
        """A key and its account; None unless both exist, and the account's project too."""

    def roles(self, parent: str, account: ServiceAccount, /) -> tuple[str, ...]:
        """The roles of an account in a project or the organization."""

    def token_keys(self) -> Sequence[TokenKey]:
        """The keys that access tokens were signed with, oldest first."""

    def add_token_key(self, key: TokenKey, /) -> None:
        """Put a key that signs access tokens."""


class Access:
    """Authenticates requests and checks roles.

    Remembers what it found for `CACHE_SECONDS`, so that a revoked key or role ends within that
    time; what it did not find, or found too little, is not remembered, so that a new key or role
    works at once.
    """

    def __init__(
        self,
        store: Accounts,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
        audiences: Collection[str] = (),
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = times.elapsed,
    ) -> None:
        """`now` gives epoch seconds, `clock` those that have passed, `entropy` random bytes.

        `audiences` are what assertions may be for besides the host that they are sent to.
        """
        self._store = store
        self._vault = vault
        self._audiences = audiences
        self._entropy = entropy
        self._now = now
        self._callers = _Remembered[Caller](clock)
        self._roles = _Remembered[tuple[str, ...]](clock)
        self._token_keys = _Remembered[tuple[TokenKey, ...]](clock)

    def require(self, headers: Mapping[str, str], project: str, permission: str) -> Caller:
        """The caller, when a role of theirs in the project includes the permission.

        Raises `UnauthorizedError` without valid credentials, `NotFoundError` for a project that
        one is no member of (as for one that is not there), `ForbiddenError` for a lesser role.
        """
        caller = self.caller(headers)
        self.check(caller, f"projects/{project}", permission)
        return caller

    def check(self, caller: Caller, parent: str, permission: str) -> None:
        """As `require`, of a caller who is known; `parent` is a project or an organization.

        An empty `permission` asks for a role, whatever it permits.
        """
        held = self.roles(caller, parent, permission)
        if not held:
            raise NotFoundError(f"{parent:.90} is not there, or you are no member of it")
        if permission and not roles.permits(held, permission):
            email = caller.account.email
            raise ForbiddenError(f"{email} needs a role with {permission} in {parent}")

    def roles(self, caller: Caller, parent: str, permission: str = "") -> tuple[str, ...]:
        """The caller's roles in a project or an organization, its organization's included.

        Empty for no member, and where there is no such project. What is remembered is not
        believed when it lacks the `permission`.
        """
        if not is_id(parent.partition("/")[2]):
            return ()
        account = caller.account
        held = self._roles.get(
            (parent, account.id),
            lambda: self._store.roles(parent, account) or None,
            lambda kept: not permission or roles.permits(kept, permission),
        )
        return held or ()

    def current_roles(self, caller: Caller, parent: str) -> tuple[str, ...]:
        """As `roles`, read anew: for an answer that shows them."""
        self._roles.forget((parent, caller.account.id))
        return self.roles(caller, parent)

    def actor(self, caller: Caller, address: str) -> Actor:
        """The caller as the audit log knows them, for the changes of one request."""
        now = self._now()
        request = new_id(now, self._entropy(ENTROPY_BYTES))
        return Actor(caller.account.email, caller.key.id, address, now, request)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who is calling; `UnauthorizedError` without valid credentials."""
        authorization = headers.get("authorization", "")
        token = tokens.bearer(authorization)
        if token is not None:
            return self._bearer(token)
        credentials = tokens.basic(authorization)
        if credentials is not None:
            return self._basic(credentials)
        raise UnauthorizedError("no credentials: send Authorization: Bearer <access token>")

    def exchange(self, form: bytes, host: str) -> dict[str, object]:
        """The token endpoint: a signed assertion for an access token. `host` is the request's.

        Everything wrong is a `BadRequestError`, as the vendor's SDK gives up at once on a 400 and
        would send the same assertion three times after a 401.
        """
        try:
            fields = parse_qs(form.decode("ascii"), max_num_fields=10)
        except ValueError:
            raise BadRequestError("body: expected a form with grant_type and assertion") from None
        if fields.get("grant_type") != [tokens.GRANT_TYPE]:
            raise BadRequestError(f"grant_type: unsupported, expected {tokens.GRANT_TYPE}")
        assertion = fields.get("assertion", [""])[0]
        try:
            caller = self._known(tokens.key_id_of(assertion))
            secret = self._vault.open(caller.key.secret, caller.key.name)
            tokens.check_assertion(
                assertion,
                secret,
                caller.account.email,
                self._now(),
                host=host,
                audiences=self._audiences,
            )
        except UnauthorizedError as error:
            raise BadRequestError(f"assertion: {error}") from None
        signing = self._signing_key()
        key = self._vault.open(signing.sealed, signing.name)
        return {
            "access_token": tokens.access_token(signing.id, key, caller.key.id, self._now()),
            "expires_in": tokens.LIFETIME,
            "token_type": "Bearer",
        }

    def _bearer(self, token: str) -> Caller:
        key_id = tokens.key_id_of(token)
        signing = self._signing_key_named(key_id)
        key = self._vault.open(signing.sealed, signing.name)
        return self._known(tokens.account_key_of(token, key, self._now()))

    def _signing_key_named(self, key_id: str) -> TokenKey:
        for fresh in (False, True):  # another process may have made the key since we looked
            for signing in self._signing_keys(fresh=fresh):
                if signing.id == key_id and signing.verifies(self._now()):
                    return signing
        raise UnauthorizedError("the token is none of ours, or was signed long ago")

    def _basic(self, credentials: tokens.Credentials) -> Caller:
        caller = self._known(credentials.key_id)
        secret = self._vault.open(caller.key.secret, caller.key.name)
        if not hmac.compare_digest(secret, credentials.secret.encode("utf-8", "replace")):
            raise UnauthorizedError("the key's secret is wrong")
        if not caller.account.enable_basic_auth:
            raise UnauthorizedError(f"{caller.account.email} does not allow Basic auth")
        return caller

    def _known(self, key_id: str) -> Caller:
        if not is_id(key_id):
            raise UnauthorizedError("the key is not known, or was revoked")
        caller = self._callers.get(key_id, lambda: self._find(key_id))
        if caller is None:
            raise UnauthorizedError("the key is not known, or was revoked")
        return caller

    def _find(self, key_id: str) -> Caller | None:
        found = self._store.caller(key_id)
        return found and Caller(*found)

    def _signing_keys(self, *, fresh: bool = False) -> tuple[TokenKey, ...]:
        if fresh:
            self._token_keys.forget("")
        keys = self._token_keys.get("", lambda: tuple(self._store.token_keys()) or None)
        return keys or ()

    def _signing_key(self) -> TokenKey:
        """The newest key, made when there is none that may sign still.

        Nothing about it is in the template or the code. Two requests at once make two keys, and
        both stay valid.
        """
        now = self._now()
        for fresh in (False, True):  # another process may have made one since we looked
            keys = [key for key in self._signing_keys(fresh=fresh) if key.signs(now)]
            if keys:
                return keys[-1]
        key_id = new_id(now, self._entropy(ENTROPY_BYTES))
        unsealed = TokenKey(key_id, b"", times.to_text(now))
        key = TokenKey(
            key_id,
            self._vault.seal(self._entropy(tokens.SIGNING_KEY_BYTES), unsealed.name),
            unsealed.create_time,
        )
        self._store.add_token_key(key)
        self._token_keys.forget("")
        return key


class _Remembered(Generic[T]):
    """Answers kept for `CACHE_SECONDS`, the least recently made forgotten first."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()

    def get(
        self,
        key: Hashable,
        find: Callable[[], T | None],
        serves: Callable[[T], bool] = lambda _: True,
    ) -> T | None:
        """What is kept, when it is young and `serves`; else what `find` gives, which is kept."""
        now = self._clock()
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and now - kept[0] < CACHE_SECONDS and serves(kept[1]):
            return kept[1]
        found = find()
        with self._lock:
            self._kept.pop(key, None)
            if found is not None:
                self._kept[key] = (now, found)
                if len(self._kept) > REMEMBERED:
                    self._kept.popitem(last=False)
        return found

    def forget(self, key: Hashable) -> None:
        with self._lock:
            self._kept.pop(key, None)
