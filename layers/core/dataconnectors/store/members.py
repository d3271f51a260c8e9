"""Members in DynamoDB: by project or organization, and the other way round by member."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dataconnectors.identity.accounts import ServiceAccount
from dataconnectors.identity.audit import AuditEntry
from dataconnectors.identity.members import MAXIMUM_MEMBERS, Member
from dataconnectors.kernel.errors import BadRequestError, ConflictError, NotFoundError
from dataconnectors.store import keys
from dataconnectors.store.accounts import read_account
from dataconnectors.store.audit import put_audit_entries
from dataconnectors.store.table import Item, Table


@dataclass(frozen=True, slots=True)
class Membership:
    """What somebody is a member of and with which roles.

    `parent` is `projects/{id}` or `organizations/{id}`. `accept_time` is the member's.
    """

    parent: str
    roles: tuple[str, ...]
    accept_time: str = ""


class MemberStore:
    """The members of projects and of the organization."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def add(self, member: Member, account: ServiceAccount | None, entry: AuditEntry) -> None:
        """Put a member, and count it in its project or organization.

        `account` is the service account that must still exist, or None. Raises `ConflictError` when
        there is such a member already, `NotFoundError` when there is no such project, and
        `BadRequestError` when the account is gone, or there are `MAXIMUM_MEMBERS` already.
        """
        actions = [
            *put_member(self._table, member),
            self._table.count(keys.parent_key(member.parent), "memberCount", MAXIMUM_MEMBERS),
            *put_audit_entries(self._table, entry),
        ]
        if account is not None:
            actions.append(
                self._table.check(
                    keys.service_account_key(account.project, account.id), "attribute_exists(pk)"
                )
            )
        failed = self._table.try_transaction(actions)
        if failed is None:
            return
        if failed == 0:
            raise ConflictError(f"{member.email} is a member of {member.parent} already")
        if failed == len(actions) - 1:
            raise BadRequestError(f"email: no service account has {member.email}")
        if self._table.get(keys.parent_key(member.parent)) is None:
            raise NotFoundError(f"{member.parent} is not there")
        raise BadRequestError(f"{member.parent} takes {MAXIMUM_MEMBERS} members at most")

    def members(self, parent: str) -> list[Member]:
        """All members. Their display names come from the project's accounts, in the same read."""
        return _read(parent, self._table.query(keys.access_partition(parent)))

    def member(self, parent: str, member_id: str) -> Member | None:
        """A member; None when it does not exist."""
        wanted = [keys.member_key(parent, member_id)]
        kind, _, name = parent.partition("/")
        if kind == "projects":
            wanted.append(keys.service_account_key(name, member_id))
        found = _read(parent, self._table.batch_get(wanted))
        return found[0] if found else None

    def memberships(self, member_id: str) -> list[Membership]:
        """What somebody is a member of."""
        return [
            Membership(
                item["sk"]["S"],
                tuple(role["S"] for role in item["roles"]["L"]),
                item.get("acceptTime", {}).get("S", ""),
            )
            for item in self._table.query(keys.membership_partition(member_id))
        ]

    def set_roles(self, member: Member, roles: tuple[str, ...], entry: AuditEntry) -> bool:
        """Replace a member's roles; False when they are no longer `member.roles`."""
        failed = self._table.try_transaction(
            [
                self._set_roles(keys.member_key(member.parent, member.id), member.roles, roles),
                self._set_roles(keys.membership_key(member.id, member.parent), member.roles, roles),
                *put_audit_entries(self._table, entry),
            ]
        )
        return failed is None

    def accept(self, parent: str, member_id: str, time_text: str, entry: AuditEntry) -> bool:
        """Note the first sign-in of a member; False when they are none any more."""
        failed = self._table.try_transaction(
            [
                self._accept(keys.member_key(parent, member_id), time_text),
                self._accept(keys.membership_key(member_id, parent), time_text),
                *put_audit_entries(self._table, entry),
            ]
        )
        return failed is None

    def remove(self, member: Member, entry: AuditEntry) -> None:
        """Delete a member, and uncount it; `NotFoundError` when it does not exist."""
        failed = self._table.try_transaction(
            [
                self._table.delete(
                    keys.member_key(member.parent, member.id), "attribute_exists(pk)"
                ),
                self._table.delete(keys.membership_key(member.id, member.parent)),
                self._table.add(keys.parent_key(member.parent), "memberCount", -1),
                *put_audit_entries(self._table, entry),
            ]
        )
        if failed is not None:
            raise NotFoundError(f"{member.name} is not there")

    def _accept(self, key: Item, time_text: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": key,
                "UpdateExpression": "SET acceptTime = :time",
                "ConditionExpression": "attribute_exists(pk) AND attribute_not_exists(acceptTime)",
                "ExpressionAttributeValues": {":time": {"S": time_text}},
            }
        }

    def _set_roles(
        self, key: Item, before: tuple[str, ...], roles: tuple[str, ...]
    ) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table.name,
                "Key": key,
                "UpdateExpression": "SET #roles = :roles",
                "ConditionExpression": "#roles = :before",
                "ExpressionAttributeNames": {"#roles": "roles"},
                "ExpressionAttributeValues": {":roles": _roles(roles), ":before": _roles(before)},
            }
        }


def put_member(table: Table, member: Member) -> list[dict[str, Any]]:
    """The actions that put a member and its membership; the first fails when the member exists."""
    roles = {"roles": _roles(member.roles)}
    return [
        table.put(
            keys.member_key(member.parent, member.id)
            | {"email": {"S": member.email}, "createTime": {"S": member.create_time}}
            | roles,
            "attribute_not_exists(pk)",
        ),
        table.put(keys.membership_key(member.id, member.parent) | roles, ""),
    ]


def _roles(roles: Iterable[str]) -> dict[str, Any]:
    return {"L": [{"S": role} for role in roles]}


def _read(parent: str, items: list[Item]) -> list[Member]:
    """The members among the items, with the display names of the service accounts among them."""
    names = {}
    for item in items:
        if item["sk"]["S"].startswith("SERVICEACCOUNT#"):
            account = read_account(parent.partition("/")[2], item)
            names[account.email] = account.display_name
    return [
        Member(
            parent=parent,
            id=item["sk"]["S"].removeprefix("MEMBER#"),
            email=item["email"]["S"],
            roles=tuple(role["S"] for role in item["roles"]["L"]),
            create_time=item["createTime"]["S"],
            display_name=names.get(item["email"]["S"], ""),
            accept_time=item.get("acceptTime", {}).get("S", ""),
        )
        for item in items
        if item["sk"]["S"].startswith("MEMBER#")
    ]
