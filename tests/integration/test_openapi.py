"""The OpenAPI document describes the served routes, and the API serves the document."""

import pytest

from dataconnectors.api.openapi.document import build
from dataconnectors.api.openapi.operation import ANYBODY, Operation
from dataconnectors.api.openapi.operations import OPERATIONS
from dataconnectors.identity import roles
from functions.config_api import app as config_api
from tests.integration.test_permissions import ANYBODY as ALL_WITH_CREDENTIALS
from tests.integration.test_permissions import MEMBER, ORG, ROUTES, WORLD, P, registered
from tests.support.http_api import LambdaContext, content, request

ROLES = {
    "organizer": roles.ORGANIZATION_ADMIN,
    "admin": roles.ADMIN,
    "developer": roles.DEVELOPER,
    "user": roles.USER,
    "publisher": roles.PUBLISHER,
}


def route_of(operation: Operation) -> str:
    path = operation.path.replace("{", "<").replace("}", ">")
    return f"{operation.method} /v2{path}"


def test_the_document_has_exactly_the_served_routes() -> None:
    assert {route_of(operation) for operation in OPERATIONS} == registered()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_the_document_says_who_may_call_an_operation(operation: Operation) -> None:
    """The document is compared with the table of routes, which other tests compare with
    handlers."""
    route = route_of(operation)
    if operation.permission is None:
        callers = WORLD
    elif operation.permission == ANYBODY:
        callers = MEMBER if P in route else ALL_WITH_CREDENTIALS
    else:
        holders = {
            caller for caller, role in ROLES.items() if roles.permits([role], operation.permission)
        }
        # A role in a project gives no permission in the organization.
        is_above = ORG in route or operation.permission.startswith("project.create")
        callers = frozenset(holders & {"organizer"} if is_above else holders)
    assert ROUTES[route] == callers


def test_the_document_is_served_without_credentials() -> None:
    answer = config_api.lambda_handler(request("GET", "/v2/openapi.json"), LambdaContext())
    assert answer["statusCode"] == 200
    assert content(answer) == build()


def test_the_page_of_the_api_and_that_of_errors_link_to_each_other() -> None:
    for path, link in {"/v2/docs": "errors", "/v2/errors": "docs"}.items():
        answer = config_api.lambda_handler(request("GET", path), LambdaContext())
        assert answer["statusCode"] == 200
        assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
        assert f'href="{link}"' in answer["body"]
        assert answer["headers"]["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_samples_of_the_page_call_the_address_that_it_was_served_from() -> None:
    event = request("GET", "/v2/docs", headers={"host": "connectors.example.org"})
    answer = config_api.lambda_handler(event, LambdaContext())
    assert "API=https://connectors.example.org/v2\n" in answer["body"]
