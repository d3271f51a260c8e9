"""Routes of members, of projects and of organizations alike."""

from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity import accounts, members
from dataconnectors.identity.access import Access
from dataconnectors.identity.accounts import ServiceAccount
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.members import Member
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.identity.roles import ORGANIZATION_ROLES, PROJECT_ROLES
from dataconnectors.kernel import fields, times
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.members import MemberStore

INVITATIONS_PATH = "/v2/invitations"
"""What an invitation leads to: there is no sign-in for people, and the page says so."""

TRIES = 5
"""Of a change that other writers of the same member got ahead of."""

_OUTPUT_ONLY = ("name", "displayName", "status", "accountType", "createTime")


class Members:
    """Members of a `parent`, `projects/{id}` or `organizations/{id}`. Checks no permission."""

    def __init__(self, store: MemberStore, account_store: AccountStore) -> None:
        self._store = store
        self._accounts = account_store

    def list_all(self, parent: str) -> dict[str, Any]:
        """All members in one page: the SDK carries a page token over into its next list calls."""
        found = sorted(self._store.members(parent), key=lambda member: member.create_time)
        return {"members": [member.to_api() for member in found], "nextPageToken": ""}

    def get(self, parent: str, member_id: str) -> dict[str, Any]:
        """One member."""
        return self._find(parent, member_id).to_api()

    def add(self, parent: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Make somebody a member: `{"email", "roles"}`."""
        given = fields.settable(body, ("email", "roles"), output_only=_OUTPUT_ONLY)
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
        entry = actor.audit_entry(_action(parent, "create"), member.name, details=member.shown)
        self._store.add(member, account, entry)
        return member.to_api()

    def set_roles(
        self, parent: str, member_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Replace the roles: `{"roles"}`. The log tells what they were, whoever else does so."""
        ignored = (*_OUTPUT_ONLY, "email")
        given = fields.settable(body, ("roles",), output_only=ignored, mask=mask)
        for _ in range(TRIES):
            member = self._find(parent, member_id)
            if "roles" not in given:
                return member.to_api()
            granted = members.parse_roles(given["roles"], _roles_of(parent))
            details = member.shown | {"roles": list(granted), "rolesBefore": list(member.roles)}
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
        """End all memberships of an account that is being deleted, except in `but`.

        Another project is told that the account went, not who of this one did it, nor from where.
        """
        leaving = replace(actor, email=account.email, key_id="", address="")
        own = (f"projects/{account.project}", ORGANIZATION)
        for membership in self._store.memberships(account.id):
            member = self._store.member(membership.parent, account.id)
            if membership.parent != but and member is not None:
                self._remove(member, actor if member.parent in own else leaving)

    def invite_url(self, parent: str, member_id: str, host: str) -> dict[str, Any]:
        """Where a person would accept: service accounts are members at once."""
        member = self._find(parent, member_id)
        if member.is_service_account:
            raise BadRequestError(f"{member.name} is a service account: a member already")
        return {"inviteUrl": f"https://{host}{INVITATIONS_PATH}"}

    def _remove(self, member: Member, actor: Actor) -> None:
        entry = actor.audit_entry(
            _action(member.parent, "delete"), member.name, details=member.shown
        )
        self._store.remove(member, entry)

    def _find(self, parent: str, member_id: str) -> Member:
        found = self._store.member(parent, member_id) if is_id(member_id) else None
        if found is None:
            raise NotFoundError(f"{parent}/members/{member_id:.80} is not there")
        return found

    def _account(self, parent: str, email: str) -> ServiceAccount | None:
        """The service account of an email, when whoever adds it may know whether there is one.

        An organization may, and a project of its own: of another project's accounts it is told
        nothing, so an email that is none becomes a member that never calls.
        """
        owner = accounts.account_of(email)
        if owner is None:
            return None
        if parent.startswith("projects/") and parent != f"projects/{owner[0]}":
            return None
        account = self._accounts.service_account(*owner)
        if account is None:
            raise BadRequestError(f"email: no service account has {email}")
        return account


def project_routes(service: Members, access: Access) -> Router:
    """`/v2/projects/{project}/members` and below."""
    router = Router()
    request = ApiRequest(router, access)
    collection = "/v2/projects/<project>/members"

    @router.get(collection)
    def list_project_members(project: str) -> dict[str, Any]:
        request.project(project, "membership.read")
        return service.list_all(f"projects/{project}")

    @router.post(collection)
    def add_project_member(project: str) -> dict[str, Any]:
        actor = request.project(project, "membership.create")
        return service.add(f"projects/{project}", request.body(), actor)

    # Before the plain one, which would take the verb for a part of the id.
    @router.get(collection + "/<member>:getInviteUrl")
    def get_project_invite_url(project: str, member: str) -> dict[str, Any]:
        request.project(project, "membership.create")
        return service.invite_url(f"projects/{project}", member, gateway.host(request.event))

    @router.get(collection + "/<member>")
    def get_project_member(project: str, member: str) -> dict[str, Any]:
        request.project(project, "membership.read")
        return service.get(f"projects/{project}", member)

    @router.patch(collection + "/<member>")
    def update_project_member(project: str, member: str) -> dict[str, Any]:
        actor = request.project(project, "membership.update")
        return service.set_roles(
            f"projects/{project}", member, request.body(), request.mask(), actor
        )

    @router.delete(collection + "/<member>")
    def remove_project_member(project: str, member: str) -> dict[str, Any]:
        actor = request.project(project, "membership.delete")
        return service.remove(f"projects/{project}", member, actor)

    return router


def organization_routes(service: Members, access: Access) -> Router:
    """`/v2/organizations/{organization}/members` and below, and the page of invitations."""
    router = Router()
    request = ApiRequest(router, access)
    collection = "/v2/organizations/<organization>/members"

    @router.get(collection)
    def list_organization_members(organization: str) -> dict[str, Any]:
        request.parent(f"organizations/{organization}", "organization.read")
        return service.list_all(f"organizations/{organization}")

    @router.post(collection)
    def add_organization_member(organization: str) -> dict[str, Any]:
        actor = request.parent(f"organizations/{organization}", "organization.update")
        return service.add(f"organizations/{organization}", request.body(), actor)

    @router.get(collection + "/<member>:getInviteUrl")
    def get_organization_invite_url(organization: str, member: str) -> dict[str, Any]:
        request.parent(f"organizations/{organization}", "organization.update")
        host = gateway.host(request.event)
        return service.invite_url(f"organizations/{organization}", member, host)

    @router.get(collection + "/<member>")
    def get_organization_member(organization: str, member: str) -> dict[str, Any]:
        request.parent(f"organizations/{organization}", "organization.read")
        return service.get(f"organizations/{organization}", member)

    @router.delete(collection + "/<member>")
    def remove_organization_member(organization: str, member: str) -> dict[str, Any]:
        actor = request.parent(f"organizations/{organization}", "organization.update")
        return service.remove(f"organizations/{organization}", member, actor)

    @router.get(INVITATIONS_PATH)
    def explain_invitations() -> Response[str]:
        return Response(status_code=200, content_type="text/html; charset=utf-8", body=PAGE)

    return router


PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Invitations</title>'
    "<h1>Invitations</h1><p>People cannot sign in to this deployment of Data Connectors, so an "
    "invitation cannot be accepted. Ask an administrator of the project for a service account and "
    "a key.</p></html>"
)


def _roles_of(parent: str) -> tuple[str, ...]:
    return PROJECT_ROLES if parent.startswith("projects/") else ORGANIZATION_ROLES


def _action(parent: str, what: str) -> str:
    """The permission that it took."""
    return f"membership.{what}" if parent.startswith("projects/") else "organization.update"
