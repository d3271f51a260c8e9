"""Every route answers any body with success or the error JSON, and never with a server error."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from dataconnectors.api.openapi.document import build
from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.operations import OPERATIONS
from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES, Client, new_administrator
from tests.integration.test_sync import Invocations
from tests.support import cpu
from tests.support.api_server import Api
from tests.support.attempts import save_attempt
from tests.support.replays import a_replay

INVOKE = "before-send.lambda.Invoke"

CPU_SECONDS = 0.5
"""CPU seconds of one request with moto's work, some ten times what the request takes alone."""

DEEP = 10_000
LONG = "x" * 1_000_000

TEXTS: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep and unclosed": b"[" * DEEP,
    "infinity": b'{"displayName": 1e999}',
    "not a number": b'{"displayName": NaN}',
    "a long number": b'{"displayName": ' + b"9" * 100_000 + b"}",
    "no UTF-8": b'{"displayName": "\xff"}',
    "a NUL outside of texts": b'{"displayName": \x00}',
    "a byte order mark": b'\xef\xbb\xbf{"displayName": ""}',
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "a number": b"1",
    "a long text": json.dumps(LONG).encode(),
    "a long name of a field": json.dumps({LONG: 1}).encode(),
    "more than a body may have": b" " * (2 * 1024 * 1024),
}
"""Bodies that no route accepts."""

VALUES: dict[str, Any] = {
    "true": True,
    "a number": 1,
    "a negative fraction": -0.5,
    "a text": "text",
    "no text": "",
    "a long text": LONG,
    "half a character": "\ud800",
    "a NUL": "\x00",
    "CR and LF": "a\r\nb",
    "a list": [],
    "a list of null": [None],
    "a list of lists": [[]],
    "a list of halves": ["\ud800"],
    "a list of objects": [{}],
    "an object": {},
    "an object of objects": {"a": {}},
    "an object of halves": {"\ud800": "\ud800"},
    "an object of NULs": {"\x00": "\x00"},
    "deep lists": json.loads("[" * 40 + "]" * 40),
}
"""Values that replace each field of each body. Some are valid in some fields."""

WRITES = [operation for operation in OPERATIONS if operation.body and not operation.is_form]
SCHEMAS = build()["components"]["schemas"]


class Project:
    """A project with a resource of each kind, whose names are used in paths."""

    def __init__(self, organizer: Client) -> None:
        """Nothing is synced, because Lambda accepts invocations and does nothing."""
        self._invocations = Invocations()
        config_api.functions.meta.events.register_first(INVOKE, self._invocations)
        self._api = Api(INGEST_ROUTES, config_api.lambda_handler)
        self._headers = organizer.headers
        admin = new_administrator("Bad input")
        connector = {"httpConfig": {"url": "https://example.com"}}
        account = admin.call("POST", "/serviceaccounts", {})[1]
        member = {"email": account["email"], "roles": ["roles/project.user"]}
        self.names = {
            "project": admin.project,
            "key": admin.account["keyId"],
            "role": "project.user",
            "connector": self._id(admin.call("POST", "/dataconnectors", connector)[1]),
            "device": self._id(admin.call("POST", "/devices", {"type": "touch"})[1]),
            "account": self._id(account),
            "member": self._id(admin.call("POST", "/members", member)[1]),
            "organization": "default",
            "label": "name",
        }
        path = f"/dataconnectors/{self.names['connector']}"
        self.names["replay"] = self._id(admin.call("POST", f"{path}:replay", a_replay())[1])
        self.names["tryout"] = self._id(admin.call("POST", "/tryouts", {})[1])
        self.names["attempt"] = save_attempt(f"projects/{admin.project}{path}")
        admin.call("PATCH", path, {"status": "USER_DISABLED"})

    def close(self) -> None:
        """Let moto answer calls to Lambda again."""
        config_api.functions.meta.events.unregister(INVOKE, self._invocations)

    @staticmethod
    def _id(made: dict[str, str]) -> str:
        return made["name"].rpartition("/")[2]

    def send(
        self,
        operation: Operation,
        body: bytes = b"",
        query: str = "",
        headers: Mapping[str, str] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:
        """An operation's answer, which must take little CPU for any input."""
        path = "/v2" + operation.path.format(**self.names | dict(names or {}))
        sent = self._headers | {"content-type": "application/json"} | dict(headers or {})
        with cpu.at_most(CPU_SECONDS, (operation.id, len(body))):
            answer = self._api.answer(operation.method, f"{path}?{query}", sent, body)
        text = answer["body"]
        return answer["statusCode"], text if operation.answer is None else json.loads(text)


@pytest.fixture(scope="module")
def project(organizer: Client, hurried: None) -> Iterator[Project]:
    """One project for all tests, because what a body changes does not affect the others."""
    made = Project(organizer)
    yield made
    made.close()


@pytest.fixture(scope="module")
def small(organizer: Client, hurried: None) -> Iterator[Project]:
    """A project to which nothing is added, so that its lists stay short."""
    made = Project(organizer)
    yield made
    made.close()


def refused(status: int, answer: Any) -> bool:
    return 400 <= status < 500 and answer["code"] == status and bool(answer["error"])


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.id)
def test_an_invalid_body_is_refused(project: Project, operation: Operation) -> None:
    for what, body in TEXTS.items():
        status, answer = project.send(operation, body)
        assert refused(status, answer), (what, status, str(answer)[:300])


def spoilt(example: Any) -> Iterator[tuple[str, Any]]:
    """Copies of an example in which one value, at any depth, is replaced by a wrong one."""
    if isinstance(example, dict | list):
        for key, value in example.items() if isinstance(example, dict) else enumerate(example):
            replaced = [*VALUES.items(), *spoilt(value)]
            for what, wrong in replaced:
                copied = example.copy()
                copied[key] = wrong
                yield f"{key}: {what}", copied


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.id)
def test_a_wrong_value_in_any_field_is_answered_without_a_server_error(
    project: Project, operation: Operation
) -> None:
    assert operation.body is not None
    count = 0
    for what, body in spoilt(SCHEMAS[operation.body]["examples"][0]):
        status, answer = project.send(operation, json.dumps(body).encode())
        assert status == 200 or refused(status, answer), (what, status, str(answer)[:300])
        count += 1
    assert count >= len(VALUES)


@pytest.mark.parametrize("operation", WRITES, ids=lambda operation: operation.id)
def test_the_last_of_several_fields_with_the_same_name_counts(
    project: Project, operation: Operation
) -> None:
    """JavaScript reads such bodies in the same way."""
    assert operation.body is not None
    example = SCHEMAS[operation.body]["examples"][0]
    name = next(iter(example))
    twice = f'{{"{name}": {json.dumps(example[name])}, "{name}": {{"a": [[]]}}}}'
    assert refused(*project.send(operation, twice.encode()))


@pytest.mark.parametrize(
    "query", ["%00", "%ED%A0%80", "%FF", "x" * 5000, "9" * 5000, "-1", "1e999"]
)
@pytest.mark.parametrize(
    "operation",
    [operation for operation in OPERATIONS if operation.method == "GET" and operation.query],
    ids=lambda operation: operation.id,
)
def test_an_odd_query_is_answered_without_a_server_error(
    project: Project, operation: Operation, query: str
) -> None:
    for name in operation.query:
        status, answer = project.send(operation, query=f"{name}={query}")
        assert status == 200 or refused(status, answer), name


READS = [each for each in OPERATIONS if not each.body and not each.is_form]


@pytest.mark.parametrize("operation", READS, ids=lambda operation: operation.id)
def test_an_unexpected_body_is_answered_without_a_server_error(
    small: Project, operation: Operation
) -> None:
    last = operation.path.rpartition("{")[2].rstrip("}")
    names = {last: "absent"} if operation.method == "DELETE" else {}
    for what, body in TEXTS.items():
        status, answer = small.send(operation, body, names=names)
        if operation.answer is not None:
            assert status == 200 or refused(status, answer), (what, status, str(answer)[:300])
        assert status < 500, what


TOKENS = [each for each in OPERATIONS if each.is_form]
FORMS = ["", "x", "é", "\x00", "a.b.c", "." * 1000, LONG, "[" * DEEP]


@pytest.mark.parametrize("operation", TOKENS, ids=lambda operation: operation.id)
def test_an_invalid_form_is_refused(project: Project, operation: Operation) -> None:
    forms = [f"grant_type={quote(value)}&assertion={quote(value)}".encode() for value in FORMS]
    for body in [*TEXTS.values(), *forms]:
        assert refused(*project.send(operation, body)), body[:80]
