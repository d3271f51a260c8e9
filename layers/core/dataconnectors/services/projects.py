"""Projects: which of them a caller sees, and what may be done with one."""

from collections.abc import Callable
from typing import Any

from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.authentication import Caller
from dataconnectors.identity.projects import ORGANIZATION, Project, to_api
from dataconnectors.kernel import fields, times
from dataconnectors.kernel.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.services.members import MemberService
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.members import MemberStore
from dataconnectors.store.projects import Deletion, ProjectStore
from dataconnectors.store.table import BATCH_GET_KEYS

LARGEST_PAGE = BATCH_GET_KEYS
"""Projects on a page: as many as one BatchGetItem reads."""

TRIES = 5
"""How often a deletion is tried when writers of the project's connectors get in first."""

_SETTABLE_ON_CREATE = ("organization", "displayName")

_OUTPUT_ONLY = (
    "name",
    "organizationDisplayName",
    "sensorCount",
    "cloudConnectorCount",
    "inventory",
)


class ProjectService:
    """Projects as their members see them.

    Lists hold only what the caller may read. Apart from that, it checks no permission.
    """

    def __init__(
        self,
        store: ProjectStore,
        connectors: ConnectorStore,
        accounts: AccountStore,
        member_store: MemberStore,
        members: MemberService,
        access: Access,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        """`entropy` gives random bytes."""
        self._store = store
        self._connectors = connectors
        self._accounts = accounts
        self._member_store = member_store
        self._members = members
        self._access = access
        self._entropy = entropy

    def get(self, project_id: str) -> dict[str, Any]:
        """One project; raises `NotFoundError`."""
        return to_api(self._find(project_id))

    def readable_ids(self, caller: Caller) -> list[str]:
        """The ids of all projects that the caller may read."""
        found, after = self._page_of_ids(caller, limit=BATCH_GET_KEYS, after="")
        while after:
            page, after = self._page_of_ids(caller, limit=BATCH_GET_KEYS, after=after)
            found += page
        return found

    def page(
        self, caller: Caller, organization: str, words: str, *, limit: int, after: str
    ) -> tuple[list[dict[str, Any]], str]:
        """Projects that the caller may read, and the id to go on after ("" on the last page).

        With `organization` only its projects, with `words` only projects that have all of them in
        their names. Filters apply to what a page has read, so a page may hold fewer than `limit`
        projects, or none, and still not be the last.
        """
        ids, last = self._page_of_ids(caller, limit=limit, after=after)
        found = [
            project
            for project in self._store.projects(ids)
            if project.matches(words) and organization in ("", project.organization)
        ]
        return [to_api(project) for project in found], last

    def create(self, organization: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Create a project from `{"displayName", "organization"?}`; raises `BadRequestError`.

        It has no members: the organization's administrators add the first.
        """
        given = fields.values_to_set(body, _SETTABLE_ON_CREATE, output_only=_OUTPUT_ONLY)
        project = Project(
            id=new_id(actor.now, self._entropy(ENTROPY_BYTES)),
            display_name=_display_name(given.get("displayName")),
            organization=organization,
            sensor_count=0,
            cloud_connector_count=0,
            create_time=times.to_text(actor.now),
        )
        self._store.create_project(
            project,
            actor.audit_entry("project.create", project.name),
            actor.audit_entry("project.create", project.name, log=organization),
        )
        return to_api(project)

    def update(
        self, project_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Rename a project: `{"displayName"}`; raises `BadRequestError`."""
        ignored = (*_OUTPUT_ONLY, "organization")
        given = fields.values_to_set(body, ("displayName",), output_only=ignored, mask=mask)
        project = self._find(project_id)
        if "displayName" not in given:
            return to_api(project)
        name = _display_name(given["displayName"])
        if name == project.display_name:
            return to_api(project)
        entry = actor.audit_entry("project.update", project.name, fields=("displayName",))
        self._store.rename_project(project_id, name, entry)
        return self.get(project_id)

    def delete(
        self, project_id: str, actor: Actor, *, administers_organization: bool
    ) -> dict[str, Any]:
        """Delete a project that has no devices and no connectors, with its members and accounts.

        Only a caller who `administers_organization` may delete a project with an account that
        does so too: others could remove the organization's administrators that way.
        """
        accounts = self._accounts.service_accounts(project_id)
        if not administers_organization:
            administrators = {member.id for member in self._member_store.members(ORGANIZATION)}
            if administrators & {account.id for account in accounts}:
                raise ForbiddenError(
                    f"an account of projects/{project_id} administers {ORGANIZATION}: "
                    "only its administrators may delete the project"
                )
        project = self._find(project_id)
        self._delete_row(project, actor)
        for account in accounts:
            self._members.leave_all(account, actor, but=project.name)
        self._store.delete_leftovers(project_id)
        return {}

    def _delete_row(self, project: Project, actor: Actor) -> None:
        entry = actor.audit_entry(
            "project.delete",
            project.name,
            log=project.organization,
            details={"displayName": project.display_name},
        )
        for _ in range(TRIES):
            version = self._store.version(project.id)
            rows = self._connectors.connectors(project.id)
            if any(row.lifecycle is not Lifecycle.DELETING for row in rows):
                raise BadRequestError(f"{project.name} has connectors: delete them first")
            match self._store.delete_project(project, version, entry):
                case Deletion.DONE:
                    return
                case Deletion.HAS_DEVICES:
                    raise BadRequestError(
                        f"{project.name} has devices: delete emulated ones, and transfer the "
                        "others to another project (devices:transfer)"
                    )
                case Deletion.CHANGED:
                    continue
        raise ConflictError(f"{project.name} keeps being changed by others: try again")

    def _find(self, project_id: str) -> Project:
        found = self._store.project(project_id)
        if found is None:
            raise NotFoundError(f"projects/{project_id} is not there")
        return found

    def _page_of_ids(self, caller: Caller, *, limit: int, after: str) -> tuple[list[str], str]:
        """Ids of projects that the caller may read, after the id `after`, and where to go on."""
        if roles.permits(self._access.roles(caller, ORGANIZATION), "project.read"):
            return self._store.ids_in_organization(ORGANIZATION, limit=limit, after=after)
        readable = [
            membership.parent.removeprefix("projects/")
            for membership in self._member_store.memberships(caller.account.id)
            if membership.parent.startswith("projects/")
            and roles.permits(membership.roles, "project.read")
        ]
        page = sorted(project_id for project_id in readable if project_id > after)[: limit + 1]
        return page[:limit], page[limit - 1] if len(page) > limit else ""


def organization_of_new(body: Any) -> str:
    """The organization that a create call names, or the only one; raises `BadRequestError`."""
    given = fields.values_to_set(body, _SETTABLE_ON_CREATE, output_only=_OUTPUT_ONLY)
    organization = given.get("organization", ORGANIZATION)
    if not isinstance(organization, str) or not organization.startswith("organizations/"):
        raise BadRequestError("organization: expected organizations/<id>")
    return organization


def _display_name(value: Any) -> str:
    name = fields.display_name(value)
    if not name:
        raise BadRequestError("displayName: expected a name for the project")
    return name
