"""How the deployer makes the first administrator of a deployment or of a project."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from dataconnectors.aws.vault import Vault
from dataconnectors.identity import roles
from dataconnectors.identity.accounts import (
    AccountKey,
    ServiceAccount,
    email_of,
    key_name,
    new_secret,
)
from dataconnectors.identity.audit import Actor, AuditEntry
from dataconnectors.identity.members import Member
from dataconnectors.identity.projects import ORGANIZATION, Project
from dataconnectors.identity.tokens import ALGORITHM
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id

LONGEST_TEXT = 256
"""Characters of each text in a request."""

DEPLOYER = "deployer"
"""The actor in audit entries. AWS CloudTrail knows which person it was, because IAM let them in."""


@dataclass(frozen=True, slots=True)
class NewAdministrator:
    """Everything that is stored for a new administrator.

    `project` is the new project; it is None when the account joins a project that exists.
    """

    project: Project | None
    account: ServiceAccount
    key: AccountKey
    members: tuple[Member, ...]
    entries: tuple[AuditEntry, ...]


class AdministratorRows(Protocol):
    """What `store.bootstrap.BootstrapStore` offers here."""

    def has_organization(self, organization: str, /) -> bool:
        """Whether the organization has its first administrator already."""

    def add(self, administrator: NewAdministrator, new_organization: str = "", /) -> None:
        """Write everything or nothing."""


class Bootstrap:
    """Makes administrators for the deployer, who needs no account for that but access to AWS."""

    def __init__(
        self,
        rows: AdministratorRows,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds."""
        self._rows = rows
        self._vault = vault
        self._entropy = entropy
        self._now = now

    def make_administrator(self, request: Any) -> dict[str, Any]:
        """Make a service account that administers a project; the answer holds its secret.

        `request` is `{"displayName"?, "project"?, "tokenEndpoint"?, "organizationAdmin"?}`. The
        account joins the existing project with the id `project`; without it, a new project is made
        and called `displayName`. The first account of a deployment also administers the
        organization. Later ones do so only with `organizationAdmin`, because the projects of
        different customers must not see each other.

        Answers `{"project": id, "serviceAccount": {…}}`, the latter as the credentials file of the
        vendor's SDK has it. The secret is shown only here: what is stored is encrypted. Raises
        `BadRequestError` for a wrong request, `NotFoundError` without the project to join, and
        `ConflictError` when another call makes the first administrator at the same moment.
        """
        if not isinstance(request, dict):
            raise BadRequestError('expected {"displayName": …, "tokenEndpoint": …}')
        for name in ("displayName", "project", "tokenEndpoint"):
            value = request.get(name, "")
            if not isinstance(value, str) or len(value) > LONGEST_TEXT:
                raise BadRequestError(f"{name}: expected a text of at most {LONGEST_TEXT} letters")
        if not isinstance(request.get("organizationAdmin", False), bool):
            raise BadRequestError("organizationAdmin: expected true or false")
        joined = request.get("project", "")
        if joined and not is_id(joined):
            raise NotFoundError(f"projects/{joined:.80} is not there")

        is_first = not self._rows.has_organization(ORGANIZATION)
        project_id = joined or self._id()
        project = None if joined else self._project(project_id, request.get("displayName", ""))
        secret = new_secret(self._entropy)
        administrator = self._new_administrator(
            project_id,
            project,
            secret,
            administers_all=is_first or request.get("organizationAdmin", False),
        )
        self._rows.add(administrator, ORGANIZATION if is_first else "")
        return {
            "project": project_id,
            "serviceAccount": {
                "keyId": administrator.key.id,
                "secret": secret,
                "email": administrator.account.email,
                "algorithm": ALGORITHM,
                "tokenEndpoint": request.get("tokenEndpoint", ""),
            },
        }

    def _new_administrator(
        self, project_id: str, project: Project | None, secret: str, *, administers_all: bool
    ) -> NewAdministrator:
        now = self._now()
        actor = Actor(DEPLOYER, "", "", now, self._id())
        account_id, key_id, time_text = self._id(), self._id(), times.to_text(now)
        account = ServiceAccount(
            project=project_id,
            id=account_id,
            email=email_of(account_id, project_id),
            display_name="Administrator",
            enable_basic_auth=True,
            create_time=time_text,
            update_time=time_text,
            keys={key_id: time_text},
        )
        sealed = self._vault.seal(secret.encode(), key_name(project_id, account_id, key_id))
        key = AccountKey(key_id, project_id, account_id, sealed, time_text)
        parents = {f"projects/{project_id}": roles.ADMIN}
        if administers_all:
            parents[ORGANIZATION] = roles.ORGANIZATION_ADMIN
        members = tuple(
            Member(parent, account_id, account.email, (role,), time_text)
            for parent, role in parents.items()
        )
        entries = [
            actor.audit_entry("serviceaccount.create", account.name),
            actor.audit_entry("serviceaccount.key.create", key.name),
        ]
        for member in members:
            action = "membership.create" if member.parent != ORGANIZATION else "organization.update"
            entries.append(actor.audit_entry(action, member.name, details=member.audit_details))
        if project is not None:
            entries.append(actor.audit_entry("project.create", project.name))
            entries.append(actor.audit_entry("project.create", project.name, log=ORGANIZATION))
        return NewAdministrator(project, account, key, members, tuple(entries))

    def _project(self, project_id: str, display_name: str) -> Project:
        return Project(
            id=project_id,
            display_name=display_name,
            organization=ORGANIZATION,
            sensor_count=0,
            cloud_connector_count=0,
            create_time=times.to_text(self._now()),
        )

    def _id(self) -> str:
        return new_id(self._now(), self._entropy(ENTROPY_BYTES))
