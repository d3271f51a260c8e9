"""Roles and what each permits.

Creating and deleting a connector is the administrator's; changing one is the developer's.
`event.publish` is ours: the vendor knows no permission for it.
"""

from collections.abc import Iterable, Mapping

USER = "roles/project.user"
DEVELOPER = "roles/project.developer"
ADMIN = "roles/project.admin"

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

_DEVELOPS = _READS | {
    "sensor.update",
    "device.update",
    "dataconnector.update",
    "emulator.create",
    "emulator.update",
    "emulator.delete",
    "event.publish",
}

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
}

PERMISSIONS: Mapping[str, frozenset[str]] = {
    USER: _READS,
    DEVELOPER: _DEVELOPS,
    ADMIN: _ADMINISTERS,
}


def permits(roles: Iterable[str], permission: str) -> bool:
    """Whether one of the roles includes the permission. An unknown role includes none."""
    return any(permission in PERMISSIONS.get(role, frozenset()) for role in roles)
