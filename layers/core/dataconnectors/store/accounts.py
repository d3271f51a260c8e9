"""Service accounts and their keys in DynamoDB, and the roles that an account has."""

from collections.abc import Mapping
from typing import Any

from dataconnectors.identity.accounts import (
    MAXIMUM_ACCOUNTS,
    MAXIMUM_KEYS,
    AccountKey,
    ServiceAccount,
)
from dataconnectors.identity.audit import AuditEntry
from dataconnectors.identity.people import Person
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel.errors import BadRequestError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.table import Item, Table

_KEYS: Mapping[str, str] = {"#keys": "keys"}
"""Stands for `keys` in expressions, where that is a reserved word."""


class AccountStore:
    """Service accounts and their keys."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_service_account(self, account: ServiceAccount, entry: AuditEntry) -> None:
        """Put an account without keys, and count it in its project.

        Raises `NotFoundError` when there is no such project, and `BadRequestError` when the project
        has `MAXIMUM_ACCOUNTS` already.
        """
        failed = self._table.try_transaction(
            [
                self._table.put(account_item(account), "attribute_not_exists(pk)"),
                self._table.count(
                    keys.project_key(account.project), "serviceAccountCount", MAXIMUM_ACCOUNTS
                ),
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is None:
            return
        if self._table.get(keys.project_key(account.project)) is None:
            raise NotFoundError(f"projects/{account.project} is not there")
        raise BadRequestError(f"a project has {MAXIMUM_ACCOUNTS} service accounts at most")

    def service_account(self, project_id: str, account_id: str) -> ServiceAccount | None:
        """A service account; None when it does not exist."""
        item = self._table.get(keys.service_account_key(project_id, account_id))
        return None if item is None else read_account(project_id, item)

    def service_accounts(self, project_id: str) -> list[ServiceAccount]:
        """All service accounts of a project."""
        items = self._table.query(keys.access_partition(f"projects/{project_id}"), "SERVICEACCOUNT")
        return [read_account(project_id, item) for item in items]

    def update_service_account(
        self, old: ServiceAccount, new: ServiceAccount, entry: AuditEntry
    ) -> bool:
        """Replace `old` by `new`; False when the stored account is no longer `old`."""
        failed = self._table.try_transaction(
            [
                self._table.put(
                    account_item(new), "version = :version", {":version": {"N": str(old.version)}}
                ),
                *put_audit_entries(self._table, entry),
            ]
        )
        return failed is None

    def delete_service_account(self, account: ServiceAccount, entry: AuditEntry) -> bool:
        """Delete an account with all its keys; False when it was changed since it was read."""
        failed = self._table.try_transaction(
            [
                self._table.delete(
                    keys.service_account_key(account.project, account.id),
                    "version = :version",
                    {":version": {"N": str(account.version)}},
                ),
                self._table.add(keys.project_key(account.project), "serviceAccountCount", -1),
                *(
                    self._table.delete(keys.primary_key_of_account_key(key_id))
                    for key_id in account.keys
                ),
                *put_audit_entries(self._table, entry),
            ]
        )
        return failed is None

    def create_key(self, account: ServiceAccount, key: AccountKey, entry: AuditEntry) -> None:
        """Put a key, and add its id to its account.

        Raises `NotFoundError` when the account is gone, and `BadRequestError` when it has
        `MAXIMUM_KEYS` already.
        """
        update = self._account_update(
            account,
            "SET #keys.#key = :time ADD version :one",
            "attribute_exists(pk) AND size(#keys) < :maximum",
            key.id,
            {":time": {"S": key.create_time}, ":maximum": {"N": str(MAXIMUM_KEYS)}},
        )
        failed = self._table.try_transaction(
            [
                self._table.put(key_item(key), "attribute_not_exists(pk)"),
                update,
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is None:
            return
        if self.service_account(account.project, account.id) is None:
            raise NotFoundError(f"{account.name} is not there")
        raise BadRequestError(f"{account.name} has {MAXIMUM_KEYS} keys: delete one first")

    def delete_key(self, account: ServiceAccount, key_id: str, entry: AuditEntry) -> None:
        """Delete a key; `NotFoundError` when it does not exist."""
        update = self._account_update(
            account,
            "REMOVE #keys.#key ADD version :one",
            "attribute_exists(#keys.#key)",
            key_id,
            {},
        )
        failed = self._table.try_transaction(
            [
                self._table.delete(keys.primary_key_of_account_key(key_id)),
                update,
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is not None:
            raise NotFoundError(f"{account.name}/keys/{key_id} is not there")

    def caller(self, key_id: str) -> tuple[AccountKey, ServiceAccount] | None:
        """A key and its account; None unless both exist, and the account's project too.

        The project is checked so that its accounts stop working in the moment when it is deleted,
        even though they are deleted later.
        """
        item = self._table.get(keys.primary_key_of_account_key(key_id))
        if item is None:
            return None
        key = _account_key(key_id, item)
        found = self._table.batch_get(
            [keys.project_key(key.project), keys.service_account_key(key.project, key.account)]
        )
        if len(found) != 2:
            return None
        (account,) = (entry for entry in found if entry["sk"]["S"] != "PROJECT")
        return key, read_account(key.project, account)

    def is_member(self, member_id: str) -> bool:
        """Whether anybody has this id as a member of anything."""
        found, _ = self._table.page(keys.membership_partition(member_id), *keys.PARENTS, limit=1)
        return bool(found)

    def roles(self, parent: str, account: ServiceAccount | Person) -> tuple[str, ...]:
        """The roles of an account or person in a project or the organization, in one read.

        Roles in the organization apply to each of its projects. In a project that does not exist
        nobody has a role.
        """
        wanted = [keys.parent_key(parent), keys.member_key(parent, account.id)]
        if parent != ORGANIZATION:
            wanted.append(keys.member_key(ORGANIZATION, account.id))
        items = self._table.batch_get(wanted)
        if not any(item["sk"]["S"] in ("PROJECT", "ORGANIZATION") for item in items):
            return ()
        return tuple(
            role["S"]
            for item in items
            if item.get("email", {}).get("S") == account.email
            for role in item["roles"]["L"]
        )

    def _account_update(
        self,
        account: ServiceAccount,
        expression: str,
        condition: str,
        key_id: str,
        values: Mapping[str, Any],
    ) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": keys.service_account_key(account.project, account.id),
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {**_KEYS, "#key": key_id},
                "ExpressionAttributeValues": {":one": {"N": "1"}, **values},
            }
        }


def account_item(account: ServiceAccount) -> Item:
    """The item of a service account."""
    return keys.service_account_key(account.project, account.id) | {
        "email": {"S": account.email},
        "displayName": {"S": account.display_name},
        "enableBasicAuth": {"BOOL": account.enable_basic_auth},
        "createTime": {"S": account.create_time},
        "updateTime": {"S": account.update_time},
        "keys": {"M": {key_id: {"S": time} for key_id, time in account.keys.items()}},
        "version": {"N": str(account.version)},
    }


def key_item(key: AccountKey) -> Item:
    """The item of a service account's key."""
    return keys.primary_key_of_account_key(key.id) | {
        "project": {"S": key.project},
        "account": {"S": key.account},
        "secret": {"B": key.secret},
        "createTime": {"S": key.create_time},
    }


def read_account(project_id: str, item: Item) -> ServiceAccount:
    """The service account of an item."""
    return ServiceAccount(
        project=project_id,
        id=item["sk"]["S"].removeprefix("SERVICEACCOUNT#"),
        email=item["email"]["S"],
        display_name=item["displayName"]["S"],
        enable_basic_auth=item["enableBasicAuth"]["BOOL"],
        create_time=item["createTime"]["S"],
        update_time=item["updateTime"]["S"],
        keys={key_id: time["S"] for key_id, time in item["keys"]["M"].items()},
        version=int(item["version"]["N"]),
    )


def _account_key(key_id: str, item: Item) -> AccountKey:
    return AccountKey(
        id=key_id,
        project=item["project"]["S"],
        account=item["account"]["S"],
        secret=bytes(item["secret"]["B"]),
        create_time=item["createTime"]["S"],
    )
