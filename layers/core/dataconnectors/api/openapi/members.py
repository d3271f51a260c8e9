"""Members of projects and organizations in the OpenAPI document."""

from collections.abc import Iterable

from dataconnectors.api.openapi.examples import ACCOUNT, EMAIL, PROJECT
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    Schema,
    choice,
    input_of,
    list_of,
    object_of,
    page_of,
    text,
    time,
)
from dataconnectors.identity import members
from dataconnectors.identity.roles import ORGANIZATION_ROLES, PROJECT_ROLES

_MEMBERS = "/projects/{project}/members"
_MEMBER = _MEMBERS + "/{member}"

OPERATIONS = (
    Operation(
        "listProjectMembers",
        "GET",
        _MEMBERS,
        "Members",
        "List members",
        "MemberList",
        "membership.read",
        query=PAGE,
    ),
    Operation(
        "addProjectMember",
        "POST",
        _MEMBERS,
        "Members",
        "Add a member",
        "Member",
        "membership.create",
        body="NewMember",
        conflicts=True,
    ),
    Operation(
        "getProjectMember",
        "GET",
        _MEMBER,
        "Members",
        "Show a member",
        "Member",
        "membership.read",
    ),
    Operation(
        "updateProjectMember",
        "PATCH",
        _MEMBER,
        "Members",
        "Replace a member's roles",
        "Member",
        "membership.update",
        query=("update_mask",),
        body="MemberChange",
        conflicts=True,
    ),
    Operation(
        "removeProjectMember",
        "DELETE",
        _MEMBER,
        "Members",
        "Remove a member",
        "Empty",
        "membership.delete",
        conflicts=True,
    ),
    Operation(
        "getProjectInviteUrl",
        "GET",
        _MEMBER + ":getInviteUrl",
        "Members",
        "Get the address that an invited person opens",
        "Invitation",
        "membership.create",
        may_be_refused=True,
        description="400 for a service account, because it is a member without an invitation.",
    ),
)


def _new_member(roles: Iterable[str]) -> Schema:
    allowed = list(roles)
    return input_of(
        {
            "email": text(
                "The email of a service account, or of a person.", maxLength=members.LONGEST_EMAIL
            ),
            "roles": list_of(choice(allowed), minItems=1),
        },
        ("email", "roles"),
    ) | {"examples": [{"email": EMAIL, "roles": [allowed[0]]}]}


SCHEMAS = {
    "Member": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}/members/{ACCOUNT}"]),
            "displayName": text(
                "The display name of a service account of this project, otherwise empty."
            ),
            "roles": list_of(choice((*PROJECT_ROLES, *ORGANIZATION_ROLES))),
            "status": choice(
                ("ACCEPTED", "PENDING"),
                "`PENDING` until a person signs in for the first time. It limits nothing.",
            ),
            "email": text(examples=[EMAIL]),
            "accountType": choice(("SERVICE_ACCOUNT", "USER")),
            "createTime": time("When the membership began."),
        }
    ),
    "MemberList": page_of("members", "Member")
    | {"description": f"A project or organization has at most {members.MAXIMUM_MEMBERS} members."},
    "NewMember": _new_member(PROJECT_ROLES),
    "NewOrganizationMember": _new_member(ORGANIZATION_ROLES),
    "MemberChange": input_of(
        {
            "roles": list_of(
                choice(PROJECT_ROLES), "The roles that replace the present ones.", minItems=1
            )
        },
    )
    | {"examples": [{"roles": [PROJECT_ROLES[1]]}]},
    "Invitation": object_of({"inviteUrl": text(format="uri")}),
}
