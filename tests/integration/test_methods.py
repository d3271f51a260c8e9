"""Every path serves its methods, and answers others with 405 and the allowed methods."""

import json
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES
from tests.integration.test_permissions import registered
from tests.support.api_server import Api
from tests.support.aws import template

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")

API = Api(INGEST_ROUTES, config_api.lambda_handler)


def served() -> dict[str, set[str]]:
    """The methods of each path of both functions, with `<name>` for its parameters."""
    found: dict[str, set[str]] = {}
    for route in registered():
        method, _, path = route.partition(" ")
        found.setdefault(path, set()).add(method)
    return found


SERVED = served()

PUBLISHING = ("/v2/projects/<project>/events", "/v2/projects/<project>/devices/<device>:publish")
"""The paths that API Gateway routes to ingest, in one spelling only."""

SIGN_IN = "/v2/oidc/token"
"""The path that API Gateway serves with an authorizer, if people may sign in. It has none here."""

IDS = {
    "an id": "some-id",
    "a dot": "some.id",
    "dots": "..",
    "one dash": "-",
    "a space": "some id",
    "a comma": "some,id",
    "no ASCII": "é",
    "a percent sign": "100%",
    "a backslash and a quote": '\\"',
    "a line feed": "some\n",
    "a colon": "some:id",
    "a colon at the end": "some:",
    "a verb that there is not": "some:bogus",
    "a verb alone": ":publish",
    "a long text": "x" * 300,
}
"""Values of a path's parameters. Most of them are invalid as ids, but each makes a path of the
API."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": lambda path: path,
    "an encoded colon": lambda path: path.replace(":", "%3A"),
    "a slash at the end": lambda path: f"{path}/",
    "two slashes": lambda path: path.replace("/v2/", "/v2//"),
    "encoded letters": lambda path: path.replace("o", "%6f"),
}
"""How clients spell a path: a base URL may end with a slash, and a client may encode anything."""


def filled(path: str, value: str) -> str:
    """A path with a value for its parameters, encoded as far as clients have to encode it."""
    return re.sub(r"<\w+>", lambda _: quote(value, safe=":@-._~"), path)


def check_every_method(path: str, known_as: str, methods: set[str], *, served: bool = True) -> None:
    """Send each method. Those of the path are `served`, and others get 405 with `Allow`.

    The error names the path `known_as`. A path that publishes is served in one spelling only. In
    other spellings, its method gets 404.
    """
    for method in METHODS:
        answer = API.answer(method, path, {}, b"")
        if method in methods:
            # The requests have no credentials and no body. Only public paths answer with 200.
            assert answer["statusCode"] in ((200, 400, 401) if served else (404,)), (method, answer)
            continue
        assert answer["statusCode"] == 405, (method, path, answer)
        names = ", ".join(sorted(methods))
        assert answer["headers"]["Allow"] == names
        error = json.loads(answer["body"])
        assert error["code"] == 405
        assert error["error"] == f"{known_as:.200} is served with {names}"


def test_the_routes_to_ingest_are_those_of_the_template() -> None:
    """The tests therefore call the function to which API Gateway sends a request."""
    resources = [each.get("Properties", {}) for each in template()["Resources"].values()]
    targets = {each["RouteKey"]: each["Target"] for each in resources if "RouteKey" in each}
    for route in ("$default", f"POST {SIGN_IN}"):
        assert targets.pop(route) == "Sub integrations/${ConfigApiIntegration}"
    assert targets.pop("POST /try/{name}") == "Sub integrations/${TryOutIntegration}"
    assert targets.pop("ANY /console/{path+}") == "Sub integrations/${ConsoleIntegration}"
    assert targets == dict.fromkeys(INGEST_ROUTES, "Sub integrations/${IngestIntegration}")


@pytest.mark.parametrize("value", IDS.values(), ids=IDS)
@pytest.mark.parametrize("path", sorted(path for path in SERVED if "<" in path))
def test_a_path_with_any_ids_serves_its_methods_and_names_them(path: str, value: str) -> None:
    known_as = filled(path, value)
    check_every_method(known_as, known_as, SERVED[path])


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("path", sorted(SERVED))
def test_a_path_in_any_spelling_serves_its_methods_and_names_them(
    path: str, spell: Callable[[str], str]
) -> None:
    known_as = filled(path, "some-id")
    spelt = spell(known_as)
    is_routed = "//" not in spelt and not spelt.endswith("/")
    served = path != SIGN_IN and (is_routed or path not in PUBLISHING)
    check_every_method(spelt, known_as, SERVED[path], served=served)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/nothing",
        "/v2/projects/p/nothing",
        "/v2/projects/p/devices/d/nothing",
        "/v2/projects/p/devices:bogus",
        "/v2/projects/p/events/e",
        "/v1/projects",
    ],
)
def test_an_unknown_path_is_not_found_with_any_method(method: str, path: str) -> None:
    answer = API.answer(method, path, {}, b"")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == 404


@pytest.mark.parametrize("path", ["/v2/projects/p/events", "/v2/projects/p/devices/d:publish"])
def test_publishing_to_another_spelling_of_the_path_is_answered_with_the_path(path: str) -> None:
    """A base URL that ends with a slash leads to such a path, which API Gateway does not send to
    ingest."""
    spelt = path.replace("/projects", "//projects")
    answer = API.answer("POST", spelt, {}, b"")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"] == f"POST {spelt} is not served here: {path} is"
