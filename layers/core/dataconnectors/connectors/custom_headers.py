"""Custom headers: which ones a customer may add to the requests that carry their events."""

import re
from typing import Any

from dataconnectors.connectors.secrets import MASK, MASKED_VALUE
from dataconnectors.kernel.errors import BadRequestError

SET_BY_SENDER = frozenset(
    {
        "content-length",
        "content-type",
        "host",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
        "x-dt-signature",
        "x-dt-signature-previous",
        "x-dt-test",
    }
)
"""Headers that tell the receiver how to read and verify the body. The sender sets them itself, some
of them only for connectors that ask for Standard Webhooks, while their secret changes, or with
tests."""

CONNECTION_HEADERS = frozenset(
    {
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that mean something to one connection instead of to the receiver of the request.

The sender keeps connections and shares them between events, so it alone decides how they are used:
`Expect: 100-continue`, for one, promises to wait for an answer before the body, which the sender
never does. The names are those of RFC 9110, section 7.6.1, `Expect` (section 10.1.1), and the
others that RFC 2616, section 13.5.1, lists as hop-by-hop.
"""

RESERVED_HEADERS = SET_BY_SENDER | CONNECTION_HEADERS
"""Lower-case names of all headers that a customer cannot set."""

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
"""A header's name (RFC 9110, section 5.6.2)."""

_VALUE = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?", re.ASCII)
"""A header's value (RFC 9110, section 5.5), without the obsolete bytes above ASCII."""


def parse_headers(value: Any) -> tuple[tuple[str, str], ...]:
    """Read `httpConfig.headers`; null means none.

    Raises `BadRequestError` that names the header and never quotes its value, which may be a
    credential.
    """
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise BadRequestError("httpConfig.headers: expected an object of texts")
    seen: set[str] = set()
    for name, text in value.items():
        _check_name(name, seen)
        seen.add(name.lower())
        if not isinstance(text, str) or not (text == "" or _VALUE.fullmatch(text)):
            raise BadRequestError(
                f"httpConfig.headers.{name}: expected printable ASCII, no space at either end"
            )
        if text == MASK:
            raise BadRequestError(f"httpConfig.headers.{name}: {MASKED_VALUE}")
    return tuple(value.items())


def _check_name(name: str, seen: set[str]) -> None:
    if not _NAME.fullmatch(name):
        raise BadRequestError(f"httpConfig.headers: {name!r:.60} is no header name")
    if name.lower() in SET_BY_SENDER:
        raise BadRequestError(f"httpConfig.headers: {name} is set by the sender")
    if name.lower() in CONNECTION_HEADERS:
        raise BadRequestError(
            f"httpConfig.headers: {name} belongs to the connection and is not passed on"
        )
    if name.lower() in seen:
        raise BadRequestError(f"httpConfig.headers: {name} is given twice")
