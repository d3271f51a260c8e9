"""Credentials, page tokens, times and names that an attacker sends are refused."""

import base64
import json
import re
import time
from typing import Any

import pytest

from dataconnectors.api.openapi.operations import OPERATIONS
from dataconnectors.kernel import times
from dataconnectors.store import keys
from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES, Client, new_administrator
from tests.support.api_server import Api
from tests.support.http_api import LambdaContext, content, request


def encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def jwt_with(header: bytes) -> str:
    return f"{encoded(header)}.e30.x"


def call(path: str, headers: dict[str, str], query: str = "") -> tuple[int, Any]:
    event = request("GET", path, headers=headers, query=query)
    answer = config_api.lambda_handler(event, LambdaContext())
    return answer["statusCode"], content(answer)


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic é",
        "Basic " + base64.b64encode("é:é".encode()).decode(),
        "Basic " + base64.b64encode(b"\x00:\x00").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic ===",
        "Basic",
        "Bearer",
        "Bearer é.é.é",
        "Bearer \ud800.a.b",
        "Bearer " + jwt_with(b"[" * 2900),
        "Bearer " + jwt_with(b'{"alg":"HS256","kid":' + b"9" * 2500 + b"}"),
        "Bearer " + jwt_with(b'{"alg":"HS256","kid":["a"]}'),
        "Bearer " + jwt_with(b'{"alg":"HS256","kid":"\\u0000"}'),
        "Bearer " + jwt_with(b'{"alg":"HS256","kid":"\\ud800"}'),
        "Bearer " + jwt_with(b'{"alg":"none","kid":"a"}'),
        "Bearer " + jwt_with(b'{"alg":"HS256","kid":"a","b64":false,"crit":["b64"]}'),
        "Bearer " + jwt_with(b"\xff"),
    ],
)
def test_strange_credentials_are_a_401(client: Client, authorization: str) -> None:
    status, answer = call(f"/v2/projects/{client.project}", {"authorization": authorization})
    assert (status, answer["code"]) == (401, 401), answer


YESTERDAY = time.time() - 86400

POSITIONS: dict[str, bytes] = {
    "a number that is no double": b'[[0,%s,""],"a"]' % (b"9" * 400),
    "no number": b'[[0,NaN,""],"a"]',
    "infinity": b'[[0,1e999,""],"a"]',
    "a truth value": b'[[true,true,""],"a"]',
    "a kind that there is not": b'[[%s,0,""],"a"]' % (b"9" * 400),
    "half a character": json.dumps([times.to_text(YESTERDAY) + "#\ud800"]).encode(),
    "half a character in an order": b'[[1,0,"\\ud800"],"a"]',
    "half a character in an id": b'["a\\ud800"]',
    "a NUL": json.dumps([times.to_text(YESTERDAY) + "#\0"]).encode(),
    "longer than a key": json.dumps([times.to_text(YESTERDAY) + "#" + "x" * 1100]).encode(),
    "a long time": json.dumps([keys.history_sort(YESTERDAY, "x" * 1100)]).encode(),
    "a long id": json.dumps(["a" * 1100]).encode(),
    "no text": b'[""]',
    "deep": b"[" * 1500,
    "an object": b"{}",
    "nothing": b"",
    "the partition of another": b'["AUDIT#projects/another"]',
}


@pytest.fixture(scope="module")
def places(organizer: Client, hurried: None) -> list[tuple[str, str]]:
    """Every list of the API, with the other parameters of its query. The organizer may read
    them."""
    admin = new_administrator("Lists")
    connector = {"httpConfig": {"url": "https://a.example"}}
    made = admin.call("POST", "/dataconnectors", connector)[1]["name"]
    device = admin.call("POST", "/devices", {"type": "touch"})[1]["name"]
    account = admin.call("GET", "/serviceaccounts")[1]["serviceAccounts"][0]["name"]
    project = f"projects/{admin.project}"
    return [
        ("organizations", ""),
        ("organizations/default/audit", ""),
        ("organizations/default/members", ""),
        ("projects", ""),
        ("projects/-/devices", ""),
        ("roles", ""),
        (f"{account}/keys", ""),
        (f"{device}/events", ""),
        (f"{device}/events", "eventTypes=touch&"),
        (f"{made}/expired", ""),
        (f"{project}/audit", ""),
        (f"{project}/dataconnectors", ""),
        (f"{project}/devices", ""),
        (f"{project}/devices", "order_by=-type&"),
        (f"{project}/devices", "order_by=labels.name&"),
        (f"{project}/members", ""),
        (f"{project}/serviceaccounts", ""),
    ]


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
def test_a_forged_page_token_is_answered_without_a_server_error(
    organizer: Client, places: list[tuple[str, str]], position: bytes
) -> None:
    for path, query in places:
        status, answer = call(
            f"/v2/{path}", organizer.headers, f"{query}pageToken={encoded(position)}"
        )
        assert status in (200, 400), (path, answer)


@pytest.mark.parametrize(
    "query",
    [
        "startTime=1800-01-01T00:00:00Z&endTime=1900-01-01T00:00:00Z",
        "startTime=2020-01-01T00:00:00Z&endTime=2021-01-01T00:00:00Z",
        "startTime=9999-01-01T00:00:00Z",
        "startTime=2300-01-01T00:00:00Z",
        "startTime=2300-01-01T00:00:00Z&endTime=9999-12-31T23:59:59-23:59",
    ],
)
def test_a_time_range_without_events_is_empty(client: Client, query: str) -> None:
    path = client.call("POST", "/devices", {"type": "touch"})[1]["name"]
    below = path.removeprefix(f"projects/{client.project}")
    assert client.call("POST", f"{below}:publish", {"touch": {}})[0] == 200
    assert call(f"/v2/{path}/events", client.headers, query)[1]["events"] == []
    for everything in ("", "endTime=2300-01-01T00:00:00Z", "startTime=0001-01-01T00:00:00Z"):
        assert len(call(f"/v2/{path}/events", client.headers, everything)[1]["events"]) == 1


STRANGE = [
    "%00",
    "a%20b",
    "%F0%9F%98%80",
    "%ED%A0%80",
    "x" * 3000,
    "..",
    "a%2Fb",
    "-",
    "%25",
    "a:b",
]


@pytest.mark.parametrize("strange", STRANGE, ids=lambda strange: strange[:10])
def test_an_odd_name_at_any_place_of_a_path_is_not_found(
    organizer: Client, places: list[tuple[str, str]], strange: str
) -> None:
    """The other names in the path are those of existing resources."""
    api = Api(INGEST_ROUTES, config_api.lambda_handler)
    account = next(place.split("/")[-2] for place, _ in places if place.endswith("/keys"))
    device = next(place.split("/")[-2] for place, _ in places if place.endswith("/events"))
    connector = next(place.split("/")[-2] for place, _ in places if place.endswith("/expired"))
    names = {
        "project": places[-1][0].split("/")[1],
        "organization": "default",
        "connector": connector,
        "device": device,
        "account": account,
        "member": account,
        "key": "absent",
        "replay": "absent",
        "attempt": "absent",
        "tryout": "absent",
    }
    for operation in OPERATIONS:
        for name in re.findall(r"{(\w+)}", operation.path):
            if name == "label":
                continue  # a name that may be any text
            path = operation.path.format(**(names | {"role": "", "label": "a", name: strange}))
            answer = api.answer(operation.method, f"/v2{path}", organizer.headers, b"{}")
            expected = (200, 404) if (name, strange) == ("project", "-") else (400, 404, 405)
            assert answer["statusCode"] in expected, (operation.id, name, answer["body"])
