"""The OpenAPI document, assembled from operations, parameters, schemas and answers."""

import re
from typing import Any

from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.operations import OPERATIONS, TAGS
from dataconnectors.api.openapi.parameters import PARAMETERS
from dataconnectors.api.openapi.responses import RESPONSES, responses_of
from dataconnectors.api.openapi.schema import ref
from dataconnectors.api.openapi.schemas import SCHEMAS

VERSION = "2.0.0"
"""The version of the contract: its first number is the `/v2` of all paths. This program has its own
versions."""

DESCRIPTION = """\
Devices send events. Each data connector of a project pushes the events that it wants to a \
customer's endpoint by HTTPS POST, at least once.

Request bodies are read as JSON, whatever their content type. A list in the query may repeat its \
parameter or join its values with commas. Every answer other than 200 is error JSON, also for \
unknown paths (404) and methods (405); `help` in it leads to an explanation. In requests, null \
means that a field is not set. Requests may contain fields that only answers have, which are \
ignored; unknown fields are refused.
"""


def build() -> dict[str, Any]:
    """The document. The address of the server is relative to the address of the document."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Data Connectors",
            "version": VERSION,
            "description": DESCRIPTION,
        },
        "servers": [{"url": "/v2"}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "parameters": PARAMETERS,
            "responses": RESPONSES,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
    }
    needs = f"Needs `{operation.permission}`." if operation.permission else ""
    description = " ".join(filter(None, (operation.description, needs)))
    if description:
        described["description"] = description
    if operation.permission is None:
        described["security"] = [{"idToken": []}] if operation.takes_id_token else []
    named = [
        *(f"path-{name}" for name in re.findall(r"\{(\w+)\}", operation.path)),
        *(f"query-{name}" for name in operation.query),
        *(f"header-{name}" for name in operation.headers),
    ]
    if named:
        described["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in named]
    if operation.body is not None:
        media_type = (
            "application/x-www-form-urlencoded" if operation.is_form else "application/json"
        )
        described["requestBody"] = {
            "required": True,
            "content": {media_type: {"schema": ref(operation.body)}},
        }
    described["responses"] = responses_of(operation)
    return described


_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token from `POST /oauth2/token` or `POST /oidc/token`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The id and the secret of a key, if its service account allows this.",
    },
    "idToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The id token that the OpenID provider of this deployment has issued.",
    },
}
