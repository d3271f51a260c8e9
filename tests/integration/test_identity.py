"""Projects, members, service accounts, keys and roles, from creation to deletion."""

import base64
import logging
import re
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import boto3
import pytest

from dataconnectors.api.invitations import INVITATIONS_PATH
from dataconnectors.identity import roles
from dataconnectors.identity.accounts import MAXIMUM_KEYS, email_of
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.members import MemberStore
from functions.admin import app as admin
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator
from tests.support.http_api import LambdaContext, content, request

URL = "https://example.com/hook"


def call(client: Client, method: str, path: str, body: Any = None, query: str = "") -> Any:
    """A request outside of any project: status and JSON."""
    event = request(method, path, body, headers=client.headers, query=query)
    answer = config_api.lambda_handler(event, LambdaContext())
    return answer["statusCode"], content(answer)


def at(client: Client, project: str) -> Client:
    """The same caller, in another project."""
    other = Client(client.account, project)
    other.headers = client.headers
    return other


def items(partition: str) -> list[dict[str, Any]]:
    answer = boto3.client("dynamodb").query(
        TableName="dc-test-table",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": partition}},
    )
    return list(answer["Items"])


def test_a_service_account_from_creation_to_deletion(client: Client) -> None:
    status, made = client.call("POST", "/serviceaccounts", {"enableBasicAuth": False})
    assert status == 200
    account_id = made["name"].rsplit("/")[-1]
    path = f"/serviceaccounts/{account_id}"
    assert made == {
        "name": f"projects/{client.project}{path}",
        "email": email_of(account_id, client.project),
        "displayName": "",
        "enableBasicAuth": False,
        "createTime": made["createTime"],
        "updateTime": made["createTime"],
    }
    assert client.call("GET", path) == (200, made)
    assert made in client.call("GET", "/serviceaccounts")[1]["serviceAccounts"]

    status, changed = client.call("PATCH", path, {"displayName": "Gateway 1"})
    assert (status, changed["displayName"], changed["enableBasicAuth"]) == (200, "Gateway 1", False)
    assert changed["updateTime"] > made["updateTime"]
    assert client.call("PATCH", path, {}) == (200, changed)
    status, changed = client.call("PATCH", path, {"enableBasicAuth": True})
    assert (changed["displayName"], changed["enableBasicAuth"]) == ("Gateway 1", True)
    status, changed = client.call(
        "PATCH", path, {"enableBasicAuth": False}, query="update_mask=displayName"
    )
    assert (changed["displayName"], changed["enableBasicAuth"]) == ("", True)

    assert client.call("DELETE", path) == (200, {})
    for method in ("GET", "PATCH", "DELETE"):
        assert client.call(method, path, {})[0] == 404
    names = [each["name"] for each in client.call("GET", "/serviceaccounts")[1]["serviceAccounts"]]
    assert made["name"] not in names


def test_a_key_from_creation_to_deletion(client: Client) -> None:
    account = client.call("POST", "/serviceaccounts", {"enableBasicAuth": True})[1]
    path = account["name"].removeprefix(f"projects/{client.project}") + "/keys"
    assert client.call("GET", path) == (200, {"keys": [], "nextPageToken": ""})

    status, made = client.call("POST", path)
    key, secret = made["key"], made["secret"]
    assert status == 200
    assert set(made) == {"key", "secret"}
    assert key == {
        "name": f"{account['name']}/keys/{key['id']}",
        "id": key["id"],
        "createTime": key["createTime"],
    }
    assert len(base64.urlsafe_b64decode(secret + "=")) * 8 == 256
    assert client.call("GET", f"{path}/{key['id']}") == (200, key)
    assert client.call("GET", path) == (200, {"keys": [key], "nextPageToken": ""})
    assert client.call("POST", path)[1]["secret"] != secret

    fields = {"keyId": key["id"], "secret": secret, "email": account["email"]}
    owner = Client(fields, client.project).log_in()
    assert client.call("DELETE", f"{path}/{key['id']}") == (200, {})
    assert client.call("GET", f"{path}/{key['id']}")[0] == 404
    assert client.call("DELETE", f"{path}/{key['id']}")[0] == 404
    assert items(f"KEY#{key['id']}") == []
    # The key is cached for half a minute at most. Then neither the token nor an exchange works.
    config_api.authenticator._callers.forget(key["id"])
    assert owner.call("GET", "")[0] == 401
    assert owner.exchange(owner.assertion())[0] == 400


def test_an_account_has_no_rights_until_it_is_made_a_member(client: Client) -> None:
    stranger = client.account_with("")
    assert stranger.call("GET", "")[0] == 404
    assert call(stranger, "GET", "/v2/projects")[1] == {"projects": [], "nextPageToken": ""}
    member = {"email": stranger.account["email"], "roles": [roles.USER]}
    assert client.call("POST", "/members", member)[0] == 200
    assert stranger.call("GET", "")[0] == 200


def test_the_number_of_an_accounts_keys_is_limited(client: Client) -> None:
    account = client.call("POST", "/serviceaccounts", {})[1]
    path = account["name"].removeprefix(f"projects/{client.project}") + "/keys"
    for _ in range(MAXIMUM_KEYS):
        assert client.call("POST", path)[0] == 200
    status, error = client.call("POST", path)
    assert (status, error["error"]) == (400, f"{account['name']} has 10 keys: delete one first")
    assert client.call("DELETE", path.removesuffix("/keys")) == (200, {})


def test_deleting_an_account_ends_its_keys_and_memberships(
    client: Client, organizer: Client
) -> None:
    gateway = client.account_with(roles.USER)
    elsewhere = new_administrator("Elsewhere")
    member = {"email": gateway.account["email"], "roles": [roles.USER]}
    assert elsewhere.call("POST", "/members", member)[0] == 200
    assert at(gateway, elsewhere.project).call("GET", "")[0] == 200

    account_id = gateway.account["email"].partition("@")[0]
    assert client.call("DELETE", f"/serviceaccounts/{account_id}") == (200, {})
    assert items(f"KEY#{gateway.account['keyId']}") == []
    assert items(f"MEMBER#{account_id}") == []
    for place in (client, elsewhere):
        emails = [each["email"] for each in place.call("GET", "/members")[1]["members"]]
        assert gateway.account["email"] not in emails
    config_api.authenticator._callers.forget(gateway.account["keyId"])
    assert gateway.call("GET", "")[0] == 401


def test_a_member_from_invitation_to_removal(client: Client) -> None:
    account = client.call("POST", "/serviceaccounts", {"displayName": "Ann's script"})[1]
    account_id = account["name"].rsplit("/")[-1]
    status, made = client.call(
        "POST", "/members", {"roles": [roles.DEVELOPER], "email": account["email"]}
    )
    assert status == 200
    assert made == {
        "name": f"projects/{client.project}/members/{account_id}",
        "displayName": "Ann's script",
        "roles": ["roles/project.developer"],
        "status": "ACCEPTED",
        "email": account["email"],
        "accountType": "SERVICE_ACCOUNT",
        "createTime": made["createTime"],
    }
    path = f"/members/{account_id}"
    assert client.call("GET", path) == (200, made)
    assert made in client.call("GET", "/members")[1]["members"]
    again = {"roles": [roles.USER], "email": account["email"].upper()}
    assert client.call("POST", "/members", again)[0] == 409

    client.call("PATCH", f"/serviceaccounts/{account_id}", {"displayName": "Renamed"})
    status, changed = client.call("PATCH", path, {"roles": [roles.USER]})
    assert (status, changed) == (200, made | {"roles": [roles.USER], "displayName": "Renamed"})
    assert client.call("GET", path) == (200, changed)
    assert client.call("PATCH", path, {}) == (200, changed)

    status, error = client.call("GET", f"{path}:getInviteUrl")
    assert (status, "a member already" in error["error"]) == (400, True)
    assert client.call("DELETE", path) == (200, {})
    for method in ("GET", "DELETE"):
        assert client.call(method, path)[0] == 404
    assert client.call("GET", f"/serviceaccounts/{account_id}")[0] == 200


def test_an_invitation_of_a_person_says_that_nobody_can_sign_in(client: Client) -> None:
    ann = {"roles": [roles.USER], "email": "Ann@Example.com"}
    status, made = client.call("POST", "/members", ann)
    assert status == 200
    assert (made["status"], made["accountType"]) == ("PENDING", "USER")
    assert made["email"] == "ann@example.com"
    path = made["name"].removeprefix(f"projects/{client.project}")
    invited = client.call("GET", f"{path}:getInviteUrl")
    assert invited == (200, {"inviteUrl": f"https://api.example.com{INVITATIONS_PATH}"})
    encoded = client.call("GET", f"{path}%3AgetInviteUrl")
    assert encoded == invited
    page = config_api.lambda_handler(request("GET", INVITATIONS_PATH), LambdaContext())
    assert (page["statusCode"], "cannot sign in" in page["body"]) == (200, True)
    assert client.call("POST", "/members", ann)[0] == 409
    assert client.call("DELETE", path) == (200, {})


def test_an_account_of_another_project_reveals_nothing(client: Client) -> None:
    elsewhere = new_administrator("Elsewhere")
    real = elsewhere.call("POST", "/serviceaccounts", {"displayName": "Secret plan"})[1]["email"]
    unreal = email_of("c00000000000000000vg", elsewhere.project)
    answers = []
    for email in (real, unreal):
        status, made = client.call("POST", "/members", {"roles": [roles.USER], "email": email})
        member_id = email.partition("@")[0]
        shown = client.call("GET", f"/members/{member_id}")[1]
        assert status == 200
        answers.append(
            [{**each, "name": "", "email": "", "createTime": ""} for each in (made, shown)]
        )
    assert answers[0] == answers[1]
    ours = email_of("c00000000000000000vg", client.project)
    status, error = client.call("POST", "/members", {"roles": [roles.USER], "email": ours})
    assert (status, error["error"]) == (400, f"email: no service account has {ours}")


def test_a_changed_role_counts_for_an_account_that_is_logged_in(client: Client) -> None:
    other = client.account_with(roles.USER)
    path = f"/members/{other.account['email'].partition('@')[0]}"
    connector = {"httpConfig": {"url": URL}}
    assert other.call("POST", "/dataconnectors", connector)[0] == 403
    client.call("PATCH", path, {"roles": [roles.ADMIN]})
    assert other.call("POST", "/dataconnectors", connector)[0] == 200
    client.call("DELETE", path)
    account_id = other.account["email"].partition("@")[0]
    config_api.access._roles.forget((f"projects/{client.project}", account_id))
    assert other.call("GET", "")[0] == 404


def test_a_gateway_may_publish_and_nothing_else(client: Client) -> None:
    gateway = client.account_with(roles.PUBLISHER)
    device = client.call("POST", "/devices", {"type": "touch"})[1]["name"].rsplit("/")[-1]
    assert gateway.call("POST", f"/devices/{device}:publish", {"touch": {}})[0] == 200
    assert gateway.call("GET", f"/devices/{device}")[0] == 403
    assert gateway.call("GET", "/permissions") == (
        200,
        {"permissions": ["event.publish"], "nextPageToken": ""},
    )
    assert call(gateway, "GET", "/v2/projects")[1]["projects"] == []


def test_permissions_are_shown_as_they_are_now(client: Client) -> None:
    """This holds also after a call that was allowed or refused by the roles before."""
    other = client.account_with(roles.USER)
    member = f"/members/{other.account['email'].partition('@')[0]}"
    for role in (roles.ADMIN, roles.USER):
        assert other.call("GET", "")[0] == 200
        assert client.call("PATCH", member, {"roles": [role]})[0] == 200
        shown = other.call("GET", "/permissions")[1]["permissions"]
        assert ("dataconnector.create" in shown) is (role == roles.ADMIN)
    assert client.call("DELETE", member) == (200, {})
    assert other.call("GET", "/permissions")[0] == 404


@pytest.mark.parametrize("role", roles.PROJECT_ROLES)
def test_permissions_are_those_of_the_role(client: Client, role: str) -> None:
    held = client.account_with(role).call("GET", "/permissions")[1]["permissions"]
    assert call(client, "GET", f"/v2/{role}")[1]["permissions"] == held
    assert call(client, "GET", "/v2/roles")[1]["nextPageToken"] == ""


def test_a_project_from_creation_to_deletion(organizer: Client) -> None:
    body = {"organization": "organizations/default", "displayName": "Cold stores"}
    status, made = call(organizer, "POST", "/v2/projects", body)
    assert status == 200
    project = made["name"].removeprefix("projects/")
    assert made == {
        "name": f"projects/{project}",
        "displayName": "Cold stores",
        "organization": "organizations/default",
        "organizationDisplayName": "Default organization",
        "sensorCount": 0,
        "cloudConnectorCount": 0,
        "inventory": False,
    }
    there = at(organizer, project)
    assert there.call("GET", "") == (200, made)
    assert there.call("PATCH", "", {"displayName": "Warm stores"})[1]["displayName"] == (
        "Warm stores"
    )
    assert there.call("PATCH", "", {}) == (200, made | {"displayName": "Warm stores"})
    assert there.call("PATCH", "", {"sensorCount": 7})[1]["sensorCount"] == 0

    gateway = there.account_with(roles.USER)
    there.call("POST", "/members", {"roles": [roles.USER], "email": "ann@example.com"})
    device = there.call("POST", "/devices", {"type": "ccon"})[1]["name"]
    status, error = there.call("DELETE", "")
    assert (status, "has devices" in error["error"]) == (400, True)
    there.call("DELETE", device.removeprefix(f"projects/{project}"))
    connector = there.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[1]["name"]
    status, error = there.call("DELETE", "")
    assert (status, "has connectors" in error["error"]) == (400, True)
    assert there.call("DELETE", connector.removeprefix(f"projects/{project}"))[0] == 200
    assert there.call("DELETE", "") == (200, {})

    config_api.access._roles.forget(
        (f"projects/{project}", organizer.account["email"].partition("@")[0])
    )
    assert there.call("GET", "")[0] == 404
    assert there.call("DELETE", "")[0] == 404
    config_api.authenticator._callers.forget(gateway.account["keyId"])
    assert gateway.call("GET", "")[0] == 401
    assert items(f"ACCESS#projects/{project}") == []
    assert items(f"KEY#{gateway.account['keyId']}") == []
    names = [each["name"] for each in call(organizer, "GET", "/v2/projects")[1]["projects"]]
    assert f"projects/{project}" not in names


def test_a_project_is_gone_even_if_its_items_could_not_be_deleted(client: Client) -> None:
    """Its remaining items give no access, because keys and accounts need their project."""
    other = client.account_with(roles.ADMIN)
    elsewhere = new_administrator("Elsewhere")
    elsewhere.call("POST", "/members", {"email": other.account["email"], "roles": [roles.ADMIN]})
    boto3.client("dynamodb").delete_item(
        TableName="dc-test-table",
        Key={"pk": {"S": f"PROJECT#{client.project}"}, "sk": {"S": "PROJECT"}},
    )
    config_api.authenticator._callers.forget(other.account["keyId"])
    assert at(other, elsewhere.project).call("GET", "")[0] == 401


def test_projects_are_listed_with_filters_and_pages(organizer: Client, client: Client) -> None:
    made = set()
    for name in ("Alpha one", "Alpha two", "Beta one"):
        body = {"organization": "organizations/default", "displayName": name}
        made.add(call(organizer, "POST", "/v2/projects", body)[1]["name"])

    def names(caller: Client, query: str) -> set[str]:
        status, answer = call(caller, "GET", "/v2/projects", query=query)
        assert (status, answer["nextPageToken"]) == (200, "")
        return {each["displayName"] for each in answer["projects"]}

    assert names(organizer, "query=alpha") == {"Alpha one", "Alpha two"}
    assert names(organizer, "query=ONE+alpha") == {"Alpha one"}
    assert {"Alpha one", "Beta one"} <= names(organizer, "organization=organizations/default")
    assert {"Alpha one", "Beta one"} <= names(organizer, "query=default+organization")
    assert names(organizer, "organization=organizations/other") == set()
    assert names(client, "") == {"Tests"}
    assert call(client, "GET", "/v2/projects", query="organization=x")[0] == 400

    for caller, at_least in ((organizer, made), (client, {f"projects/{client.project}"})):
        seen, query = [], "pageSize=2"
        while True:
            answer = call(caller, "GET", "/v2/projects", query=query)[1]
            seen += [each["name"] for each in answer["projects"]]
            if not answer["nextPageToken"]:
                break
            query = f"pageSize=2&pageToken={answer['nextPageToken']}"
        assert at_least <= set(seen)
        assert len(seen) == len(set(seen))


def test_a_members_projects_are_listed_in_pages_too(client: Client) -> None:
    projects = [client] + [new_administrator("Tests") for _ in range(3)]
    for project in projects[1:]:
        member = {"email": client.account["email"], "roles": [roles.USER]}
        project.call("POST", "/members", member)
    seen, token, pages = [], "", 0
    while token or not pages:
        answer = call(client, "GET", "/v2/projects", query=f"page_size=3&page_token={token}")[1]
        seen += [each["name"] for each in answer["projects"]]
        token, pages = answer["nextPageToken"], pages + 1
    assert seen == sorted(f"projects/{each.project}" for each in projects)
    assert pages == 2


def test_administrators_of_an_organization_are_added_and_removed(
    organizer: Client, client: Client
) -> None:
    organization = "/v2/organizations/default"
    assert call(organizer, "GET", organization) == (
        200,
        {"name": "organizations/default", "displayName": "Default organization"},
    )
    assert len(call(organizer, "GET", "/v2/organizations")[1]["organizations"]) == 1
    assert call(client, "GET", "/v2/organizations")[1]["organizations"] == []

    other = client.account_with(roles.USER)
    wanted = {"email": other.account["email"], "roles": [roles.ORGANIZATION_ADMIN]}
    status, made = call(organizer, "POST", f"{organization}/members", wanted)
    assert (status, made["status"]) == (200, "ACCEPTED")
    assert made["name"].startswith("organizations/default/members/")
    assert made in call(organizer, "GET", f"{organization}/members")[1]["members"]
    assert call(organizer, "GET", f"/v2/{made['name']}") == (200, made)
    assert call(organizer, "GET", f"/v2/{made['name']}:getInviteUrl")[0] == 400
    assert "project.create" in call(other, "GET", f"{organization}/permissions")[1]["permissions"]
    assert call(other, "POST", "/v2/projects", {"displayName": "By another"})[0] == 200

    # A project's administrator may not create keys for them.
    path = f"/serviceaccounts/{other.account['email'].partition('@')[0]}"
    assert client.call("POST", f"{path}/keys")[0] == 403
    assert client.call("PATCH", path, {"enableBasicAuth": True})[0] == 403
    assert client.call("DELETE", path)[0] == 403
    assert client.call("DELETE", "")[0] == 403
    assert at(organizer, client.project).call("POST", f"{path}/keys")[0] == 200

    assert call(organizer, "DELETE", f"/v2/{made['name']}") == (200, {})
    assert call(organizer, "DELETE", f"/v2/{made['name']}")[0] == 404


def test_only_the_first_administrator_administers_the_organization_unless_requested(
    client: Client, organizer: Client
) -> None:
    assert call(client, "GET", "/v2/organizations/default")[0] == 404
    wanted = new_administrator("Asked for", organizationAdmin=True)
    assert call(wanted, "GET", "/v2/organizations/default")[0] == 200
    joined = new_administrator("", project=client.project)
    assert joined.project == client.project
    assert joined.call("GET", "/audit")[0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        None,
        {"displayName": 1},
        {"displayName": "x" * 257},
        {"organizationAdmin": "yes"},
        {"project": "c00000000000000000vg"},
        {"project": "a/b"},
    ],
)
def test_an_invalid_request_of_the_deployer_is_refused(request_: Any) -> None:
    with pytest.raises(Exception, match=r"expected|is not there"):
        admin.lambda_handler(request_, LambdaContext())


@pytest.mark.parametrize(
    ("method", "path", "body", "text"),
    [
        ("POST", "/members", {"roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": 1, "roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": "ann", "roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": "a b@c", "roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": "ä@c", "roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": "a@c" + "c" * 252, "roles": [roles.USER]}, "email"),
        ("POST", "/members", {"email": "a@c"}, "roles"),
        ("POST", "/members", {"email": "a@c", "roles": []}, "roles"),
        ("POST", "/members", {"email": "a@c", "roles": roles.USER}, "roles"),
        ("POST", "/members", {"email": "a@c", "roles": [[]]}, "roles"),
        ("POST", "/members", {"email": "a@c", "roles": ["project.user"]}, "roles"),
        ("POST", "/members", {"email": "a@c", "roles": [roles.ORGANIZATION_ADMIN]}, "roles"),
        ("POST", "/members", {"email": "a@c", "role": 1}, "'role': unknown field"),
        ("POST", "/serviceaccounts", [], "body: expected a JSON object"),
        ("POST", "/serviceaccounts", {"displayName": 1}, "displayName"),
        ("POST", "/serviceaccounts", {"displayName": "\x00"}, "displayName"),
        ("POST", "/serviceaccounts", {"displayName": "\ud800"}, "displayName"),
        ("POST", "/serviceaccounts", {"displayName": "x" * 257}, "displayName"),
        ("POST", "/serviceaccounts", {"enableBasicAuth": "true"}, "enableBasicAuth"),
        ("POST", "/serviceaccounts", {"enableBasicAuth": 1}, "enableBasicAuth"),
        ("PATCH", "", {"displayName": {}}, "displayName"),
        ("PATCH", "", {"displayName": ""}, "displayName"),
        ("PATCH", "", {"displayName": None}, "displayName"),
        ("PATCH", "", {"name_": "x"}, "unknown field"),
    ],
)
def test_what_is_wrong_is_named(
    client: Client, method: str, path: str, body: Any, text: str
) -> None:
    status, error = client.call(method, path, body)
    assert (status, error["code"]) == (400, 400)
    assert text in error["error"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"displayName": ""},
        {"displayName": "x", "organization": 1},
        {"displayName": "x", "organization": "default"},
        {"displayName": "x" * 257},
    ],
)
def test_a_project_without_a_valid_name_is_not_created(organizer: Client, body: Any) -> None:
    assert call(organizer, "POST", "/v2/projects", body)[0] == 400


@pytest.mark.parametrize("strange", ["x" * 3000, "a:b", "\x00", "\u00e4", "..", "%2F"])
def test_an_odd_id_is_not_found(client: Client, strange: str) -> None:
    for path in ("/members/{}", "/serviceaccounts/{}", "/serviceaccounts/x/keys/{}"):
        for method in ("GET", "DELETE"):
            status, error = client.call(method, path.format(quote(strange)))
            assert (status, error["code"]) == (404, 404)
    for path in ("/serviceaccounts/{}/keys", "/{}"):
        assert client.call("GET", path.format(quote(strange)))[0] == 404
    for path in ("/v2/roles/{}", "/v2/organizations/{}", "/v2/organizations/default/members/{}"):
        assert call(client, "GET", path.format(quote(strange)))[0] == 404


def test_a_secret_is_in_one_answer_only(
    client: Client, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="dataconnectors")
    account = client.call("POST", "/serviceaccounts", {"enableBasicAuth": True})[1]
    path = account["name"].removeprefix(f"projects/{client.project}")
    made = client.call("POST", f"{path}/keys")[1]
    secret = made["secret"]
    fields = {"keyId": made["key"]["id"], "secret": secret, "email": account["email"]}
    owner = Client(fields, client.project).log_in()
    wrong = base64.b64encode(f"{made['key']['id']}:{secret}x".encode()).decode()
    said = [
        client.call("GET", f"{path}/keys/{made['key']['id']}"),
        client.call("GET", f"{path}/keys"),
        client.call("GET", path),
        client.call("GET", "/audit"),
        owner.call("GET", ""),
        owner.exchange(owner.assertion(iss="x")),
    ]
    owner.headers = {"authorization": f"Basic {wrong}"}
    said.append(owner.call("GET", ""))
    (row,) = items(f"KEY#{made['key']['id']}")
    stored = str(row) + str(items(f"AUDIT#projects/{client.project}"))
    logged = caplog.text + capsys.readouterr().out
    for place in (str(said), stored, logged):
        assert secret not in place
        assert wrong not in place
    for token in re.findall(r"eyJ[\w.-]+", str(client.headers)):
        assert token not in stored + logged


def test_both_items_of_a_membership_have_the_same_roles(client: Client) -> None:
    other = client.account_with(roles.USER)
    account_id = other.account["email"].partition("@")[0]
    assert len(call(other, "GET", "/v2/projects")[1]["projects"]) == 1
    client.call("PATCH", f"/members/{account_id}", {"roles": [roles.PUBLISHER]})
    assert call(other, "GET", "/v2/projects")[1]["projects"] == []
    store = MemberStore(config_api.table)
    (membership,) = store.memberships(account_id)
    member = store.member(membership.parent, account_id)
    assert member is not None
    assert member.roles == membership.roles == (roles.PUBLISHER,)


def test_an_account_of_the_same_id_elsewhere_has_none_of_a_members_roles(client: Client) -> None:
    """Roles depend on the email, which names the project, and not on the random id alone."""
    store = AccountStore(config_api.table)
    account_id = client.account["email"].partition("@")[0]
    account = store.service_account(client.project, account_id)
    assert account is not None
    place = f"projects/{client.project}"
    assert store.roles(place, account) == (roles.ADMIN,)
    assert store.roles(place, replace(account, email=email_of(account_id, "another"))) == ()
