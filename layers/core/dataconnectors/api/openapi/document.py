"""The OpenAPI document, assembled from operations and schemas."""

import re
from typing import Any

from dataconnectors.api.error_page import MEANINGS
from dataconnectors.api.openapi import schemas
from dataconnectors.api.openapi.operations import OPERATIONS, TAGS, Operation
from dataconnectors.api.openapi.schemas import ID_PATTERN, SCHEMAS, Schema, ref
from dataconnectors.devices.device import DEVICE_TYPES
from dataconnectors.events.event import EVENT_TYPES
from dataconnectors.identity import tokens
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.identity.roles import ROLES

VERSION = "2.0.0"
"""Of the contract, which paths carry as `/v2`; not of this program."""

DESCRIPTION = """\
Events of devices come in; each of a project's data connectors pushes every one of them to a \
customer's endpoint by HTTPS POST, at least once.

Bodies are read as JSON whatever their content type. Lists in the query are repeated or joined by \
commas. An answer other than 200 is error JSON, which `help` in it explains; so are unknown paths \
(404) and methods (405). In \
requests null means that a field is not set; fields that only answers have are ignored, unknown \
ones refused.
"""

_BASE = "/v2"

_RESPONSES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    413: "TooLarge",
    429: "TooManyRequests",
    503: "Unavailable",
}


def build() -> dict[str, Any]:
    """The document. The server's address is relative to the document's own."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Data Connectors",
            "version": VERSION,
            "description": DESCRIPTION,
        },
        "servers": [{"url": _BASE}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS | {"TokenRequest": _TOKEN_REQUEST, "OpenApi": {"type": "object"}},
            "parameters": _PARAMETERS,
            "responses": {name: _error(status) for status, name in _RESPONSES.items()}
            | _PUBLISHING_RESPONSES,
            "securitySchemes": _SECURITY_SCHEMES,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
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
        described["security"] = []
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
    described["responses"] = {"200": _answer(operation)} | {
        str(status): {"$ref": f"#/components/responses/{_response_name(operation, status)}"}
        for status in _statuses(operation)
    }
    return described


def _answer(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        return {"description": "A page.", "content": {"text/html": {"schema": {"type": "string"}}}}
    content = {"application/json": {"schema": ref(operation.answer)}}
    return {"description": "Done.", "content": content}


def _statuses(operation: Operation) -> list[int]:
    """What an operation may answer besides 200."""
    statuses = set()
    if operation.permission is None and operation.body is None:
        return []
    if operation.query or operation.body is not None or operation.bad:
        statuses.add(400)
    if operation.body is not None:
        statuses.add(413)
    if operation.permission is not None:
        statuses |= {401, 429}
    if operation.permission:
        statuses.add(403)
    # Of lists over several projects, too: those that one is no member of are not there.
    if operation.permission or "{" in operation.path:
        statuses.add(404)
    if operation.conflicts:
        statuses.add(409)
    return sorted(statuses | {503})


def _response_name(operation: Operation, status: int) -> str:
    name = _RESPONSES[status]
    of_events = f"{name}Events"
    is_own = operation.is_publishing and of_events in _PUBLISHING_RESPONSES
    return of_events if is_own else name


def _error(status: int, schema: str = "Error") -> dict[str, Any]:
    example = {"error": "what happened", "code": status, "help": f"{_BASE}/errors#{status}"}
    response: dict[str, Any] = {
        "description": MEANINGS[status],
        "content": {"application/json": {"schema": ref(schema), "example": example}},
    }
    if status == 429:
        response["headers"] = {"Retry-After": _RETRY_AFTER}
    return response


_RETRY_AFTER = {
    "description": "Whole seconds to wait.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}

_PUBLISHING_RESPONSES = {
    "BadRequestEvents": _error(400, "NotAccepted"),
    "UnavailableEvents": _error(503, "NotAccepted"),
    "TooManyRequestsEvents": {
        "description": "More than the gateway lets pass. Send the events again a little later.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"message": {"type": "string"}},
                    "required": ["message"],
                }
            }
        },
    },
}

_TOKEN_REQUEST: Schema = {
    "type": "object",
    "properties": {
        "grant_type": {"type": "string", "const": tokens.GRANT_TYPE},
        "assertion": {"type": "string", "description": "The signed JWT."},
    },
    "required": ["grant_type", "assertion"],
    "examples": [{"grant_type": tokens.GRANT_TYPE, "assertion": "$ASSERTION"}],
}

_SECURITY_SCHEMES = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The access token that `POST /oauth2/token` gives.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "A key's id and secret, where the service account allows it.",
    },
}


def _path_parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": schema,
    }


def _id(example: str) -> Schema:
    return {"type": "string", "pattern": ID_PATTERN, "examples": [example]}


def _query_parameter(name: str, description: str, schema: Schema) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _several(entries: Schema) -> Schema:
    return {"type": "array", "items": entries}


_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time", "examples": [schemas.TIME]}

_PARAMETERS: dict[str, dict[str, Any]] = {
    f"{parameter['in']}-{parameter['name']}": parameter
    for parameter in (
        _path_parameter("project", "The project's id.", _id(schemas.PROJECT)),
        _path_parameter("connector", "The connector's id.", _id(schemas.CONNECTOR)),
        _path_parameter("device", "The device's id.", _id(schemas.DEVICE)),
        _path_parameter("account", "The service account's id.", _id(schemas.ACCOUNT)),
        _path_parameter("key", "The key's id.", _id(schemas.KEY)),
        _path_parameter(
            "member", "The member's id: a service account's own.", _id(schemas.ACCOUNT)
        ),
        _path_parameter(
            "organization",
            "The organization's id.",
            _id(ORGANIZATION.removeprefix("organizations/")),
        ),
        _path_parameter(
            "role",
            "The role's id.",
            {"type": "string", "enum": [name.removeprefix("roles/") for name in ROLES]},
        ),
        _path_parameter(
            "label", "The label's key.", _TEXT | {"minLength": 1, "examples": ["name"]}
        ),
        _query_parameter(
            "pageSize",
            "At most so many; 0 for as many as there may be.",
            {"type": "integer", "minimum": 0, "maximum": 999_999_999},
        ),
        _query_parameter("pageToken", "`nextPageToken` of the page before.", _TEXT),
        _query_parameter("startTime", "From then on.", _TIME),
        _query_parameter("endTime", "Before then.", _TIME),
        _query_parameter(
            "eventTypes", "These alone.", _several({"type": "string", "enum": list(EVENT_TYPES)})
        ),
        _query_parameter("update_mask", "The fields to change, joined by commas.", _TEXT),
        _query_parameter("query", "Words to be found in names and labels.", _TEXT),
        _query_parameter("device_ids", "These alone.", _several(_id(schemas.DEVICE))),
        _query_parameter(
            "device_types", "These alone.", _several({"type": "string", "enum": list(DEVICE_TYPES)})
        ),
        _query_parameter("product_numbers", "These alone.", _several(_TEXT)),
        _query_parameter(
            "label_filters",
            "`key=value`, or `key=` for any value; all have to fit.",
            _several(_TEXT),
        ),
        _query_parameter(
            "order_by",
            "`name`, `type`, `productNumber`, `labels.<key>` or `reported.<event type>.<field>`; "
            "with `-` in front, descending.",
            _TEXT | {"examples": ["-reported.temperature.value"]},
        ),
        _query_parameter(
            "organization",
            "Of this organization alone.",
            _TEXT | {"examples": [ORGANIZATION]},
        ),
        _query_parameter("projects", "Of these alone, with `-` as the project.", _several(_TEXT)),
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Tells a call sent again from a wish for a second, equal connector.",
            "schema": _TEXT,
        },
    )
}
