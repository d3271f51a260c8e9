"""What operations answer: success, and the errors that are possible for each."""

from typing import Any

from dataconnectors.api.error_page import MEANINGS
from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.schema import ref
from dataconnectors.aws import gateway

_NAMES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    413: "TooLarge",
    429: "TooManyRequests",
    503: "Unavailable",
}


_RETRY_AFTER = {
    "description": "The time to wait, in whole seconds.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}


def _error(status: int, schema: str = "Error") -> dict[str, Any]:
    example = {"error": "what happened", "code": status, "help": f"{gateway.HELP_PATH}#{status}"}
    response: dict[str, Any] = {
        "description": MEANINGS[status],
        "content": {"application/json": {"schema": ref(schema), "example": example}},
    }
    if status == 429:
        response["headers"] = {"Retry-After": _RETRY_AFTER}
    return response


_PUBLISHING_RESPONSES = {
    "BadRequestEvents": _error(400, "NotAccepted"),
    "UnavailableEvents": _error(503, "NotAccepted"),
    "TooManyRequestsEvents": {
        "description": "Too many requests for the gateway. Send the events again a little later.",
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

RESPONSES: dict[str, dict[str, Any]] = {
    name: _error(status) for status, name in _NAMES.items()
} | _PUBLISHING_RESPONSES
"""The answers that several operations share, by name."""


def responses_of(operation: Operation) -> dict[str, dict[str, Any]]:
    """The answers of an operation, by status."""
    return {"200": _success(operation)} | {
        str(status): {"$ref": f"#/components/responses/{_name(operation, status)}"}
        for status in _statuses(operation)
    }


def _success(operation: Operation) -> dict[str, Any]:
    if operation.answer is None:
        return {
            "description": "An HTML page.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    content = {"application/json": {"schema": ref(operation.answer)}}
    return {"description": "Success.", "content": content}


def _statuses(operation: Operation) -> list[int]:
    """The statuses other than 200 that an operation may answer."""
    statuses = set()
    if operation.permission is None and operation.body is None:
        return []
    if operation.query or operation.body is not None or operation.may_be_refused:
        statuses.add(400)
    if operation.body is not None:
        statuses.add(413)
    if operation.permission is not None:
        statuses |= {401, 429}
    if operation.permission:
        statuses.add(403)
    # A project that the caller is no member of counts as absent. The same is true of the projects
    # that a list over several projects names.
    if operation.permission or "{" in operation.path:
        statuses.add(404)
    if operation.takes_id_token:
        statuses |= {401, 403, 404}
    if operation.conflicts:
        statuses.add(409)
    return sorted(statuses | {503})


def _name(operation: Operation, status: int) -> str:
    """The name of the shared answer; publishing has some of its own."""
    name = _NAMES[status]
    of_publishing = f"{name}Events"
    is_own = operation.is_publishing and of_publishing in _PUBLISHING_RESPONSES
    return of_publishing if is_own else name
