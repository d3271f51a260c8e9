"""Requests to an HTTP API and answers to them, in API Gateway's payload format 2.0."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from dataconnectors.kernel import jsontext, paging
from dataconnectors.kernel.errors import (
    BadRequestError,
    JsonTextError,
    MethodNotAllowedError,
    RequestError,
    TooLargeError,
    TooManyRequestsError,
)

MAXIMUM_BODY = 1024 * 1024
"""Bytes of a request's body: as many as one SendMessageBatch takes, well under Lambda's 6 MB."""

HELP_PATH = "/v2/errors"
"""Path of the page that explains the API's status codes. `help` of an error answer points there."""

Answer = dict[str, Any]
"""Status code, headers and body, as a function returns them to API Gateway."""


def method(event: Mapping[str, Any]) -> str:
    """The request's method, in capitals."""
    return str(event["requestContext"]["http"]["method"]).upper()


def segments(event: Mapping[str, Any]) -> list[str]:
    """The path's segments, percent-decoded: some clients write the `:` of a verb as `%3A`."""
    return [unquote(segment) for segment in event["rawPath"].strip("/").split("/")]


def with_plain_path(event: Mapping[str, Any]) -> dict[str, Any]:
    """The request with its path in the one spelling that routes are written in.

    Clients send `//` when their base URL ends in a slash, and `%3A` for the colon of a verb.
    """
    path = "/".join(quote(segment, safe=":@-._~") for segment in segments(event) if segment)
    return {**event, "rawPath": f"/{path}"}


def headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers with names in lower case."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def host(event: Mapping[str, Any]) -> str:
    """The host name that the client sent the request to."""
    return headers(event).get("host") or str(event["requestContext"].get("domainName", ""))


def origin(event: Mapping[str, Any]) -> str:
    """The scheme and the host that the client sent the request to: https://host, with any port.

    API Gateway only serves HTTPS, and says so; `make run` serves HTTP, and says that.
    """
    scheme = "http" if headers(event).get("x-forwarded-proto") == "http" else "https"
    return f"{scheme}://{host(event)}"


def address(event: Mapping[str, Any]) -> str:
    """The IP address that API Gateway received the request from."""
    return str(event["requestContext"]["http"].get("sourceIp", ""))


def claims(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The claims of the token that the route's JWT authorizer has verified; None without one.

    API Gateway writes the request's context by itself, so a caller cannot have put them there.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    found: Mapping[str, Any] | None = authorizer.get("jwt", {}).get("claims")
    return found


def query(event: Mapping[str, Any], *names: str) -> list[str]:
    """The values of a query parameter, which may be repeated, and may hold several between commas.

    `names` are the parameter's spellings. The raw query is read, because `queryStringParameters`
    joins the values of a repeated parameter with commas.
    """
    fields = parse_qs(event.get("rawQueryString") or "", keep_blank_values=True)
    joined = [value for name in names for value in fields.get(name, [])]
    return [part for value in joined for part in value.split(",")]


def page_size(event: Mapping[str, Any], most: int) -> int:
    """The number of entries on a page: what `pageSize` asks for, within `most`.

    It is `most` when the parameter is absent, 0 or larger. Raises `BadRequestError` when it is not
    a whole number.
    """
    texts = [text for text in query(event, "pageSize", "page_size") if text]
    return paging.page_size(texts[-1], most) if texts else most


def page_token(event: Mapping[str, Any]) -> list[Any] | None:
    """The position that the page begins after, from its token; None for the first page.

    Raises `BadRequestError` when `pageToken` is not a token.
    """
    texts = [text for text in query(event, "pageToken", "page_token") if text]
    return paging.decode_token(texts[-1]) if texts else None


def body(event: Mapping[str, Any]) -> bytes:
    """The request's body; raises `TooLargeError` when it is over the limit.

    API Gateway encodes a body in base64 unless its content type is text or JSON: forms, and also
    JSON that curl sends with `-d`, which calls it a form.
    """
    text = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(text, validate=True)
        except binascii.Error:
            raise BadRequestError("body: announced as base64, and is not") from None
    else:
        raw = text.encode("utf-8", "surrogatepass")
    if len(raw) > MAXIMUM_BODY:
        raise TooLargeError(
            f"body: {len(raw)} bytes, at most {MAXIMUM_BODY}: split it into several calls"
        )
    return raw


def json_body(event: Mapping[str, Any]) -> Any:
    """The value of the request's JSON body, whatever its content type says.

    Raises `BadRequestError` when it is not JSON, and `TooLargeError` when it is over the limit.
    """
    raw = body(event)
    if not raw.strip():
        raise BadRequestError("body: empty, expected JSON")
    try:
        return jsontext.loads(raw)
    except JsonTextError as error:
        raise BadRequestError(f"body: {error}") from None


def answer(status: int, content: Any) -> Answer:
    """An answer in JSON. Text that UTF-8 cannot encode is escaped."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content, separators=(",", ":")),
    }


def error_content(status: int, text: str) -> dict[str, Any]:
    """The error JSON of every answer other than 200."""
    return {"error": text, "code": status, "help": f"{HELP_PATH}#{status}"}


def error_answer(error: RequestError, details: Mapping[str, Any] | None = None) -> Answer:
    """The answer to a request that is refused. `details` are added to its error JSON."""
    made = answer(error.status, error_content(error.status, str(error)) | dict(details or {}))
    if isinstance(error, MethodNotAllowedError):
        made["headers"]["Allow"] = error.allowed
    if isinstance(error, TooManyRequestsError):
        made["headers"]["retry-after"] = error.retry_after
    return made
