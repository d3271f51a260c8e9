"""Schemathesis makes requests from the OpenAPI document, and every answer conforms to it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    GenerationConfig,
    PhasesConfig,
)
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dataconnectors.api.openapi.document import build
from dataconnectors.api.openapi.schema import ID_PATTERN
from dataconnectors.identity import roles
from dataconnectors.identity.accounts import EMAIL_DOMAIN
from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES, Client, new_administrator
from tests.integration.test_sync import Invocations
from tests.support.api_server import Api
from tests.support.replays import a_replay

EXAMPLES = 8
"""Requests for each operation, in addition to those that break one keyword of its schemas each."""

URL = "https://example.com/hook"
INVOKE = "before-send.lambda.Invoke"

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

# Few texts are addresses, and no random one is valid as a connector's URL.
schemathesis.openapi.format(
    "uri", st.from_regex(r"https://[a-z]{1,9}\.example(/[a-z]{0,9})?", fullmatch=True)
)

COSTLY = [
    "createDataConnector",
    "publishEvents",
    "publishEmulatedEvent",
    "addOrganizationMember",
    "listOrganizationChanges",
]
"""Slow operations. Each new connector gets a queue, and events have so many keywords that breaking
each takes longer than everything else. The operation that changes a connector tries the schemas of
connectors, and the operations of projects try those of organizations."""

COSTLY_EXAMPLES = 10
"""Requests for each slow operation."""


def schema_with(*, breaks_keywords: bool, examples: int) -> Any:
    """The document as a schema for Schemathesis, which makes the same requests each time."""
    schema = schemathesis.openapi.from_dict(build())
    schema.app = Api(INGEST_ROUTES, config_api.lambda_handler).wsgi
    schema.config.generation = GenerationConfig(deterministic=True, max_examples=examples)
    schema.config.phases = PhasesConfig(
        coverage=CoveragePhaseConfig(
            enabled=breaks_keywords,
            generation=GenerationConfig(modes=[GenerationMode.NEGATIVE], deterministic=True),
            unexpected_methods=set(),
        )
    )
    return schema


usual = schema_with(breaks_keywords=True, examples=EXAMPLES).exclude(operation_id=COSTLY)
costly = schema_with(breaks_keywords=False, examples=COSTLY_EXAMPLES).include(operation_id=COSTLY)


class Things:
    """One resource of each kind in a new project. Deleted ones are created again."""

    def __init__(self, organizer: Client) -> None:
        self.headers = organizer.headers
        self._admin = new_administrator("Schemathesis")
        self._organizer = Client(organizer.account, self._admin.project)
        self._organizer.headers = organizer.headers
        self._made: dict[str, str] = {}
        self._operation = ""
        self._names: dict[str, str] = {}

    def names(self, operation: str) -> dict[str, str]:
        """The values of a path's parameters, which are looked up once for each operation."""
        if operation != self._operation:
            self._operation = operation
            account = self._one("/serviceaccounts", {})
            email = f"{account}@{self._admin.project}.{EMAIL_DOMAIN}"
            connector = self._one("/dataconnectors", {"httpConfig": {"url": URL}})
            self._names = {
                "project": self._admin.project,
                "connector": connector,
                "replay": self._replay(f"/dataconnectors/{connector}"),
                "device": self._one("/devices", {"type": "temperature"}),
                "account": account,
                "key": self._one(f"/serviceaccounts/{account}/keys", {}),
                "member": self._one("/members", {"email": email, "roles": [roles.USER]}),
            }
        return self._names

    def _replay(self, connector: str) -> str:
        """A running replay, which keeps another one from being started."""
        for replay in self._organizer.call("GET", f"{connector}/replays")[1]["replays"]:
            self._organizer.call(
                "POST", f"{connector}/replays/{replay['name'].split('/')[-1]}:cancel"
            )
        self._organizer.call("PATCH", connector, {"status": "ACTIVE", "events": []})
        status, answer = self._organizer.call("POST", f"{connector}:replay", a_replay())
        assert status == 200, answer
        return str(answer["name"].rpartition("/")[2])

    def _one(self, collection: str, body: dict[str, Any]) -> str:
        made = self._made.get(collection)
        if made is None or self._organizer.call("GET", f"{collection}/{made}")[0] != 200:
            status, answer = self._organizer.call("POST", collection, body)
            assert status == 200, answer
            made = answer.get("key", answer)["name"].rpartition("/")[2]
            self._made[collection] = made
        return made


@pytest.fixture(scope="module")
def things(organizer: Client, hurried: None) -> Iterator[Things]:
    """One set of resources for all tests. Lambda accepts invocations."""
    events, invocations = config_api.functions.meta.events, Invocations()
    events.register_first(INVOKE, invocations)
    yield Things(organizer)
    events.unregister(INVOKE, invocations)


def is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(ID_PATTERN, value) is not None


def check(case: Any, things: Things) -> None:
    """Send a request about existing resources, and check the answer."""
    names = things.names(case.operation.label)
    for name, value in case.path_parameters.items():
        if name in names and is_id(value):
            case.path_parameters[name] = names[name]
    case.call_and_validate(headers=things.headers, checks=CHECKS)


@usual.parametrize()  # type: ignore[untyped-decorator]  # chosen by attributes
def test_every_answer_conforms_to_the_document(case: Any, things: Things) -> None:
    check(case, things)


@costly.parametrize()  # type: ignore[untyped-decorator]  # chosen by attributes
def test_every_answer_of_slow_operations_conforms_to_the_document(
    case: Any, things: Things
) -> None:
    check(case, things)
