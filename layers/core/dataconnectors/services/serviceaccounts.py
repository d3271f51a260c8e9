"""Service accounts and their keys."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dataconnectors.aws.vault import Vault
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
from dataconnectors.kernel.errors import ConflictError, NotFoundError
from dataconnectors.kernel.ids import ENTROPY_BYTES, is_id, new_id
from dataconnectors.services.lists import ListRequest
from dataconnectors.services.members import MemberService
from dataconnectors.store.accounts import AccountStore

TRIES = 5
"""How often a change is tried when other writers of the same account get in first."""

_FIELDS = ("displayName", "enableBasicAuth")
_OUTPUT_ONLY = ("name", "email", "createTime", "updateTime")


class ServiceAccountService:
    """Service accounts of any project and their keys. Checks no permission."""

    def __init__(
        self,
        store: AccountStore,
        members: MemberService,
        vault: Vault,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        """`entropy` gives random bytes."""
        self._store = store
        self._members = members
        self._vault = vault
        self._entropy = entropy

    def page(self, project: str, wanted: ListRequest) -> dict[str, Any]:
        """A page of the service accounts of a project, in the order of their ids."""
        return wanted.page(
            self._store.service_accounts(project),
            key=lambda account: account.id,
            show=ServiceAccount.to_api,
        )

    def get(self, project: str, account_id: str) -> dict[str, Any]:
        """One account; raises `NotFoundError`."""
        return self._find(project, account_id).to_api()

    def administers_organization(self, project: str, account_id: str) -> bool:
        """Whether an account has a role in the organization; raises `NotFoundError`."""
        return bool(self._store.roles(ORGANIZATION, self._find(project, account_id)))

    def create(self, project: str, body: Any, actor: Actor) -> dict[str, Any]:
        """Create an account. It has no rights anywhere until it is made a member."""
        account_id = self._new_id(actor)
        time_text = times.to_text(actor.now)
        account = _with_settings(
            fields.values_to_set(body, _FIELDS, output_only=_OUTPUT_ONLY),
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
        """Change the given fields, and keep what others change at the same time."""
        given = fields.values_to_set(body, _FIELDS, output_only=_OUTPUT_ONLY, mask=mask)
        for _ in range(TRIES):
            old = self._find(project, account_id)
            wanted = _with_settings(given, old)
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

        Memberships are ended before the account is deleted, so that a call that failed in between
        can be repeated. They are ended again afterwards, because somebody may have added the
        account to a project in the meantime; once it is deleted, nobody can.
        """
        for _ in range(TRIES):
            account = self._find(project, account_id)
            self._members.leave_all(account, actor)
            entry = actor.audit_entry("serviceaccount.delete", account.name)
            if self._store.delete_service_account(account, entry):
                self._members.leave_all(account, actor)
                return {}
        raise ConflictError(f"{account.name} keeps being changed by others: try again")

    def page_of_keys(self, project: str, account_id: str, wanted: ListRequest) -> dict[str, Any]:
        """A page of the keys of an account, oldest first: ids of keys sort by time."""
        account = self._find(project, account_id)
        return wanted.page(account.keys, key=str, show=account.key_to_api)

    def get_key(self, project: str, account_id: str, key_id: str) -> dict[str, Any]:
        """One key, without its secret; raises `NotFoundError`."""
        return self._account_with_key(project, account_id, key_id).key_to_api(key_id)

    def create_key(self, project: str, account_id: str, actor: Actor) -> dict[str, Any]:
        """Create a key. No other answer ever shows its secret."""
        account = self._find(project, account_id)
        secret = new_secret(self._entropy)
        key_id = self._new_id(actor)
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
        """Revoke a key. Functions that remember it stop accepting it within half a minute."""
        account = self._account_with_key(project, account_id, key_id)
        entry = actor.audit_entry(
            "serviceaccount.key.delete", key_name(project, account_id, key_id)
        )
        self._store.delete_key(account, key_id, entry)
        return {}

    def _account_with_key(self, project: str, account_id: str, key_id: str) -> ServiceAccount:
        account = self._find(project, account_id)
        if key_id not in account.keys:
            raise NotFoundError(f"{account.name}/keys/{key_id:.80} is not there")
        return account

    def _find(self, project: str, account_id: str) -> ServiceAccount:
        found = self._store.service_account(project, account_id) if is_id(account_id) else None
        if found is None:
            raise NotFoundError(f"projects/{project}/serviceaccounts/{account_id:.80} is not there")
        return found

    def _new_id(self, actor: Actor) -> str:
        return new_id(actor.now, self._entropy(ENTROPY_BYTES))


def _with_settings(given: dict[str, Any], account: ServiceAccount) -> ServiceAccount:
    """The account with the fields that a body sets; raises `BadRequestError`."""
    changed = account
    if "displayName" in given:
        changed = replace(changed, display_name=fields.display_name(given["displayName"]))
    if "enableBasicAuth" in given:
        enabled = fields.boolean(given["enableBasicAuth"], "enableBasicAuth")
        changed = replace(changed, enable_basic_auth=enabled)
    return changed
