"""People sign in with an id token that API Gateway has verified, and are members by email."""

from typing import Any

import pytest
from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from dataconnectors.api import invitations
from dataconnectors.identity import roles
from dataconnectors.identity.members import member_id
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator, note_secrets
from tests.integration.test_identity import at, call
from tests.support.http_api import LambdaContext, content, request

ANN = "ann@example.com"


def exchange(claims: dict[str, Any] | None, body: Any, path: str = "/v2/oidc/token") -> Any:
    """Status and JSON of the exchange. `claims` None is a route without an authorizer."""
    event = request("POST", path, body, headers={"authorization": "Bearer of.another.issuer"})
    if claims is not None:
        jwt = {"claims": claims, "scopes": None}
        event["requestContext"]["authorizer"] = {"jwt": jwt}
    answer = config_api.lambda_handler(event, LambdaContext())
    note_secrets(content(answer))
    return answer["statusCode"], content(answer)


def sign_in(email: str) -> Any:
    claims = {"nonce": "n1", "email": email, "email_verified": "true", "iss": "https://id.example"}
    return exchange(claims, {"nonce": "n1"})


def person(email: str, project: str) -> Client:
    """A signed-in person who calls a project."""
    status, answer = sign_in(email)
    assert status == 200, answer
    one = Client({"email": email}, project)
    one.headers = {"authorization": f"Bearer {answer['access_token']}"}
    return one


def invite(client: Client, email: str, *granted: str) -> str:
    """The path of the new member."""
    status, made = client.call("POST", "/members", {"email": email, "roles": list(granted)})
    assert status == 200
    return str(made["name"].removeprefix(f"projects/{client.project}"))


def test_a_person_from_invitation_to_removal(client: Client) -> None:
    path = invite(client, "Ann@Example.com", roles.DEVELOPER)
    assert client.call("GET", path)[1]["status"] == "PENDING"
    status, answer = sign_in("ANN@example.com")
    assert (status, answer["token_type"], answer["expires_in"]) == (200, "Bearer", 3600)
    ann = person(ANN, client.project)
    assert client.call("GET", path)[1]["status"] == "ACCEPTED"
    assert call(ann, "GET", "/v2/projects")[1]["projects"][0]["name"] == (
        f"projects/{client.project}"
    )
    assert "dataconnector.update" in ann.call("GET", "/permissions")[1]["permissions"]
    assert ann.call("POST", "/devices", {"type": "touch"})[0] == 200
    assert ann.call("POST", "/members", {"email": "b@example.com", "roles": []})[0] == 403

    client.call("PATCH", path, {"roles": [roles.ADMIN]})
    assert client.call("GET", path)[1]["status"] == "ACCEPTED"
    account = ann.call("POST", "/serviceaccounts", {"displayName": "Of Ann"})[1]
    entries = client.call("GET", "/audit")[1]["entries"]
    made = next(each for each in entries if each["resource"] == account["name"])
    assert (made["actor"], made["keyId"], made["address"]) == (ANN, "", "192.0.2.1")
    (accepted,) = (each for each in entries if each["action"] == "membership.accept")
    assert accepted["resource"] == f"projects/{client.project}/members/{member_id(ANN)}"
    assert (accepted["actor"], accepted["details"]["email"]) == (ANN, ANN)

    assert client.call("DELETE", path) == (200, {})
    status, error = sign_in(ANN)
    assert (status, error["error"]) == (
        403,
        "ann@example.com is no member of any project: ask an administrator to add you",
    )
    invite(client, ANN, roles.USER)
    assert client.call("GET", path)[1]["status"] == "PENDING"


def test_a_person_who_leaves_one_project_keeps_the_other(client: Client) -> None:
    elsewhere = new_administrator("Elsewhere")
    email = "bo@example.com"
    path = invite(client, email, roles.USER)
    invite(elsewhere, email, roles.PUBLISHER)
    one = person(email, client.project)
    assert one.call("GET", "")[0] == 200
    assert client.call("DELETE", path)[0] == 200
    config_api.access._roles.forget((f"projects/{client.project}", member_id(email)))
    assert one.call("GET", "")[0] == 404
    there = at(one, elsewhere.project)
    device = elsewhere.call("POST", "/devices", {"type": "touch"})[1]["name"].rsplit("/")[-1]
    assert there.call("POST", f"/devices/{device}:publish", {"touch": {}})[0] == 200
    assert there.call("GET", "")[0] == 403


def test_a_person_administers_the_organization_if_it_made_them_a_member(organizer: Client) -> None:
    body = {"email": "org@example.com", "roles": [roles.ORGANIZATION_ADMIN]}
    assert call(organizer, "POST", "/v2/organizations/default/members", body)[0] == 200
    one = person("org@example.com", organizer.project)
    assert call(one, "POST", "/v2/projects", {"displayName": "Of a person"})[0] == 200
    entries = call(one, "GET", "/v2/organizations/default/audit")[1]["entries"]
    assert {each["action"] for each in entries if each["actor"] == "org@example.com"} == {
        "membership.accept",
        "project.create",
    }


@pytest.mark.parametrize("path", ["/v2/oidc/token", "/v2//oidc/token", "/v2/oidc%2Ftoken"])
def test_a_token_that_no_authorizer_has_verified_lets_nobody_in(path: str) -> None:
    """So it is if the deployment has no provider, and on spellings of the path that the gateway
    does not take for the route of the authorizer."""
    status, error = exchange(None, {"nonce": "n1"}, path)
    assert (status, error["code"]) == (404, 404)


@pytest.mark.parametrize(
    ("claims", "body", "status"),
    [
        ({"email_verified": "false"}, {"nonce": "n1"}, 403),
        ({"email": "stranger@example.com"}, {"nonce": "n1"}, 403),
        ({}, {"nonce": "n2"}, 401),
        ({}, {}, 400),
        ({}, {"nonce": "n1", "email": ANN}, 400),
        ({}, None, 400),
    ],
)
def test_claims_that_do_not_suffice_are_refused(
    client: Client, claims: dict[str, str], body: Any, status: int
) -> None:
    invite(client, ANN, roles.USER)
    good = {"nonce": "n1", "email": ANN, "email_verified": "true"}
    assert exchange(good | claims, body)[0] == status
    assert exchange(good, {"nonce": "n1"})[0] == 200


def test_a_service_accounts_email_of_a_provider_is_not_that_account(client: Client) -> None:
    status, error = sign_in(client.account["email"])
    assert (status, "is a service account's" in error["error"]) == (403, True)


@pytest.mark.parametrize(
    ("people_sign_in", "text"),
    [
        (True, "OpenID provider of this deployment"),
        (False, "People cannot sign in to this deployment"),
    ],
)
def test_the_page_of_an_invitation_says_how_a_person_signs_in(
    people_sign_in: bool, text: str
) -> None:
    app = APIGatewayHttpResolver()
    app.include_router(invitations.routes(people_sign_in=people_sign_in))
    context: Any = LambdaContext()
    page = app.resolve(request("GET", invitations.INVITATIONS_PATH), context)
    assert (page["statusCode"], text in page["body"]) == (200, True)
