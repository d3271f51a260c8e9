"""Every path with every method: served, or 405 with the methods that it is served with."""

import json
import re

import pytest

from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES
from tests.integration.test_permissions import registered
from tests.support.api_server import Api

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE")

API = Api(INGEST_ROUTES, config_api.lambda_handler)


def allowed() -> dict[str, set[str]]:
    """The methods of each path, with something for its parameters."""
    found: dict[str, set[str]] = {}
    for route in registered():
        method, _, path = route.partition(" ")
        found.setdefault(re.sub(r"<(\w+)>", r"some-\1", path), set()).add(method)
    return found


ALLOWED = allowed()


@pytest.mark.parametrize("path", sorted(ALLOWED))
@pytest.mark.parametrize("spelling", [":", "%3A"])
def test_a_path_is_served_with_its_methods_and_tells_them(path: str, spelling: str) -> None:
    for method in METHODS:
        answer = API.answer(method, path.replace(":", spelling), {}, b"")
        if method in ALLOWED[path]:
            # Nobody's: asked for credentials, for an assertion, or public.
            assert answer["statusCode"] in (200, 400, 401), (method, answer)
            continue
        assert answer["statusCode"] == 405, (method, answer)
        names = ", ".join(sorted(ALLOWED[path]))
        assert answer["headers"]["Allow"] == names
        error = json.loads(answer["body"])
        assert (error["code"], error["error"]) == (405, f"{path} is served with {names}")


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
def test_a_path_that_is_none_is_not_there_with_any_method(method: str, path: str) -> None:
    answer = API.answer(method, path, {}, b"")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["code"] == 404


@pytest.mark.parametrize("path", ["/v2/projects/p/events", "/v2/projects/p/devices/d:publish"])
def test_publishing_to_a_path_spelt_otherwise_is_told_the_path(path: str) -> None:
    """A base URL that ends with a slash makes it so, and API Gateway does not send it to ingest."""
    spelt = path.replace("/projects", "//projects")
    answer = API.answer("POST", spelt, {}, b"")
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["error"] == f"POST {spelt} is not served here: {path} is"
