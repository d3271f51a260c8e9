"""Whether a caller may do what a request asks for: from the caller to their roles."""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from dataconnectors.aws.vault import CACHE_SECONDS
from dataconnectors.identity import roles
from dataconnectors.identity.accounts import ServiceAccount
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.authentication import Authenticator, Caller
from dataconnectors.identity.people import Person
from dataconnectors.kernel import times
from dataconnectors.kernel.aged_cache import AgedCache
from dataconnectors.kernel.errors import ForbiddenError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id

CACHED_ROLES = 1000
"""Pairs of a caller and a project that a process has the roles of in memory, at most."""


class Memberships(Protocol):
    """What `store.accounts.AccountStore` offers here."""

    def roles(self, parent: str, account: ServiceAccount | Person, /) -> tuple[str, ...]:
        """The roles of an account in a project or the organization."""


class Access:
    """Authenticates requests, and checks that a role of the caller permits what they ask for.

    Roles are cached for `CACHE_SECONDS`, so a role that is taken away stops working within that
    time. Roles that are missing, or do not permit a request, are read again, so a role that is
    given works at once. Safe to share between threads.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        memberships: Memberships,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = times.elapsed,
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds, `clock` seconds that have passed."""
        self._authenticator = authenticator
        self._memberships = memberships
        self._entropy = entropy
        self._now = now
        self._roles = AgedCache[tuple[str, str], tuple[str, ...]](
            CACHE_SECONDS, CACHED_ROLES, clock, is_cached=bool
        )

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Who is calling; raises `UnauthorizedError` without valid credentials."""
        return self._authenticator.caller(headers)

    def require(self, headers: Mapping[str, str], project: str, permission: str) -> Caller:
        """The caller, whose roles in the project include the permission.

        Raises `UnauthorizedError` without valid credentials, `NotFoundError` when the caller is not
        a member of the project, or there is no such project, and `ForbiddenError` when none of
        their roles includes the permission.
        """
        caller = self.caller(headers)
        self.check(caller, f"projects/{project}", permission)
        return caller

    def check(self, caller: Caller, parent: str, permission: str) -> None:
        """Check a permission of a known caller; raises as `require` does.

        `parent` is a project or an organization. An empty `permission` asks only for membership.
        """
        held = self.roles(caller, parent, permission)
        if not held:
            raise NotFoundError(f"{parent:.90} is not there, or you are no member of it")
        if permission and not roles.permits(held, permission):
            email = caller.account.email
            raise ForbiddenError(f"{email} needs a role with {permission} in {parent}")

    def roles(self, caller: Caller, parent: str, permission: str = "") -> tuple[str, ...]:
        """The caller's roles in a project or an organization.

        A project's include those in its organization. Empty when the caller is not a member, or
        `parent` does not exist. Cached roles that do not include the `permission` are read again.
        """
        if not is_id(parent.partition("/")[2]):
            return ()
        account = caller.account
        return self._roles.get(
            (parent, account.id),
            lambda: self._memberships.roles(parent, account),
            lambda held: not permission or roles.permits(held, permission),
        )

    def current_roles(self, caller: Caller, parent: str) -> tuple[str, ...]:
        """The same as `roles`, but always read from the table: for an answer that shows them."""
        self._roles.forget((parent, caller.account.id))
        return self.roles(caller, parent)

    def actor(self, caller: Caller, address: str) -> Actor:
        """The caller as the audit log names them, for all changes of one request."""
        now = self._now()
        request = new_id(now, self._entropy(ENTROPY_BYTES))
        return Actor(caller.account.email, caller.key_id, address, now, request)
