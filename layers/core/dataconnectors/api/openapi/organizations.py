"""Organizations in the OpenAPI document."""

from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import NAME, object_of, page_of, text
from dataconnectors.identity.projects import ORGANIZATION

_ORGANIZATION = "/organizations/{organization}"

OPERATIONS = (
    Operation(
        "listOrganizations",
        "GET",
        "/organizations",
        "Organizations",
        "List the organizations that you may read",
        "OrganizationList",
        query=PAGE,
    ),
    Operation(
        "getOrganization",
        "GET",
        _ORGANIZATION,
        "Organizations",
        "Show an organization",
        "Organization",
        "organization.read",
    ),
    Operation(
        "listOrganizationPermissions",
        "GET",
        _ORGANIZATION + "/permissions",
        "Organizations",
        "List what you may do in an organization",
        "PermissionList",
        "organization.read",
        query=PAGE,
    ),
    Operation(
        "listOrganizationMembers",
        "GET",
        _ORGANIZATION + "/members",
        "Organizations",
        "List administrators",
        "MemberList",
        "organization.read",
        query=PAGE,
    ),
    Operation(
        "addOrganizationMember",
        "POST",
        _ORGANIZATION + "/members",
        "Organizations",
        "Add an administrator",
        "Member",
        "organization.update",
        body="NewOrganizationMember",
        conflicts=True,
    ),
    Operation(
        "getOrganizationMember",
        "GET",
        _ORGANIZATION + "/members/{member}",
        "Organizations",
        "Show an administrator",
        "Member",
        "organization.read",
    ),
    Operation(
        "removeOrganizationMember",
        "DELETE",
        _ORGANIZATION + "/members/{member}",
        "Organizations",
        "Remove an administrator",
        "Empty",
        "organization.update",
        conflicts=True,
    ),
    Operation(
        "getOrganizationInviteUrl",
        "GET",
        _ORGANIZATION + "/members/{member}:getInviteUrl",
        "Organizations",
        "Get the address that an invited person opens",
        "Invitation",
        "organization.update",
        may_be_refused=True,
        description="400 for a service account, because it is a member without an invitation.",
    ),
)

SCHEMAS = {
    "Organization": object_of(
        {"name": text(NAME, examples=[ORGANIZATION]), "displayName": {"type": "string"}}
    ),
    "OrganizationList": page_of("organizations", "Organization"),
}
