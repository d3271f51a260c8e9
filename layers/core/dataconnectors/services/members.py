"""Members of projects and of organizations: who has which roles."""

from dataclasses import replace
from typing import Any

from dataconnectors.identity import members
from dataconnectors.identity.accounts import ServiceAccount, account_of
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.members import Member
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.identity.roles import ORGANIZATION_ROLES, PROJECT_ROLES
from dataconnectors.kernel import fields, times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.services.lists import ListRequest
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.members import MemberStore

TRIES = 5
"""How often a change is tried when other writers of the same member get in first."""

_OUTPUT_ONLY = ("name", "displayName", "status", "accountType", "createTime")


class MemberService:
    """Members of a `parent`: `projects/{id}` or `organizations/{id}`. Checks no permission."""

    def __init__(self, store: MemberStore, accounts: AccountStore) -> None:
        self._store = store
        self._accounts = accounts

    def page(self, parent: str, wanted: ListRequest) -> dict[str, Any]:
        """A page of the members, oldest first."""
        return wanted.page(
            self._store.members(parent),
            key=lambda member: f"{member.create_time}#{member.id}",
            show=Member.to_api,
        )

    def get(self, parent: str, member_id: str) -> dict[str, Any]:
        """One member; raises `NotFoundError`."""
        return self._find(parent, member_id).to_api()

    def add(self, parent: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Make somebody a member from `{"email", "roles"}`; raises `BadRequestError`."""
        given = fields.values_to_set(body, ("email", "roles"), output_only=_OUTPUT_ONLY)
        email = members.parse_email(given.get("email"))
        granted = members.parse_roles(given.get("roles"), _roles_of(parent))
        account = self._account(parent, email)
        is_own = account is not None and parent == f"projects/{account.project}"
        member = Member(
            parent=parent,
            id=members.member_id(email),
            email=email,
            roles=granted,
            create_time=times.to_text(actor.now),
            display_name=account.display_name if account and is_own else "",
        )
        entry = actor.audit_entry(
            _action(parent, "create"), member.name, details=member.audit_details
        )
        self._store.add(member, account, entry)
        return member.to_api()

    def update(
        self, parent: str, member_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Replace a member's roles: `{"roles"}`.

        The audit entry holds the roles before the change, so the write is repeated when somebody
        else changes the roles at the same time.
        """
        ignored = (*_OUTPUT_ONLY, "email")
        given = fields.values_to_set(body, ("roles",), output_only=ignored, mask=mask)
        for _ in range(TRIES):
            member = self._find(parent, member_id)
            if "roles" not in given:
                return member.to_api()
            granted = members.parse_roles(given["roles"], _roles_of(parent))
            details = member.audit_details | {
                "roles": list(granted),
                "rolesBefore": list(member.roles),
            }
            entry = actor.audit_entry(
                _action(parent, "update"), member.name, fields=("roles",), details=details
            )
            if granted == member.roles or self._store.set_roles(member, granted, entry):
                return member.to_api() | {"roles": list(granted)}
        raise ConflictError(f"{member.name} keeps being changed by others: read it and try again")

    def remove(self, parent: str, member_id: str, actor: Actor) -> dict[str, Any]:
        """End a membership; the service account stays."""
        self._remove(self._find(parent, member_id), actor)
        return {}

    def leave_all(self, account: ServiceAccount, actor: Actor, *, but: str = "") -> None:
        """End all memberships of an account that is being deleted, except the one in `but`.

        The audit log of another project says that the account left. It does not say who deleted
        the account or from which address: that is no business of the other project.
        """
        left = replace(actor, email=account.email, key_id="", address="")
        own = (f"projects/{account.project}", ORGANIZATION)
        for membership in self._store.memberships(account.id):
            member = self._store.member(membership.parent, account.id)
            if membership.parent != but and member is not None:
                self._remove(member, actor if member.parent in own else left)

    def check_invited(self, parent: str, member_id: str) -> None:
        """Raise `BadRequestError` for a service account: it is a member without invitation."""
        member = self._find(parent, member_id)
        if member.is_service_account:
            raise BadRequestError(f"{member.name} is a service account: a member already")

    def _remove(self, member: Member, actor: Actor) -> None:
        entry = actor.audit_entry(
            _action(member.parent, "delete"), member.name, details=member.audit_details
        )
        self._store.remove(member, entry)

    def _find(self, parent: str, member_id: str) -> Member:
        found = self._store.member(parent, member_id) if is_id(member_id) else None
        if found is None:
            raise NotFoundError(f"{parent}/members/{member_id:.80} is not there")
        return found

    def _account(self, parent: str, email: str) -> ServiceAccount | None:
        """The service account with an email; None when the parent must not learn whether it exists.

        An organization may know all accounts, a project only its own. An email that looks like an
        account of another project is added unchecked: when there is no such account, it becomes a
        member that never calls. Raises `BadRequestError` for an account that should exist and
        does not.
        """
        owner = account_of(email)
        if owner is None:
            return None
        if parent.startswith("projects/") and parent != f"projects/{owner[0]}":
            return None
        account = self._accounts.service_account(*owner)
        if account is None:
            raise BadRequestError(f"email: no service account has {email}")
        return account


def _roles_of(parent: str) -> tuple[str, ...]:
    return PROJECT_ROLES if parent.startswith("projects/") else ORGANIZATION_ROLES


def _action(parent: str, change: str) -> str:
    """The action in the audit log: the permission that the change needs."""
    return f"membership.{change}" if parent.startswith("projects/") else "organization.update"
