"""Requests as an HTTP API hands them to a function (payload format 2.0)."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class LambdaContext:
    """The part of Lambda's context that handlers and Powertools read."""

    function_name: str = "function"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:function"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """The time left at the begin of an invocation."""
        return 30_000


def request(
    method: str,
    path: str,
    body: Any = None,
    *,
    query: str = "",
    headers: dict[str, str] | None = None,
    encoded: bool = False,
) -> dict[str, Any]:
    """The event of a request. A `body` of bytes or text is sent as it is, others as JSON."""
    if body is not None and not isinstance(body, str | bytes):
        body = json.dumps(body)
    if encoded and body is not None:
        body = base64.b64encode(body.encode() if isinstance(body, str) else body).decode()
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {"host": "api.example.com"} | (headers or {}),
        "requestContext": {
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "isBase64Encoded": encoded,
    } | ({} if body is None else {"body": body})


def content(answer: dict[str, Any]) -> Any:
    """The JSON of an answer. Every answer of our API has a JSON body."""
    names = {name.lower(): value for name, value in answer["headers"].items()}
    assert names["content-type"] == "application/json"
    return json.loads(answer["body"])
