"""The config API answers any request with JSON, and never with a server error."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataconnectors.api.openapi.operations import OPERATIONS
from functions.config_api import app
from tests.integration.conftest import Client
from tests.integration.test_bad_input import SCHEMAS, Project, refused
from tests.support import cpu
from tests.support.http_api import LambdaContext, request

URL = "https://example.com/hook"
TEXTS = st.text() | st.sampled_from(
    [
        "\x00",
        "\ud800",
        "name",
        URL,
        "https://[::1",
        "https://a b/",
        "-1",
        "é" * 300,
        "%",
        "a:b",
        "..",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    *("displayName", "status", "type", "events", "labels", "httpConfig", "url", "signatureSecret"),
    *("headers", "name", "devices", "addLabels", "removeLabels", "email", "roles", "key", "value"),
    *("enableBasicAuth", "organization", "targets", "startTime", "endTime", "eventTypes"),
]
HTTP_CONFIGS = st.dictionaries(
    st.sampled_from(["url", "signatureSecret", "headers", "other"]), VALUES, max_size=4
)
BODIES = (
    st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)
    | st.builds(lambda http: {"httpConfig": {"url": URL} | http}, HTTP_CONFIGS)
    | VALUES
)
METHODS = st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "get", "X"])
COLLECTIONS = st.sampled_from(
    [
        "",
        "dataconnectors",
        "devices",
        "members",
        "serviceaccounts",
        "permissions",
        "audit",
        "events",
    ]
)
VERBS = st.sampled_from(
    [
        "",
        ":metrics",
        "%3Ametrics",
        ":sync",
        ":health",
        ":timeline",
        ":pause",
        ":resume",
        ":replay",
        ":explain",
        ":preview",
        ":test",
        ":resend",
        ":cancel",
        ":transfer",
        ":batchUpdate",
        ":",
        "::",
    ]
)
SEGMENTS = st.lists(TEXTS.map(lambda text: quote(text, errors="replace")), max_size=3)
QUERIES = st.text(max_size=60) | st.builds(
    lambda name, value: f"{name}={quote(value, errors='replace')}",
    st.sampled_from(
        [
            "update_mask",
            "updateMask",
            "pageToken",
            "page_size",
            "pageSize",
            "startTime",
            "order_by",
            "eventId",
        ]
    ),
    TEXTS,
)
HEADERS = st.dictionaries(
    st.sampled_from(["idempotency-key", "content-type", "host", "accept"]), TEXTS, max_size=2
)

HARSH = {
    "deep": "[" * 10_000 + "]" * 10_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "huge number": '{"displayName": 1e999}',
    "long number": '{"displayName": ' + "9" * 100_000 + "}",
    "lone surrogate": '{"displayName": "\\ud800"}',
    "duplicate keys": '{"httpConfig": {"url": "https://a.example/", "url": "https://b.example/"}}',
    "nul": '{"displayName": "\\u0000"}',
    "a megabyte": json.dumps({"displayName": "x" * 1_000_000}),
    "a megabyte of keys": json.dumps({str(number): 1 for number in range(80_000)}),
    "not a number": '{"displayName": NaN}',
    "half": '{"displayName": "',
    "nothing": "",
    "no UTF-8": b"\xff\xfe{}",
}


def answered(event: dict[str, Any]) -> tuple[int, Any]:
    answer = app.lambda_handler(event, LambdaContext())
    body = json.loads(answer["body"]) if answer["body"] else None
    return answer["statusCode"], body


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(METHODS, COLLECTIONS, SEGMENTS, VERBS, QUERIES, HEADERS, BODIES, st.booleans())
def test_random_requests_are_answered_without_a_server_error(
    client: Client,
    method: str,
    collection: str,
    segments: list[str],
    verb: str,
    query: str,
    headers: dict[str, str],
    body: Any,
    encoded: bool,
) -> None:
    path = "/".join(["/v2/projects", client.project, collection, *segments]) + verb
    if method == "DELETE" and not collection:
        return  # deletes the project, which the other cases need
    text = json.dumps(body)
    event = request(
        method, path, text, query=query, headers=headers | client.headers, encoded=encoded
    )
    status, answer = answered(event)
    assert status < 500, answer
    assert isinstance(answer, dict)
    if status != 200:
        assert answer["code"] == status
        assert answer["error"]


@pytest.fixture(scope="module")
def project(organizer: Client, hurried: None) -> Iterator[Project]:
    """A project with a resource of each kind."""
    made = Project(organizer)
    yield made
    made.close()


@settings(
    max_examples=500,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(st.data())
def test_random_values_in_every_operation_are_answered_without_a_server_error(
    project: Project, data: st.DataObject
) -> None:
    """Where they belong: as fields, parameters, headers, and names at a path's end."""
    operation = data.draw(st.sampled_from(OPERATIONS))
    known = [st.just(f"{name}=") for name in operation.query]
    query = data.draw(st.one_of(st.just(""), *known)) + quote_(data.draw(TEXTS))
    fields = sorted(SCHEMAS[operation.body].get("properties", {})) if operation.body else []
    bodies = st.dictionaries(st.sampled_from(fields or ["x"]), VALUES, max_size=5) | BODIES
    names = {}
    # Existing resources must stay for the other cases.
    if operation.method == "DELETE" or data.draw(st.integers(0, 3)) == 0:
        last = re.findall(r"{(\w+)}", operation.path)[-1:]
        names = dict.fromkeys(last, quote_(data.draw(TEXTS.filter(bool))))
    body = json.dumps(data.draw(bodies)).encode()
    status, answer = project.send(operation, body, query, data.draw(HEADERS), names)
    assert status == 200 or refused(status, answer), (operation.id, answer)


def quote_(text: str) -> str:
    return quote(text, safe="", errors="replace")


@pytest.mark.parametrize("harsh", HARSH.values(), ids=HARSH)
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("PATCH", "/absent")])
def test_expensive_bodies_are_refused_in_milliseconds(
    client: Client, method: str, path: str, harsh: str | bytes
) -> None:
    if path:
        made = client.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[1]
        path = "/" + made["name"].rpartition("/")[2]
    event = request(
        method,
        f"/v2/projects/{client.project}/dataconnectors{path}",
        harsh,
        headers=client.headers,
        encoded=isinstance(harsh, bytes),
    )
    with cpu.at_most(0.5):
        status, answer = answered(event)
    assert status in (400, 413), answer
    assert answer["code"] == status
