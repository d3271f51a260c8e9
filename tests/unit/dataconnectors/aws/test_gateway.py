"""How requests are read as API Gateway passes them on, in every spelling that clients use."""

import json
from typing import Any

import pytest

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import BadRequestError, ConflictError, TooLargeError
from tests.support.http_api import request


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("/v2/projects/p/devices/d:publish", ["v2", "projects", "p", "devices", "d:publish"]),
        ("/v2/projects/p/devices/d%3Apublish", ["v2", "projects", "p", "devices", "d:publish"]),
        ("/v2//projects/", ["v2", "", "projects"]),
        ("/", [""]),
    ],
)
def test_segments_are_decoded(path: str, segments: list[str]) -> None:
    assert gateway.segments({"rawPath": path}) == segments


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", []),
        ("update_mask=a,b", ["a", "b"]),
        ("update_mask=a%2Cb&updateMask=c", ["a", "b", "c"]),
        ("update_mask=a&update_mask=b", ["a", "b"]),
        ("other=x", []),
    ],
)
def test_a_query_parameter_is_read_in_every_spelling(query: str, values: list[str]) -> None:
    event = {"rawQueryString": query}
    assert gateway.query(event, "update_mask", "updateMask") == values


@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_is_read_as_json_whatever_its_content_type(encoded: bool) -> None:
    event = request(
        "POST",
        "/",
        {"a": "ä"},
        encoded=encoded,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert gateway.json_body(event) == {"a": "ä"}


@pytest.mark.parametrize(
    ("event", "error", "text"),
    [
        ({}, BadRequestError, "empty"),
        ({"body": "  "}, BadRequestError, "empty"),
        ({"body": "{'a': 1}"}, BadRequestError, "not JSON"),
        ({"body": "%%%", "isBase64Encoded": True}, BadRequestError, "base64"),
        ({"body": "/w==", "isBase64Encoded": True}, BadRequestError, "not UTF-8"),
        ({"body": "\ud800"}, BadRequestError, "not UTF-8"),
        ({"body": "1" * (gateway.MAXIMUM_BODY + 1)}, TooLargeError, "split it"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    event: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        gateway.json_body(event)


def test_an_error_is_the_contracts_json() -> None:
    answer = gateway.error_answer(ConflictError("changed\ud800"), {"accepted": 0})
    assert answer["statusCode"] == 409
    assert json.loads(answer["body"]) == {
        "error": "changed\ud800",
        "code": 409,
        "help": "/v2/errors#409",
        "accepted": 0,
    }


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, "https://api.example.com"),
        ({"X-Forwarded-Proto": "https"}, "https://api.example.com"),
        ({"X-Forwarded-Proto": "http", "host": "127.0.0.1:8000"}, "http://127.0.0.1:8000"),
        ({"X-Forwarded-Proto": "javascript"}, "https://api.example.com"),
    ],
)
def test_the_origin_is_where_the_client_sent_the_request(
    headers: dict[str, str], origin: str
) -> None:
    assert gateway.origin(request("GET", "/v2/docs", headers=headers)) == origin
