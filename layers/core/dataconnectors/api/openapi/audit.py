"""The audit logs in the OpenAPI document."""

from dataconnectors.api import audit
from dataconnectors.api.openapi.examples import EMAIL
from dataconnectors.api.openapi.operation import DAY, PAGE, TIMES, Operation
from dataconnectors.api.openapi.schema import list_of, object_of, page_of, text, time
from dataconnectors.identity.audit import RETENTION_SECONDS

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
            f"Kept for {RETENTION_SECONDS // DAY} days; a page has {audit.LARGEST_PAGE} at most."
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
            "time": time(""),
            "actor": text("The email of who did it.", examples=[EMAIL]),
            "keyId": text("By which key."),
            "address": text("From where."),
            "action": text("The permission that it took.", examples=["dataconnector.update"]),
            "resource": text("What it was done to."),
            "fields": list_of({"type": "string"}, "Names of what changed; never values."),
            "details": {"type": "object", "description": "Values that are no secrets."},
        }
    ),
    "AuditPage": page_of("entries", "AuditEntry"),
}
