"""Projects in the OpenAPI document."""

from dataconnectors.api.openapi.examples import PROJECT
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    DISPLAY_NAME,
    NAME,
    count,
    flag,
    input_of,
    object_of,
    page_of,
    text,
)
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.services.projects import LARGEST_PAGE

OPERATIONS = (
    Operation(
        "listProjects",
        "GET",
        "/projects",
        "Projects",
        "List the projects that you may read",
        "ProjectList",
        query=("organization", "query", *PAGE),
        description=(
            f"A page has at most {LARGEST_PAGE} projects. It may have fewer or none, and still not "
            "be the last."
        ),
    ),
    Operation(
        "createProject",
        "POST",
        "/projects",
        "Projects",
        "Create a project",
        "Project",
        "project.create",
        body="NewProject",
        conflicts=True,
        description="You need the permission in the organization.",
    ),
    Operation(
        "getProject",
        "GET",
        "/projects/{project}",
        "Projects",
        "Show a project",
        "Project",
        "project.read",
    ),
    Operation(
        "updateProject",
        "PATCH",
        "/projects/{project}",
        "Projects",
        "Rename a project",
        "Project",
        "project.update",
        query=("update_mask",),
        body="ProjectChange",
        conflicts=True,
    ),
    Operation(
        "deleteProject",
        "DELETE",
        "/projects/{project}",
        "Projects",
        "Delete a project without devices and connectors",
        "Empty",
        "project.delete",
        conflicts=True,
        may_be_refused=True,
    ),
    Operation(
        "listProjectPermissions",
        "GET",
        "/projects/{project}/permissions",
        "Projects",
        "List what you may do in a project",
        "PermissionList",
        query=PAGE,
    ),
)

SCHEMAS = {
    "Project": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}"]),
            "displayName": {"type": "string"},
            "organization": text(examples=[ORGANIZATION]),
            "organizationDisplayName": {"type": "string"},
            "sensorCount": count("The number of devices that are not cloud connectors."),
            "cloudConnectorCount": count("The number of cloud connectors."),
            "inventory": flag("Always false."),
        }
    ),
    "ProjectList": page_of("projects", "Project"),
    "NewProject": input_of(
        {
            "displayName": DISPLAY_NAME | {"minLength": 1},
            "organization": text(f"The default is `{ORGANIZATION}`."),
        },
        ("displayName",),
    )
    | {"examples": [{"displayName": "Second", "organization": ORGANIZATION}]},
    "ProjectChange": input_of(
        {"displayName": DISPLAY_NAME | {"minLength": 1}},
    )
    | {"examples": [{"displayName": "Renamed"}]},
}
