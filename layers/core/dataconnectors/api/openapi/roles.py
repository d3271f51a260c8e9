"""Roles and permissions in the OpenAPI document."""

from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import NAME, choice, list_of, object_of, page_of, ref
from dataconnectors.identity.roles import ROLES, permissions

OPERATIONS = (
    Operation("listRoles", "GET", "/roles", "Roles", "List roles", "RoleList", query=PAGE),
    Operation("getRole", "GET", "/roles/{role}", "Roles", "Show a role", "Role"),
)

SCHEMAS = {
    "Permission": choice(sorted(permissions(ROLES))),
    "PermissionList": page_of("permissions", "Permission"),
    "Role": object_of(
        {
            "name": choice(ROLES, NAME),
            "displayName": {"type": "string"},
            "description": {"type": "string"},
            "permissions": list_of(ref("Permission")),
        }
    ),
    "RoleList": page_of("roles", "Role"),
}
