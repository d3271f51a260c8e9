"""Routes of service accounts and their keys."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws.vault import Vault
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.accounts import (
    AccountKey,
    ServiceAccount,
    email_of,
    key_name,
    new_secret,
)
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel import fields, times
from dataconnectors.kernel.errors import ConflictError, ForbiddenError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id
from dataconnectors.services.members import Members
from dataconnectors.store.accounts import AccountStore

COLLECTION = "/v2/projects/<project>/serviceaccounts"

TRIES = 5
"""Of a change that other writers of the same account got ahead of."""

_FIELDS = ("displayName", "enableBasicAuth")
_OUTPUT_ONLY = ("name", "email", "createTime", "updateTime")


class ServiceAccounts:
    """Service accounts of any project and their keys. Checks no permission."""

    def __init__(
        self,
        store: AccountStore,
        members: Members,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        """`entropy` gives random bytes."""
        self._store = store
        self._members = members
        self._vault = vault
        self._entropy = entropy

    def list_all(self, project: str) -> dict[str, Any]:
        """All accounts in one page: the SDK carries a page token over into its next list calls."""
        found = self._store.service_accounts(project)
        return {"serviceAccounts": [each.to_api() for each in found], "nextPageToken": ""}

    def find(self, project: str, account_id: str) -> ServiceAccount:
        """One account; `NotFoundError` when it is not there."""
        found = self._store.service_account(project, account_id) if is_id(account_id) else None
        if found is None:
            raise NotFoundError(f"projects/{project}/serviceaccounts/{account_id:.80} is not there")
        return found

    def create(self, project: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Make an account. It has no rights, not even here, until it is made a member."""
        account_id = self._id(actor)
        time_text = times.to_text(actor.now)
        account = _applied(
            fields.settable(body, _FIELDS, output_only=_OUTPUT_ONLY),
            ServiceAccount(
                project=project,
                id=account_id,
                email=email_of(account_id, project),
                display_name="",
                enable_basic_auth=False,
                create_time=time_text,
                update_time=time_text,
            ),
        )
        entry = actor.audit_entry("serviceaccount.create", account.name)
        self._store.create_service_account(account, entry)
        return account.to_api()

    def update(
        self, project: str, account_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Change the named fields, whatever others change at the same time."""
        given = fields.settable(body, _FIELDS, output_only=_OUTPUT_ONLY, mask=mask)
        for _ in range(TRIES):
            old = self.find(project, account_id)
            wanted = _applied(given, old)
            shown, before = wanted.to_api(), old.to_api()
            changed = tuple(name for name in _FIELDS if shown[name] != before[name])
            if not changed:
                return shown
            new = replace(wanted, update_time=times.to_text(actor.now), version=old.version + 1)
            entry = actor.audit_entry("serviceaccount.update", old.name, fields=changed)
            if self._store.update_service_account(old, new, entry):
                return new.to_api()
        raise ConflictError(f"{old.name} keeps being changed by others: read it and try again")

    def delete(self, project: str, account_id: str, actor: Actor) -> dict[str, Any]:
        """Delete an account with its keys and memberships.

        The memberships first: what fails in between can be repeated. Once more after it, for one
        that somebody gave it meanwhile: now nobody can any more.
        """
        for _ in range(TRIES):
            account = self.find(project, account_id)
            self._members.leave_all(account, actor)
            entry = actor.audit_entry("serviceaccount.delete", account.name)
            if self._store.delete_service_account(account, entry):
                self._members.leave_all(account, actor)
                return {}
        raise ConflictError(f"{account.name} keeps being changed by others: try again")

    def list_keys(self, project: str, account_id: str) -> dict[str, Any]:
        """All keys of an account in one page, oldest first."""
        account = self.find(project, account_id)
        return {
            "keys": [account.key_to_api(key_id) for key_id in sorted(account.keys)],
            "nextPageToken": "",
        }

    def get_key(self, project: str, account_id: str, key_id: str) -> dict[str, Any]:
        """One key, without its secret."""
        return self._account_with_key(project, account_id, key_id).key_to_api(key_id)

    def create_key(self, project: str, account_id: str, actor: Actor) -> dict[str, Any]:
        """Make a key; the answer is the only one that holds its secret."""
        account = self.find(project, account_id)
        secret = new_secret(self._entropy)
        key_id = self._id(actor)
        key = AccountKey(
            id=key_id,
            project=project,
            account=account_id,
            secret=self._vault.seal(secret.encode(), key_name(project, account_id, key_id)),
            create_time=times.to_text(actor.now),
        )
        entry = actor.audit_entry("serviceaccount.key.create", key.name)
        self._store.create_key(account, key, entry)
        shown = replace(account, keys={key_id: key.create_time}).key_to_api(key_id)
        return {"key": shown, "secret": secret}

    def delete_key(
        self, project: str, account_id: str, key_id: str, actor: Actor
    ) -> dict[str, Any]:
        """Revoke a key: what it is remembered for ends within half a minute."""
        account = self._account_with_key(project, account_id, key_id)
        entry = actor.audit_entry(
            "serviceaccount.key.delete", key_name(project, account_id, key_id)
        )
        self._store.delete_key(account, key_id, entry)
        return {}

    def _account_with_key(self, project: str, account_id: str, key_id: str) -> ServiceAccount:
        account = self.find(project, account_id)
        if key_id not in account.keys:
            raise NotFoundError(f"{account.name}/keys/{key_id:.80} is not there")
        return account

    def _id(self, actor: Actor) -> str:
        return new_id(actor.now, self._entropy(ENTROPY_BYTES))


def _applied(given: dict[str, Any], account: ServiceAccount) -> ServiceAccount:
    changed = account
    if "displayName" in given:
        changed = replace(changed, display_name=fields.display_name(given["displayName"]))
    if "enableBasicAuth" in given:
        enabled = fields.flag(given["enableBasicAuth"], "enableBasicAuth")
        changed = replace(changed, enable_basic_auth=enabled)
    return changed


def routes(service: ServiceAccounts, store: AccountStore, access: Access) -> Router:
    """`/v2/projects/{project}/serviceaccounts` and below."""
    router = Router()
    request = ApiRequest(router, access)
    account_path = COLLECTION + "/<account>"
    keys_path = account_path + "/keys"

    def change_of(project: str, account_id: str, permission: str) -> Actor:
        """A project's administrator must not become the organization's by a key of its account."""
        actor = request.project(project, permission)
        administers = store.roles(ORGANIZATION, service.find(project, account_id))
        organizes = roles.permits(
            access.roles(request.caller(), ORGANIZATION), "organization.update"
        )
        if administers and not organizes:
            raise ForbiddenError(
                f"projects/{project}/serviceaccounts/{account_id} administers {ORGANIZATION}: "
                "only its administrators change it"
            )
        return actor

    @router.get(COLLECTION)
    def list_service_accounts(project: str) -> dict[str, Any]:
        request.project(project, "serviceaccount.read")
        return service.list_all(project)

    @router.post(COLLECTION)
    def create_service_account(project: str) -> dict[str, Any]:
        actor = request.project(project, "serviceaccount.create")
        return service.create(project, request.body(), actor)

    @router.get(account_path)
    def get_service_account(project: str, account: str) -> dict[str, Any]:
        request.project(project, "serviceaccount.read")
        return service.find(project, account).to_api()

    @router.patch(account_path)
    def update_service_account(project: str, account: str) -> dict[str, Any]:
        actor = change_of(project, account, "serviceaccount.update")
        return service.update(project, account, request.body(), request.mask(), actor)

    @router.delete(account_path)
    def delete_service_account(project: str, account: str) -> dict[str, Any]:
        actor = change_of(project, account, "serviceaccount.delete")
        return service.delete(project, account, actor)

    @router.get(keys_path)
    def list_keys(project: str, account: str) -> dict[str, Any]:
        request.project(project, "serviceaccount.key.read")
        return service.list_keys(project, account)

    @router.post(keys_path)
    def create_key(project: str, account: str) -> dict[str, Any]:
        actor = change_of(project, account, "serviceaccount.key.create")
        return service.create_key(project, account, actor)

    @router.get(keys_path + "/<key>")
    def get_key(project: str, account: str, key: str) -> dict[str, Any]:
        request.project(project, "serviceaccount.key.read")
        return service.get_key(project, account, key)

    @router.delete(keys_path + "/<key>")
    def delete_key(project: str, account: str, key: str) -> dict[str, Any]:
        actor = change_of(project, account, "serviceaccount.key.delete")
        return service.delete_key(project, account, key, actor)

    return router
