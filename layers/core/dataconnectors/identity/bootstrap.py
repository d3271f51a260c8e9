"""How a first administrator comes to be: of the deployment, and of each project."""

from collections.abc import Callable
from typing import Any

from dataconnectors.aws.vault import Vault
from dataconnectors.events.event import is_id
from dataconnectors.identity import roles
from dataconnectors.identity.accounts import (
    AccountKey,
    ServiceAccount,
    email_of,
    key_name,
    new_secret,
)
from dataconnectors.identity.audit import Author
from dataconnectors.identity.members import Member
from dataconnectors.identity.projects import ORGANIZATION, Project
from dataconnectors.identity.tokens import ALGORITHM
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.store.bootstrap import Foundation, FoundingStore

LONGEST_TEXT = 256

DEPLOYER = "deployer"
"""Who founds, in the audit log. Which person it was is in AWS CloudTrail: IAM let them in."""


class Founding:
    """Makes administrators: for the deployer, who needs no account to do so."""

    def __init__(
        self,
        store: FoundingStore,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds."""
        self._store = store
        self._vault = vault
        self._entropy = entropy
        self._now = now

    def found(self, request: Any) -> dict[str, Any]:
        """A service account that administers a project, with its secret, which is shown once.

        `request` is `{"displayName"?, "project"?, "tokenEndpoint"?, "organizationAdmin"?}`:
        without `project` a new one is made, with it the account joins that one. The first account
        of a deployment administers the organization too, later ones only when asked for: projects
        of different customers must not see each other.
        Answers `{"project", "serviceAccount"}`, the latter as the vendor SDK's credentials file
        holds it.
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

        is_first = not self._store.has_organization(ORGANIZATION)
        project_id = joined or self._id()
        project = None if joined else self._project(project_id, request.get("displayName", ""))
        secret = new_secret(self._entropy)
        foundation = self._foundation(
            project_id,
            project,
            secret,
            administers_all=is_first or request.get("organizationAdmin", False),
        )
        self._store.found(foundation, ORGANIZATION if is_first else "")
        return {
            "project": project_id,
            "serviceAccount": {
                "keyId": foundation.key.id,
                "secret": secret,
                "email": foundation.account.email,
                "algorithm": ALGORITHM,
                "tokenEndpoint": request.get("tokenEndpoint", ""),
            },
        }

    def _foundation(
        self, project_id: str, project: Project | None, secret: str, *, administers_all: bool
    ) -> Foundation:
        now = self._now()
        author = Author(DEPLOYER, "", "", now, self._id())
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
        changes = [
            author.change("serviceaccount.create", account.name),
            author.change("serviceaccount.key.create", key.name),
        ]
        for member in members:
            action = "membership.create" if member.parent != ORGANIZATION else "organization.update"
            changes.append(author.change(action, member.name, details=member.shown))
        if project is not None:
            changes.append(author.change("project.create", project.name))
            changes.append(author.change("project.create", project.name, log=ORGANIZATION))
        return Foundation(project, account, key, members, tuple(changes))

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
