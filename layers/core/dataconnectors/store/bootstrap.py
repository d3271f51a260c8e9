"""A first administrator in DynamoDB: everything that one is made of, in one transaction."""

from typing import Any

from dataconnectors.identity.bootstrap import NewAdministrator
from dataconnectors.kernel.errors import ConflictError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.accounts import account_item, key_item
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.members import put_member
from dataconnectors.store.projects import put_project
from dataconnectors.store.table import Table


class BootstrapStore:
    """Writes administrators that nobody has to be there to approve."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_organization(self, organization: str) -> bool:
        """Whether the organization has had its first administrator."""
        return self._table.get(keys.organization_key(organization)) is not None

    def add(self, administrator: NewAdministrator, new_organization: str = "") -> None:
        """All of it or nothing; `NotFoundError` when the project to join is not there.

        `new_organization` is made with it, and `ConflictError` says that somebody else just did.
        """
        table, account = self._table, administrator.account
        actions = []
        if new_organization:
            organization = keys.organization_key(new_organization) | {"memberCount": {"N": "1"}}
            actions.append(table.put(organization, "attribute_not_exists(pk)"))
        if administrator.project is not None:
            actions += put_project(table, administrator.project, accounts=1)
        else:
            actions.append(_join(table, account.project))
        actions += [
            table.put(account_item(account), "attribute_not_exists(pk)"),
            table.put(key_item(administrator.key), "attribute_not_exists(pk)"),
        ]
        for member in administrator.members:
            actions += put_member(table, member)
            if member.parent not in (new_organization, f"projects/{account.project}"):
                actions.append(table.add(keys.parent_key(member.parent), "memberCount", 1))
        actions += put_audit_entries(table, *administrator.entries)
        failed = table.try_transaction(actions)
        if failed == 0 and new_organization:
            raise ConflictError(
                f"another call has just made the first administrator of {new_organization}: repeat"
            )
        if failed is not None:
            raise NotFoundError(f"projects/{account.project} is not there")


def _join(table: Table, project_id: str) -> dict[str, Any]:
    """Counts one more account, which is a member; fails without the project."""
    join = table.add(keys.project_key(project_id), "memberCount", 1)
    join["Update"]["UpdateExpression"] += ", serviceAccountCount :change"
    return join
