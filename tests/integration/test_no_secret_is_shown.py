"""What changes nothing, called by each role: no answer and no line of the log has a secret.

The routes are those of the table in test_permissions.py, which is compared with what is served: a
new one is swept too, and fails until `Life` has something for it to show.
"""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataconnectors.identity import roles
from functions.config_api import app as config_api
from tests.integration.conftest import Client
from tests.integration.test_attempts import KEY, SECRET, TOKEN, Stack, repeating
from tests.integration.test_permissions import ROUTES
from tests.integration.test_sync import Invocations, invocations  # noqa: F401  # a fixture
from tests.support.http_api import LambdaContext, request
from tests.support.replays import a_replay

NEW_SECRET = "the secret that has replaced the first one"

CONNECTORS = "/v2/projects/<project>/dataconnectors"
CONNECTOR = f"{CONNECTORS}/<connector>"
PREVIEW = f"POST {CONNECTOR}:preview"  # a POST only because it has a body

READING = [*(route for route in ROUTES if route.startswith("GET ")), PREVIEW]

OWNERS = {
    f"GET {CONNECTORS}": {"signature secret", "header", "query of the URL"},
    f"GET {CONNECTOR}": {"signature secret", "header", "query of the URL"},
    PREVIEW: {"header", "query of the URL"},
}
"""What callers see who may change the connector."""


class Life:
    """A project with something of each kind, whose endpoint fails and repeats what it got."""

    def __init__(self, admin: Client, folder: Path) -> None:
        stack = Stack(admin, folder, repeating(KEY))
        rotated = {"httpConfig": {"signatureSecret": NEW_SECRET, "keepPreviousSecret": True}}
        with stack.endpoint, closing(stack.transport):
            stack.deliver("before")
            assert admin.call("PATCH", stack.path, rotated)[0] == 200
            stack.deliver("after")
        device = admin.call("GET", "/devices")[1]["devices"][0]
        account = admin.call("POST", "/serviceaccounts", {"displayName": "x"})[1]
        invited = {"email": "somebody@example.com", "roles": [roles.USER]}
        key = admin.call("POST", f"/serviceaccounts/{_id(account)}/keys")[1]
        self._ids = {
            "project": admin.project,
            "organization": "default",
            "role": "project.user",
            "connector": stack.path.rpartition("/")[2],
            "attempt": _id(stack.attempts()["attempts"][0]),
            "replay": _id(admin.call("POST", f"{stack.path}:replay", a_replay())[1]),
            "device": _id(device),
            "account": _id(account),
            "key": _id(key["key"]),
            "member": _id(admin.call("POST", "/members", invited)[1]),
            "tryout": _id(admin.call("POST", "/tryouts", {})[1]),
        }
        signatures = [
            match[1]
            for head, _ in stack.endpoint.requests
            for match in re.finditer(r"(?im)^x-dt-signature(?:-previous)?: (\S+)", head)
        ]
        assert len(signatures) == 3
        self.secrets = {
            "signature secret": NEW_SECRET,
            "previous secret": SECRET,
            "header": KEY,
            "query of the URL": TOKEN,
            "key of an account": key["secret"],
            "key of the administrator": admin.account["secret"],
            **{f"signature {number}": text for number, text in enumerate(signatures)},
        }

    def seen(self, caller: Client, role: str) -> dict[str, set[str]]:
        """The secrets in the answers to a caller with this role, by the routes that have some."""
        found: dict[str, set[str]] = {}
        for route in READING:
            status, text = self._read(route, caller)
            assert status == self._expected(route, role), (route, text)
            names = {name for name, secret in self.secrets.items() if secret in text}
            if names:
                found[route] = names
        return found

    def _read(self, route: str, caller: Client) -> tuple[int, str]:
        """The status of the answer to a route, and all of its text."""
        method, _, path = route.partition(" ")
        path = re.sub(r"<(\w+)>", lambda match: self._ids[match[1]], path)
        query = f"event=after&device={self._ids['device']}" if path.endswith(":explain") else ""
        event = {"event": "after", "device": self._ids["device"]} if method == "POST" else None
        answer = config_api.lambda_handler(
            request(method, path, event, headers=caller.headers, query=query), LambdaContext()
        )
        return answer["statusCode"], json.dumps(answer, ensure_ascii=False)

    def _expected(self, route: str, role: str) -> int:
        """By the table of routes. Who is no member of the organization does not see it."""
        if role.rpartition(".")[2] in ROUTES[route]:
            return 200
        return 404 if "<organization>" in route else 403


def _id(resource: dict[str, Any]) -> str:
    return str(resource["name"]).rpartition("/")[2]


@pytest.fixture
def life(client: Client, tmp_path: Path, invocations: Invocations) -> Life:  # noqa: F811
    return Life(client, tmp_path)


def test_no_answer_and_no_line_shows_a_secret_to_who_may_not_change_it(
    life: Life,
    client: Client,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for role in (roles.USER, roles.PUBLISHER):
        assert life.seen(client.account_with(role), role) == {}
    for role in (roles.DEVELOPER, roles.ADMIN):
        assert life.seen(client.account_with(role), role) == OWNERS
    written = capsys.readouterr()
    lines = [
        repr(
            [record.__dict__ for phase in ("setup", "call") for record in caplog.get_records(phase)]
        ),
        written.out,
        written.err,
    ]
    assert "delivery.failed" in lines[0]
    assert [name for name, secret in life.secrets.items() if secret in "".join(lines)] == []
