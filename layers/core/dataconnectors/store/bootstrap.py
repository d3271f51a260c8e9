"""A first administrator in DynamoDB: everything that one is made of, in one transaction."""

from dataclasses import dataclass
from typing import Any

from dataconnectors.identity.accounts import AccountKey, ServiceAccount
from dataconnectors.identity.audit import Change
from dataconnectors.identity.members import Member
from dataconnectors.identity.projects import Project
from dataconnectors.kernel.errors import ConflictError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.accounts import account_item, key_item
from dataconnectors.store.audit import put_changes
from dataconnectors.store.members import put_member
from dataconnectors.store.projects import put_project
from dataconnectors.store.table import Table


@dataclass(frozen=True, slots=True)
class Foundation:
    """An administrator to be. `project` is None when the account joins one that exists."""

    project: Project | None
    account: ServiceAccount
    key: AccountKey
    members: tuple[Member, ...]
    changes: tuple[Change, ...]


class FoundingStore:
    """Makes administrators out of nothing."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_organization(self, organization: str) -> bool:
        """Whether the organization has had its first administrator."""
        return self._table.get(keys.organization_key(organization)) is not None

    def found(self, foundation: Foundation, new_organization: str = "") -> None:
        """All of it or nothing; `NotFoundError` when the project to join is not there.

        `new_organization` is made with it, and `ConflictError` says that somebody else just did.
        """
        table, account = self._table, foundation.account
        actions = []
        if new_organization:
            organization = keys.organization_key(new_organization) | {"memberCount": {"N": "1"}}
            actions.append(table.put(organization, "attribute_not_exists(pk)"))
        if foundation.project is not None:
            actions += put_project(table, foundation.project, accounts=1)
        else:
            actions.append(_join(table, account.project))
        actions += [
            table.put(account_item(account), "attribute_not_exists(pk)"),
            table.put(key_item(foundation.key), "attribute_not_exists(pk)"),
        ]
        for member in foundation.members:
            actions += put_member(table, member)
            if member.parent not in (new_organization, f"projects/{account.project}"):
                actions.append(table.add(keys.parent_key(member.parent), "memberCount", 1))
        actions += put_changes(table, *foundation.changes)
        failed = table.attempt(actions)
        if failed == 0 and new_organization:
            raise ConflictError(f"{new_organization} was just founded by another call: repeat this")
        if failed is not None:
            raise NotFoundError(f"projects/{account.project} is not there")


def _join(table: Table, project_id: str) -> dict[str, Any]:
    """Counts one more account, which is a member; fails without the project."""
    join = table.add(keys.project_key(project_id), "memberCount", 1)
    join["Update"]["UpdateExpression"] += ", serviceAccountCount :change"
    return join
