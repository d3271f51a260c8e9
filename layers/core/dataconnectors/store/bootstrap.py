"""A new administrator in DynamoDB: everything that is stored for one, in one transaction."""

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
    """Writes new administrators, without asking who is calling."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def has_organization(self, organization: str) -> bool:
        """Whether the organization has its first administrator already."""
        return self._table.get(keys.organization_key(organization)) is not None

    def add(self, administrator: NewAdministrator, new_organization: str = "") -> None:
        """Write everything or nothing; `NotFoundError` when there is no project to join.

        Unless it is "", `new_organization` is made in the same transaction. `ConflictError` says
        that another call has just made it.
        """
        table, account = self._table, administrator.account
        actions = []
        if new_organization:
            organization = keys.organization_key(new_organization) | {"memberCount": {"N": "1"}}
            actions.append(table.put(organization, "attribute_not_exists(pk)"))
        if administrator.project is not None:
            actions += put_project(table, administrator.project, accounts=1)
        else:
            actions.append(_count_account(table, account.project))
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


def _count_account(table: Table, project_id: str) -> dict[str, Any]:
    """The action that counts one more service account, which is also a member, in its project."""
    action = table.add(keys.project_key(project_id), "memberCount", 1)
    action["Update"]["UpdateExpression"] += ", serviceAccountCount :change"
    return action
