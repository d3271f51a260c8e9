"""The handlers over moto, with the template's table and key and a function for mappings."""

import json
import os
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import disruptive
import jwt
import pytest
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends

from functions.admin import app as admin
from functions.config_api import app as config_api
from functions.ingest import app as ingest
from functions.replay import app as replay
from tests.support import dynamodb_rules, moto_mappings
from tests.support.api_server import Handler, serving
from tests.support.aws import make_dead_letter_queue, make_key, make_sender, make_table
from tests.support.http_api import LambdaContext, content, request

TOKEN_ENDPOINT = "https://api.example.com/v2/oauth2/token"  # a URL
GRANT_TYPE = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"


@pytest.fixture(scope="module", autouse=True)
def stack() -> Iterator[None]:
    """One stack for the tests of a module. Each test creates its own project.

    The stack does not last for the whole session, because an active mock would share its state with
    the tests of other folders.
    """
    with mock_aws(), moto_mappings.ignored_by_queues():
        make_table()
        make_key()
        make_sender()
        make_dead_letter_queue()
        for app in (config_api, ingest):
            # The keys that signed an earlier module's tokens were in a table that is gone.
            app.signing_keys.forget()
        ends = [dynamodb_rules.keep(app.table.dynamodb) for app in (config_api, ingest, replay)]
        yield
        for end in ends:
            end()
        audited = audit_log()
        assert [secret for secret in SECRETS if secret in audited] == []
        SECRETS.clear()


SECRETS: set[str] = set()
"""Secrets in the requests and answers of a module's tests, which must not be in the audit log."""

SECRET_FIELDS = ("secret", "signatureSecret", "access_token", "url")
SHORTEST_SECRET = 8
"""Characters. Shorter secrets may be parts of other words."""


def note_secrets(content: Any) -> None:
    """Remember the secrets of a body, among them the values of a connector's headers."""
    if isinstance(content, list):
        for entry in content:
            note_secrets(entry)
    elif isinstance(content, dict):
        headers = content.get("headers")
        found = [*(headers.values() if isinstance(headers, dict) else ())]
        found += [content.get(name) for name in SECRET_FIELDS]
        for secret in found:
            if isinstance(secret, str) and len(secret) >= SHORTEST_SECRET:
                SECRETS.add(secret)
        for entry in content.values():
            note_secrets(entry)


def audit_log() -> str:
    """Every audit entry of every project and organization, as it is stored.

    They are read from moto's memory, because its scan takes seconds.
    """
    backend = dynamodb_backends["123456789012"]["us-east-1"]
    partitions = backend.tables[os.environ["TABLE_NAME"]].items
    found = [
        item.to_json()
        for partition, items in partitions.items()
        if partition.value.startswith("AUDIT#")
        for item in items.values()
    ]
    assert found
    return json.dumps(found, ensure_ascii=False)


class Client:
    """A service account that calls the handlers as the HTTP API would."""

    def __init__(self, account: dict[str, str], project: str) -> None:
        self.account = account
        self.project = project
        self.headers: dict[str, str] = {}

    def assertion(self, **changes: Any) -> str:
        """The assertion that the vendor's SDK signs, with changes."""
        now = int(time.time())
        claims = {
            "iat": now,
            "exp": now + 3600,
            "aud": TOKEN_ENDPOINT,
            "iss": self.account["email"],
        } | changes
        return jwt.encode(
            claims, self.account["secret"], "HS256", headers={"kid": self.account["keyId"]}
        )

    def log_in(self) -> "Client":
        """Exchange an assertion for a token, and use it from now on."""
        status, answer = self.exchange(self.assertion())
        assert status == 200, answer
        note_secrets(answer)
        note_secrets(self.account)
        self.headers = {"authorization": f"Bearer {answer['access_token']}"}
        return self

    def account_with(self, role: str) -> "Client":
        """Log in another account of the project, with a role in it or none."""
        status, account = self.call("POST", "/serviceaccounts", {"displayName": role})
        assert status == 200, account
        path = account["name"].removeprefix(f"projects/{self.project}")
        key = self.call("POST", f"{path}/keys")[1]
        if role:
            member = {"email": account["email"], "roles": [role]}
            assert self.call("POST", "/members", member)[0] == 200
        fields = {"keyId": key["key"]["id"], "secret": key["secret"], "email": account["email"]}
        return Client(fields, self.project).log_in()

    def exchange(self, assertion: str) -> tuple[int, Any]:
        """Call the token endpoint with a form, which arrives in base64."""
        form = f"assertion={assertion}&{GRANT_TYPE}"
        event = request("POST", "/v2/oauth2/token", form, encoded=True)
        answer = config_api.lambda_handler(event, LambdaContext())
        return answer["statusCode"], content(answer)

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Send a request below the project to the function that the API's routes name."""
        path = f"/v2/projects/{self.project}{path}"
        event = request(method, path, body, headers=self.headers, **options)
        below = path.split("/")[4:]
        to_ingest = method == "POST" and (
            below == ["events"] or (len(below) == 2 and below[0] == "devices")
        )
        handler: Handler = ingest.lambda_handler if to_ingest else config_api.lambda_handler
        answer = handler(json.loads(json.dumps(event)), LambdaContext())
        shown = content(answer)
        note_secrets(body)
        note_secrets(shown)
        return answer["statusCode"], shown


def new_administrator(display_name: str, **options: Any) -> Client:
    """Create an administrator of a new project, as a deployer does, and log in."""
    request = {"displayName": display_name, "tokenEndpoint": TOKEN_ENDPOINT} | options
    made = admin.lambda_handler(request, LambdaContext())
    return Client(made["serviceAccount"], made["project"]).log_in()


@pytest.fixture(scope="module", autouse=True)
def organizer(stack: None) -> Client:
    """The first administrator, who administers the organization. Made here, so that no test's
    administrator is the first one."""
    return new_administrator("The first")


@pytest.fixture
def client() -> Client:
    """The administrator of a new project."""
    return new_administrator("Tests")


INGEST_ROUTES: dict[str, Handler] = {
    "POST /v2/projects/{project}/devices/{device}": ingest.lambda_handler,
    "POST /v2/projects/{project}/events": ingest.lambda_handler,
}


@pytest.fixture(scope="module")
def base_url(stack: None) -> Iterator[str]:
    """The URL of the handlers on a port of this machine."""
    with serving(INGEST_ROUTES, config_api.lambda_handler) as url:
        yield url


@pytest.fixture(scope="module")
def hurried(stack: None) -> Iterator[None]:
    """Leave out the waits until a queue or a disabled connector has settled. Here both do at
    once."""
    service: Any = config_api.connector_service
    before = service._sleep, service._provision
    service._sleep = lambda _: None
    service._provision = partial(config_api.provision, sleep=service._sleep)
    yield
    service._sleep, service._provision = before


def sdk_options(client: Client, base_url: str) -> dict[str, Any]:
    """The options with which a call of the vendor's SDK comes from the client and arrives here."""
    auth = disruptive.Auth.service_account(
        client.account["keyId"], client.account["secret"], client.account["email"]
    )
    auth.token_endpoint = f"{base_url}/oauth2/token"
    return {"auth": auth, "base_url": base_url, "request_timeout": 30}
