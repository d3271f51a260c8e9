"""Which headers customers may add to the requests that carry their events."""

from typing import Any

import pytest

from dataconnectors.connectors.custom_headers import parse_headers
from dataconnectors.kernel.errors import BadRequestError


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], "headers: expected an object"),
        ({"a b": "x"}, "no header name"),
        ({"": "x"}, "no header name"),
        ({"HOST": "x"}, "HOST is set by the sender"),
        ({"X-DT-signature": "x"}, "set by the sender"),
        ({"a": "x", "A": "y"}, "A is given twice"),
        ({"a": "x\r\nb: y"}, "headers.a: expected"),
        ({"a": " x"}, "headers.a: expected"),
        ({"a": "é"}, "headers.a: expected"),
        ({"a": 3}, "headers.a: expected"),
    ],
)
def test_what_is_wrong_is_named(headers: Any, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        parse_headers(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Expect",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "proxy-connection",
        "TE",
        "Trailer",
        "transfer-encoding",
        "UPGRADE",
    ],
)
def test_a_header_that_belongs_to_the_connection_is_refused(name: str) -> None:
    """Sources: RFC 9110, sections 7.6.1 and 10.1.1, and RFC 2616, section 13.5.1."""
    reason = rf"httpConfig\.headers: {name} belongs to the connection and is not passed on"
    for headers in ({name: "100-continue"}, {"x-team": "blue", name: ""}):
        with pytest.raises(BadRequestError, match=reason):
            parse_headers(headers)


@pytest.mark.parametrize("name", ["Authorization", "Date", "Expectation", "User-Agent", "Via"])
def test_other_headers_may_be_set(name: str) -> None:
    assert parse_headers({name: "x"}) == ((name, "x"),)


def test_an_error_never_quotes_a_header_value() -> None:
    with pytest.raises(BadRequestError) as caught:
        parse_headers({"authorization": "Bearer s3cr3t\n"})
    assert "s3cr3t" not in str(caught.value)
