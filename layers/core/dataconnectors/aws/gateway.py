"""An HTTP API's requests and answers (payload format 2.0), the same in each function."""

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
    MethodError,
    RequestError,
    TooLargeError,
)

MAXIMUM_BODY = 1024 * 1024
"""Bytes of a request's body: what one SendMessageBatch takes, and well under Lambda's 6 MB."""

HELP_PATH = "/v2/errors"
"""Where this API explains its status codes; `help` in an error points there."""

Answer = dict[str, Any]


def method(event: Mapping[str, Any]) -> str:
    """The request's method, in capitals."""
    return str(event["requestContext"]["http"]["method"]).upper()


def segments(event: Mapping[str, Any]) -> list[str]:
    """The path's segments, percent-decoded: `%3A` is how some clients write the `:` of a verb."""
    return [unquote(segment) for segment in event["rawPath"].strip("/").split("/")]


def plain(event: Mapping[str, Any]) -> dict[str, Any]:
    """The request with a path that routes can be matched on.

    `//` comes from a base URL with a trailing slash, `%3A` from clients that encode a verb's colon.
    """
    path = "/".join(quote(segment, safe=":@-._~") for segment in segments(event) if segment)
    return {**event, "rawPath": f"/{path}"}


def headers(event: Mapping[str, Any]) -> dict[str, str]:
    """The request's headers with names in lower case."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def host(event: Mapping[str, Any]) -> str:
    """The name that the client knows the API by."""
    return headers(event).get("host") or str(event["requestContext"].get("domainName", ""))


def address(event: Mapping[str, Any]) -> str:
    """The address that the request came from, as API Gateway saw it."""
    return str(event["requestContext"]["http"].get("sourceIp", ""))


def query(event: Mapping[str, Any], *names: str) -> list[str]:
    """The values of a query parameter under any of its spellings, repeated or comma-joined.

    Read from the raw query: `queryStringParameters` joins repeated keys with commas.
    """
    fields = parse_qs(event.get("rawQueryString") or "", keep_blank_values=True)
    joined = [value for name in names for value in fields.get(name, [])]
    return [part for value in joined for part in value.split(",")]


def page_size(event: Mapping[str, Any], most: int) -> int:
    """Entries on a page: what `pageSize` asks for, `most` when it asks for none, for 0 or for more.

    Raises `BadRequestError` for what is no whole number.
    """
    texts = [text for text in query(event, "pageSize", "page_size") if text]
    return paging.size_of(texts[-1], most) if texts else most


def page_token(event: Mapping[str, Any]) -> list[Any] | None:
    """Where the page begins, as `paging.encode` was given it; None for the first page.

    Raises `BadRequestError` for what is no token.
    """
    texts = [text for text in query(event, "pageToken", "page_token") if text]
    return paging.decode(texts[-1]) if texts else None


def body(event: Mapping[str, Any]) -> bytes:
    """The request's body; `TooLargeError` over the limit.

    An HTTP API encodes bodies of other content types than text and JSON in base64: forms, and
    the JSON that curl sends with `-d`.
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
    """The request's body read as JSON whatever its content type says."""
    raw = body(event)
    if not raw.strip():
        raise BadRequestError("body: empty, expected JSON")
    try:
        return jsontext.loads(raw)
    except JsonTextError as error:
        raise BadRequestError(f"body: {error}") from None


def answer(status: int, content: Any) -> Answer:
    """An answer in JSON; text that has no UTF-8 is escaped."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(content, separators=(",", ":")),
    }


def error_content(status: int, text: str) -> dict[str, Any]:
    """The error JSON that every answer other than 200 carries."""
    return {"error": text, "code": status, "help": f"{HELP_PATH}#{status}"}


def error_answer(error: RequestError, details: Mapping[str, Any] | None = None) -> Answer:
    """The answer to a request that cannot be served, with what else the caller can use."""
    made = answer(error.status, error_content(error.status, str(error)) | dict(details or {}))
    if isinstance(error, MethodError):
        made["headers"]["Allow"] = error.allowed
    return made
