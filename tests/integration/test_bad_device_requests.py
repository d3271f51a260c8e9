"""Invalid requests to the routes of devices, labels and history get a 4xx within little CPU
time."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.conftest import Client
from tests.support import cpu

MILLISECONDS = 300
"""CPU seconds for one request and moto's work for it."""

TEXTS = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'""',
    b"0",
    b"1e999",
    b"NaN",
    b"\xff\xfe",
    b'"\\ud800"',
    b"[" * 10_000,
    b'{"a":' * 10_000,
    b'{"devices":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'"' + b"x" * (1024 * 1024 - 2) + b'"',
    b"\x00",
]

VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**400,
    "",
    "\x00",
    "\ud800",
    "x" * 100_000,
    [],
    [None],
    [[]],
    {},
    {"a": None},
    {"a": {"b": []}},
    {"\ud800": "\ud800"},
    {"x" * 65: ""},
    {"a": "x" * 257},
]

TARGETS = [
    ("POST", "/devices", ("type", "labels")),
    ("POST", "/devices:batchUpdate", ("devices", "addLabels", "removeLabels")),
    ("POST", "/devices:transfer", ("devices",)),
    ("PUT", "/devices/{device}", ("labels",)),
    ("PATCH", "/devices/{device}/labels/a", ("value",)),
]

VALID: dict[str, Any] = {
    "type": "touch",
    "labels": {"a": "b"},
    "devices": ["projects/p/devices/d"],
    "addLabels": {"a": "b"},
    "removeLabels": ["c"],
    "value": "x",
}


def answered(client: Client, method: str, path: str, body: Any, query: str = "") -> int:
    with cpu.at_most(MILLISECONDS / 1000):
        status, content = client.call(method, path, body, query=query)
    assert status in (200, 400, 404, 413), content
    if status != 200:
        assert content["code"] == status
        assert len(content["error"]) < 1000
    return status


@pytest.fixture
def device(client: Client) -> str:
    return str(client.call("POST", "/devices", {"type": "touch"})[1]["name"]).rsplit("/", 1)[1]


@pytest.mark.parametrize(("method", "path", "fields"), TARGETS)
def test_any_body_is_answered_without_a_server_error(
    client: Client, device: str, method: str, path: str, fields: tuple[str, ...]
) -> None:
    path = path.format(device=device)
    for text in TEXTS:
        assert answered(client, method, path, text.decode("latin-1")) != 200
    for field in fields:
        for value in VALUES:
            body = {name: VALID[name] for name in fields} | {field: value}
            answered(client, method, path, json.dumps(body))
        duplicate = json.dumps(VALID)[:-1] + f', "{field}": 7}}'
        answered(client, method, path, duplicate)


@pytest.mark.parametrize(
    "name",
    [
        *("query", "device_ids", "device_types", "label_filters", "order_by", "product_numbers"),
        *("pageSize", "pageToken", "page_size", "organization", "projects"),
    ],
)
def test_any_query_of_a_list_is_answered_without_a_server_error(client: Client, name: str) -> None:
    anywhere = Client(client.account, "-")
    anywhere.headers = client.headers
    for value in ("", "\x00", "a" * 5000, "%", "é", "-", "-1", ".", "reported..", "W10", "=", "{}"):
        for text in (quote(value), value.encode("ascii", "replace").decode()):
            answered(client, "GET", "/devices", None, f"{name}={text}")
            answered(anywhere, "GET", "/devices", None, f"{name}={text}")


@pytest.mark.parametrize(
    "name", ["startTime", "endTime", "eventTypes", "pageSize", "pageToken", "end_time"]
)
def test_any_query_of_history_is_answered_without_a_server_error(
    client: Client, device: str, name: str
) -> None:
    times = ("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-01T00:00:00Z")
    for value in ("", "\x00", "a" * 5000, "%", "é", "-1", "W10", "1e9", *times):
        answered(client, "GET", f"/devices/{device}/events", None, f"{name}={quote(value)}")


@pytest.mark.parametrize("name", ["%00", "a%20b", "%F0%9F%98%80", "x" * 3000, "..", "a%2Fb", "-"])
def test_any_name_in_a_path_is_answered_without_a_server_error(client: Client, name: str) -> None:
    for path in (f"/devices/{name}", f"/devices/{name}/events", f"/dataconnectors/{name}:sync"):
        method = "POST" if path.endswith("sync") else "GET"
        assert answered(client, method, path, None) == 404
    for path in (f"/devices/{name}/labels/a", f"/devices/d1/labels/{name}"):
        assert answered(client, "PATCH", path, {"value": "x"}) in (400, 404)
