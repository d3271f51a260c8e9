"""How a project's first administrator comes to be."""

import base64
from collections.abc import Callable
from typing import Any

from dataconnectors import roles, times
from dataconnectors.accounts import AccountKey, ServiceAccount
from dataconnectors.errors import BadRequestError, NotFoundError
from dataconnectors.events import is_id
from dataconnectors.ids import ENTROPY_BYTES, new_id
from dataconnectors.projects import ORGANIZATION, Project
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.projects import ProjectStore
from dataconnectors.tokens import ALGORITHM
from dataconnectors.vault import Vault

EMAIL_DOMAIN = "serviceaccount.d21s.com"
"""What the vendor's service accounts end in; no mail is sent there."""

SECRET_BYTES = 32
"""256 random bits in a key's secret."""

LONGEST_DISPLAY_NAME = 256


class Founding:
    """Makes a project's administrator: for the deployer, who needs no account to do so."""

    def __init__(
        self,
        projects: ProjectStore,
        accounts: AccountStore,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`entropy` gives random bytes, `now` epoch seconds."""
        self._projects = projects
        self._accounts = accounts
        self._vault = vault
        self._entropy = entropy
        self._now = now

    def found(self, request: Any) -> dict[str, Any]:
        """A service account that administers a project, with its secret, which is shown once.

        `request` is `{"displayName"?, "project"?, "tokenEndpoint"?}`: without `project` a new one
        is made, with it the account joins that one. Answers `{"project", "serviceAccount"}`,
        the latter as the vendor SDK's credentials file holds it.
        """
        if not isinstance(request, dict):
            raise BadRequestError('expected {"displayName": …, "tokenEndpoint": …}')
        fields = {name: request.get(name, "") for name in ("displayName", "project")}
        fields["tokenEndpoint"] = request.get("tokenEndpoint", "")
        for name, value in fields.items():
            if not isinstance(value, str) or len(value) > LONGEST_DISPLAY_NAME:
                raise BadRequestError(f"{name}: expected a text")
        project = fields["project"] or self._create_project(fields["displayName"])
        if not is_id(project) or self._projects.project(project) is None:
            raise NotFoundError(f"projects/{project:.80} is not there")
        account_id = self._id()
        account = ServiceAccount(
            project=project,
            id=account_id,
            email=f"{account_id}@{project}.{EMAIL_DOMAIN}",
            display_name="Administrator",
            enable_basic_auth=True,
            create_time=times.to_text(self._now()),
        )
        secret = base64.urlsafe_b64encode(self._entropy(SECRET_BYTES)).decode().rstrip("=")
        key_id = self._id()
        key_name = f"projects/{project}/serviceaccounts/{account_id}/keys/{key_id}"
        key = AccountKey(
            id=key_id,
            project=project,
            account=account_id,
            secret=self._vault.seal(secret.encode(), key_name),
            create_time=account.create_time,
        )
        self._accounts.create_service_account(account, key, [roles.ADMIN])
        return {
            "project": project,
            "serviceAccount": {
                "keyId": key.id,
                "secret": secret,
                "email": account.email,
                "algorithm": ALGORITHM,
                "tokenEndpoint": fields["tokenEndpoint"],
            },
        }

    def _create_project(self, display_name: str) -> str:
        project = Project(
            id=self._id(),
            display_name=display_name,
            organization=ORGANIZATION,
            sensor_count=0,
            cloud_connector_count=0,
            create_time=times.to_text(self._now()),
        )
        self._projects.create_project(project)
        return project.id

    def _id(self) -> str:
        return new_id(self._now(), self._entropy(ENTROPY_BYTES))
