"""The roles, and which permissions each of them includes.

An administrator may create and delete connectors; a developer may change them. The permissions
`event.publish`, `audit.read` and `dataconnector.expired.read` are ours: the vendor has none for
these actions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

USER = "roles/project.user"
DEVELOPER = "roles/project.developer"
ADMIN = "roles/project.admin"
PUBLISHER = "roles/project.publisher"
ORGANIZATION_ADMIN = "roles/organization.admin"

_PUBLISHES = frozenset({"event.publish"})

_READS = frozenset(
    {
        "project.read",
        "membership.read",
        "sensor.read",
        "device.read",
        "dataconnector.read",
        "serviceaccount.read",
        "serviceaccount.key.read",
        "emulator.read",
    }
)

_DEVELOPS = (
    _READS
    | _PUBLISHES
    | {
        "sensor.update",
        "device.update",
        "dataconnector.update",
        "dataconnector.expired.read",
        "emulator.create",
        "emulator.update",
        "emulator.delete",
    }
)

_ADMINISTERS = _DEVELOPS | {
    "project.update",
    "project.delete",
    "dataconnector.create",
    "dataconnector.delete",
    "membership.create",
    "membership.update",
    "membership.delete",
    "serviceaccount.create",
    "serviceaccount.update",
    "serviceaccount.delete",
    "serviceaccount.key.create",
    "serviceaccount.key.delete",
    "device.transfer",
    "audit.read",
}

_ORGANIZES = _ADMINISTERS | {"project.create", "organization.read", "organization.update"}


@dataclass(frozen=True, slots=True)
class Role:
    """A role as `/roles` shows it; `name` is `roles/{role}`."""

    name: str
    display_name: str
    description: str
    permissions: frozenset[str]

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it."""
        return {
            "name": self.name,
            "displayName": self.display_name,
            "description": self.description,
            "permissions": sorted(self.permissions),
        }


ROLES: Mapping[str, Role] = {
    role.name: role
    for role in (
        Role(USER, "Project user", "Reads everything in the project.", _READS),
        Role(
            DEVELOPER,
            "Project developer",
            "Reads everything, changes connectors, devices and labels, and publishes events.",
            _DEVELOPS,
        ),
        Role(
            ADMIN,
            "Project administrator",
            "Also creates and deletes connectors, and manages members and service accounts.",
            _ADMINISTERS,
        ),
        Role(
            PUBLISHER,
            "Project publisher",
            "For gateways: publishes events, and reads and changes nothing.",
            _PUBLISHES,
        ),
        Role(
            ORGANIZATION_ADMIN,
            "Organization administrator",
            "Creates projects, and administers every project of the organization.",
            _ORGANIZES,
        ),
    )
}

PROJECT_ROLES = (USER, DEVELOPER, ADMIN, PUBLISHER)
"""The roles that a member of a project may be given."""

ORGANIZATION_ROLES = (ORGANIZATION_ADMIN,)
"""The roles that a member of an organization may be given."""


def permissions(held: Iterable[str]) -> frozenset[str]:
    """All permissions that the roles include. An unknown role includes none."""
    return frozenset().union(*(ROLES[role].permissions for role in held if role in ROLES))


def permits(held: Iterable[str], permission: str) -> bool:
    """Whether one of the roles includes the permission."""
    return permission in permissions(held)
