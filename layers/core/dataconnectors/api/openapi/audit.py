"""The audit logs in the OpenAPI document."""

from dataconnectors.api import audit
from dataconnectors.api.openapi.examples import EMAIL
from dataconnectors.api.openapi.operation import DAY, PAGE, TIMES, Operation
from dataconnectors.api.openapi.schema import list_of, object_of, page_of, text, time
from dataconnectors.identity.audit import RETENTION_SECONDS, SYSTEM
from dataconnectors.identity.members import ACCEPT

_ORGANIZATION = "/organizations/{organization}"

OPERATIONS = (
    Operation(
        "listProjectChanges",
        "GET",
        "/projects/{project}/audit",
        "Audit",
        "List a project's changes, newest first",
        "AuditPage",
        "audit.read",
        query=(*TIMES, *PAGE),
        description=(
            f"Entries are kept for {RETENTION_SECONDS // DAY} days. A page has at most "
            f"{audit.LARGEST_PAGE} entries."
        ),
    ),
    Operation(
        "listOrganizationChanges",
        "GET",
        _ORGANIZATION + "/audit",
        "Audit",
        "List an organization's changes, newest first",
        "AuditPage",
        "audit.read",
        query=(*TIMES, *PAGE),
    ),
)

SCHEMAS = {
    "AuditEntry": object_of(
        {
            "id": {"type": "string"},
            "time": time("When the change was made."),
            "actor": text(
                "The email of the service account or person that made the change. "
                f"`{SYSTEM}` if the service made it by itself: `details.reason` says why.",
                examples=[EMAIL],
            ),
            "keyId": text("The id of the key that the account used; empty for a person."),
            "address": text("The IP address that the request came from."),
            "action": text(
                "The permission that the change needed, or "
                f"`{ACCEPT}` when an invited person has signed in for the first time.",
                examples=["dataconnector.update"],
            ),
            "resource": text("The name of the resource that was changed."),
            "fields": list_of(
                {"type": "string"}, "The names of the changed fields, without their values."
            ),
            "details": {
                "type": "object",
                "description": "Further values, such as the roles before and after. Never secrets.",
            },
        }
    ),
    "AuditPage": page_of("entries", "AuditEntry"),
}
