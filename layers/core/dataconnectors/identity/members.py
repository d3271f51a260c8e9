"""Members: who has which roles in a project or in the organization."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dataconnectors.identity import accounts
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import derived_id

ACCEPT = "membership.accept"
"""The action in the audit log of a person's first sign-in as a member. It takes no permission."""

MAXIMUM_MEMBERS = 1000
"""Members of a project: as many as it may have service accounts, and few enough for one page of a
list."""

LONGEST_EMAIL = 254
"""Characters. RFC 5321 (4.5.3.1.3) leaves no room for more: a path has 256, with its brackets."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of `parent`, which is `projects/{id}` or `organizations/{id}`.

    `display_name` is the service account's. It is known only for accounts of the same project, so
    that no project learns anything about another project's accounts. `accept_time` is when a person
    signed in for the first time since they were invited, "" before that and for service accounts.
    """

    parent: str
    id: str
    email: str
    roles: tuple[str, ...]
    create_time: str
    display_name: str = ""
    accept_time: str = ""

    @property
    def name(self) -> str:
        """The resource name: `{parent}/members/{id}`."""
        return f"{self.parent}/members/{self.id}"

    @property
    def is_service_account(self) -> bool:
        """Whether it is a service account, and not a person."""
        return accounts.account_of(self.email) is not None

    @property
    def audit_details(self) -> dict[str, Any]:
        """The `details` of audit entries about the member, which explain them after its removal."""
        return {"email": self.email, "roles": list(self.roles)}

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it. Only a person has an invitation to accept."""
        is_accepted = self.is_service_account or self.accept_time
        return {
            "name": self.name,
            "displayName": self.display_name,
            "roles": list(self.roles),
            "status": "ACCEPTED" if is_accepted else "PENDING",
            "email": self.email,
            "accountType": "SERVICE_ACCOUNT" if self.is_service_account else "USER",
            "createTime": self.create_time,
        }


def member_id(email: str) -> str:
    """A member's id: a service account's own one, or for a person one that is made of the email."""
    account = accounts.account_of(email)
    return account[1] if account is not None else derived_id(email)


def parse_email(value: Any) -> str:
    """An email in lower case, in which form it is stored and compared; raises `BadRequestError`."""
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise BadRequestError("email: expected an email address in ASCII")
    name, at, domain = value.rpartition("@")
    if not (name and at and domain) or " " in value or len(value) > LONGEST_EMAIL:
        raise BadRequestError("email: expected an email address such as name@example.com")
    return value.lower()


def parse_roles(value: Any, allowed: Sequence[str]) -> tuple[str, ...]:
    """The roles that a request gives: at least one, all `allowed`; raises `BadRequestError`."""
    if not isinstance(value, list) or not value:
        raise BadRequestError(f"roles: expected a list of {', '.join(allowed)}")
    for role in value:
        if role not in allowed:
            raise BadRequestError(f"roles: {role!r:.60} is not one of {', '.join(allowed)}")
    return tuple(dict.fromkeys(value))
