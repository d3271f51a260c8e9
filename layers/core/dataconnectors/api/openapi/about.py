"""What describes this API, in the OpenAPI document."""

from dataconnectors.api.openapi.operation import Operation
from dataconnectors.aws import gateway

OPERATIONS = (
    Operation("getOpenApi", "GET", "/openapi.json", "About", "This document", "OpenApi", None),
    Operation("getDocs", "GET", "/docs", "About", "This document as an HTML page", None, None),
    Operation(
        "getErrors",
        "GET",
        gateway.HELP_PATH.removeprefix("/v2"),
        "About",
        "What each error status means",
        None,
        None,
    ),
    Operation(
        "getInvitations",
        "GET",
        "/invitations",
        "About",
        "How an invited person signs in",
        None,
        None,
    ),
)
