"""Routes of projects."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access, Caller
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.projects import ORGANIZATION, Project, to_api
from dataconnectors.kernel import fields, paging, times
from dataconnectors.kernel.errors import (
    BadRequestError,
    ConflictError,
    ForbiddenError,
    NotFoundError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.services.members import Members
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.members import MemberStore
from dataconnectors.store.projects import Deletion, ProjectStore
from dataconnectors.store.table import BATCH_GET_KEYS

COLLECTION = "/v2/projects"

_OUTPUT_ONLY = (
    "name",
    "organizationDisplayName",
    "sensorCount",
    "cloudConnectorCount",
    "inventory",
)

TRIES = 5
"""Of a deletion that writers of the project's connectors got ahead of."""


class Projects:
    """Projects, as their members see them. Checks no permission but who may see what."""

    def __init__(
        self,
        store: ProjectStore,
        connectors: ConnectorStore,
        accounts: AccountStore,
        member_rows: MemberStore,
        members: Members,
        access: Access,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        """`entropy` gives random bytes."""
        self._store = store
        self._connectors = connectors
        self._accounts = accounts
        self._member_rows = member_rows
        self._members = members
        self._access = access
        self._entropy = entropy

    def get(self, project_id: str) -> Project:
        """One project."""
        found = self._store.project(project_id)
        if found is None:
            raise NotFoundError(f"projects/{project_id} is not there")
        return found

    def visible_ids(self, caller: Caller, *, limit: int, after: str) -> tuple[list[str], str]:
        """Ids of projects that the caller may read, after the id `after`, and where to go on."""
        if roles.permits(self._access.roles(caller, ORGANIZATION), "project.read"):
            return self._store.ids_in_organization(ORGANIZATION, limit=limit, after=after)
        visible = [
            membership.parent.removeprefix("projects/")
            for membership in self._member_rows.memberships(caller.account.id)
            if membership.parent.startswith("projects/")
            and roles.permits(membership.roles, "project.read")
        ]
        page = sorted(project_id for project_id in visible if project_id > after)[: limit + 1]
        return page[:limit], page[limit - 1] if len(page) > limit else ""

    def all_visible_ids(self, caller: Caller) -> list[str]:
        """Ids of all projects that the caller may read."""
        found, after = self.visible_ids(caller, limit=BATCH_GET_KEYS, after="")
        while after:
            page, after = self.visible_ids(caller, limit=BATCH_GET_KEYS, after=after)
            found += page
        return found

    def page(
        self, caller: Caller, organization: str, words: str, *, limit: int, after: str
    ) -> tuple[list[Project], str]:
        """Projects that the caller may read, and the id to go on after.

        With `organization` those of that one, with `words` those with all of them in their names:
        a page may hold fewer than `limit`, or none, and still not be the last.
        """
        ids, rest = self.visible_ids(caller, limit=limit, after=after)
        found = [
            project
            for project in self._store.projects(ids)
            if project.matches(words) and organization in ("", project.organization)
        ]
        return found, rest

    def create(self, organization: str, display_name: str, actor: Actor) -> Project:
        """Make a project. Its first member is up to the organization's administrators."""
        project = Project(
            id=new_id(actor.now, self._entropy(ENTROPY_BYTES)),
            display_name=display_name,
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
        return project

    def rename(self, project_id: str, display_name: str, actor: Actor) -> Project:
        """Change the display name."""
        entry = actor.audit_entry(
            "project.update", f"projects/{project_id}", fields=("displayName",)
        )
        self._store.rename_project(project_id, display_name, entry)
        return self.get(project_id)

    def delete(self, project_id: str, actor: Actor, *, may_organize: bool) -> None:
        """Delete a project without devices and connectors, with its members and accounts.

        An account that administers the organization goes only with the organization's consent:
        `may_organize`.
        """
        accounts = self._accounts.service_accounts(project_id)
        if not may_organize:
            administrators = {member.id for member in self._member_rows.members(ORGANIZATION)}
            if administrators & {account.id for account in accounts}:
                raise ForbiddenError(
                    f"an account of projects/{project_id} administers {ORGANIZATION}: "
                    "only its administrators delete the project"
                )
        project = self.get(project_id)
        self._delete(project, actor)
        for account in accounts:
            self._members.leave_all(account, actor, but=project.name)
        self._store.delete_leftovers(project_id)

    def _delete(self, project: Project, actor: Actor) -> None:
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


def routes(projects: Projects, access: Access) -> Router:
    """`/v2/projects`, `/v2/projects/{project}` and what one may do there."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(COLLECTION)
    def list_projects() -> dict[str, Any]:
        caller, event = request.caller(), request.event
        organization = ",".join(gateway.query(event, "organization"))
        if organization and not organization.startswith("organizations/"):
            raise BadRequestError("organization: expected organizations/<id>")
        words = ",".join(gateway.query(event, "query"))
        limit, after = gateway.page_size(event, BATCH_GET_KEYS), request.after()
        found, rest = projects.page(caller, organization, words, limit=limit, after=after)
        return {
            "projects": [to_api(project) for project in found],
            "nextPageToken": paging.encode([rest]) if rest else "",
        }

    @router.post(COLLECTION)
    def create_project() -> dict[str, Any]:
        caller, body = request.caller(), request.body()
        given = fields.settable(body, ("organization", "displayName"), output_only=_OUTPUT_ONLY)
        organization = given.get("organization", ORGANIZATION)
        if not isinstance(organization, str) or not organization.startswith("organizations/"):
            raise BadRequestError("organization: expected organizations/<id>")
        access.check(caller, organization, "project.create")
        name = _name(given.get("displayName"))
        actor = access.actor(caller, gateway.address(request.event))
        return to_api(projects.create(organization, name, actor))

    @router.get(COLLECTION + "/<project>")
    def get_project(project: str) -> dict[str, Any]:
        request.project(project, "project.read")
        return to_api(projects.get(project))

    @router.patch(COLLECTION + "/<project>")
    def update_project(project: str) -> dict[str, Any]:
        actor = request.project(project, "project.update")
        ignored = (*_OUTPUT_ONLY, "organization")
        given = fields.settable(
            request.body(), ("displayName",), output_only=ignored, mask=request.mask()
        )
        found = projects.get(project)
        if "displayName" in given:
            name = _name(given["displayName"])
            if name != found.display_name:
                found = projects.rename(project, name, actor)
        return to_api(found)

    @router.delete(COLLECTION + "/<project>")
    def delete_project(project: str) -> dict[str, Any]:
        actor = request.project(project, "project.delete")
        organizes = roles.permits(
            access.roles(request.caller(), ORGANIZATION), "organization.update"
        )
        projects.delete(project, actor, may_organize=organizes)
        return {}

    @router.get(COLLECTION + "/<project>/permissions")
    def list_project_permissions(project: str) -> dict[str, Any]:
        caller, parent = request.caller(), f"projects/{project}"
        held = access.current_roles(caller, parent)
        access.check(caller, parent, "")  # Every member may know what they may do
        known = roles.permissions(held) & roles.permissions(roles.PROJECT_ROLES)
        return {"permissions": sorted(known), "nextPageToken": ""}

    return router


def _name(value: Any) -> str:
    name = fields.display_name(value)
    if not name:
        raise BadRequestError("displayName: expected a name for the project")
    return name
