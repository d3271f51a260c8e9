"""The audit log has one entry for each change, and shows it to those who may read it."""

import json
from typing import Any

import boto3
import pytest

from dataconnectors.identity import roles
from dataconnectors.identity.audit import RETENTION_SECONDS, Actor
from dataconnectors.kernel import times
from dataconnectors.store.audit import AuditStore, put_audit_entries
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator
from tests.support.http_api import LambdaContext, content, request

URL = "https://user-facing.example.com/hook?token=in-the-query"
SECRETS = ("in-the-query", "s3cr3t-of-the-signature", "Bearer of-the-header", "x-key")


def entries(client: Client, query: str = "") -> list[dict[str, Any]]:
    """The project's log, newest first."""
    status, answer = client.call("GET", "/audit", query=query)
    assert status == 200, answer
    return list(answer["entries"])


def newest(client: Client) -> dict[str, Any]:
    return entries(client)[0]


def organization_log(organizer: Client) -> list[dict[str, Any]]:
    event = request("GET", "/v2/organizations/default/audit", headers=organizer.headers)
    answer = config_api.lambda_handler(event, LambdaContext())
    assert answer["statusCode"] == 200
    return list(content(answer)["entries"])


def test_an_entry_says_who_did_what_to_which_when_and_from_where(client: Client) -> None:
    made = client.call("POST", "/serviceaccounts", {"displayName": "x"})[1]
    entry = newest(client)
    assert entry == {
        "id": entry["id"],
        "time": made["createTime"],
        "actor": client.account["email"],
        "keyId": client.account["keyId"],
        "address": "192.0.2.1",
        "action": "serviceaccount.create",
        "resource": made["name"],
        "fields": [],
        "details": {},
    }


def test_each_change_of_a_connector_is_logged_without_secrets(client: Client) -> None:
    http = {
        "url": URL,
        "signatureSecret": "s3cr3t-of-the-signature",
        "headers": {"x-key": "Bearer of-the-header"},
    }
    name = client.call("POST", "/dataconnectors", {"httpConfig": http})[1]["name"]
    path = name.removeprefix(f"projects/{client.project}")
    seen = []

    def logged() -> tuple[str, list[str]]:
        entry = newest(client)
        assert entry["resource"] == name
        seen.append(json.dumps(entry))
        return entry["action"], entry["fields"]

    assert logged() == ("dataconnector.create", [])
    client.call("PATCH", path, {"status": "USER_DISABLED", "displayName": "d"})
    assert logged() == ("dataconnector.update", ["displayName", "status"])
    changed = {"url": URL + "2", "signatureSecret": "", "headers": {"x-key": "2"}}
    client.call("PATCH", path, {"httpConfig": changed, "events": ["touch"], "labels": []})
    assert logged() == (
        "dataconnector.update",
        ["events", "labels", "httpConfig.url", "httpConfig.signatureSecret", "httpConfig.headers"],
    )
    before = len(entries(client))
    client.call("PATCH", path, {"httpConfig": changed})
    assert len(entries(client)) == before, "a call that changes nothing is not logged"
    client.call("DELETE", path)
    assert logged() == ("dataconnector.delete", [])
    for secret in SECRETS:
        assert secret not in str(seen)


def test_each_change_of_access_is_logged(client: Client) -> None:
    account = client.call("POST", "/serviceaccounts", {})[1]
    path = account["name"].removeprefix(f"projects/{client.project}")
    member = f"/members/{path.rsplit('/')[-1]}"
    client.call("PATCH", path, {"enableBasicAuth": True})
    key = client.call("POST", f"{path}/keys")[1]["key"]
    client.call("POST", "/members", {"email": account["email"], "roles": [roles.USER]})
    client.call("PATCH", member, {"roles": [roles.ADMIN]})
    client.call("PATCH", member, {"roles": [roles.ADMIN]})
    client.call("DELETE", f"{path}/keys/{key['id']}")
    client.call("DELETE", path)
    client.call("PATCH", "", {"displayName": "Renamed"})
    logged = [
        (entry["action"], entry["resource"], entry["fields"], entry["details"])
        for entry in reversed(entries(client))
    ]
    begun = [action for action, *_ in logged].index("serviceaccount.update") - 1
    email = account["email"]
    whole_member = f"projects/{client.project}{member}"
    assert logged[begun:] == [
        ("serviceaccount.create", account["name"], [], {}),
        ("serviceaccount.update", account["name"], ["enableBasicAuth"], {}),
        ("serviceaccount.key.create", key["name"], [], {}),
        ("membership.create", whole_member, [], {"email": email, "roles": [roles.USER]}),
        (
            "membership.update",
            whole_member,
            ["roles"],
            {"email": email, "roles": [roles.ADMIN], "rolesBefore": [roles.USER]},
        ),
        ("serviceaccount.key.delete", key["name"], [], {}),
        ("membership.delete", whole_member, [], {"email": email, "roles": [roles.ADMIN]}),
        ("serviceaccount.delete", account["name"], [], {}),
        ("project.update", f"projects/{client.project}", ["displayName"], {}),
    ]


@pytest.mark.parametrize("whole_project", [False, True])
def test_the_log_of_another_project_does_not_show_who_deleted_its_member(
    organizer: Client, whole_project: bool
) -> None:
    there, here = new_administrator("There"), new_administrator("Here")
    gone = there.account_with(roles.USER)
    member = {"email": gone.account["email"], "roles": [roles.USER]}
    assert here.call("POST", "/members", member)[0] == 200
    path = "" if whole_project else f"/serviceaccounts/{gone.account['email'].partition('@')[0]}"
    assert there.call("DELETE", path) == (200, {})
    entry = newest(here)
    assert (entry["action"], entry["details"]["email"]) == ("membership.delete", member["email"])
    assert (entry["actor"], entry["keyId"], entry["address"]) == (member["email"], "", "")
    for known_there in (there.account["email"], there.account["keyId"]):
        assert known_there not in str(entries(here))


def test_projects_and_accounts_that_the_deployer_created_are_logged(
    client: Client, organizer: Client
) -> None:
    logged = entries(client)
    assert {entry["actor"] for entry in logged} == {"deployer"}
    assert {entry["action"] for entry in logged} == {
        "project.create",
        "serviceaccount.create",
        "serviceaccount.key.create",
        "membership.create",
    }
    resources = [entry["resource"] for entry in organization_log(organizer)]
    assert f"projects/{client.project}" in resources


def test_an_organization_has_a_log_that_outlives_its_projects(organizer: Client) -> None:
    event = request("POST", "/v2/projects", {"displayName": "Brief"}, headers=organizer.headers)
    project = content(config_api.lambda_handler(event, LambdaContext()))["name"]
    there = Client(organizer.account, project.removeprefix("projects/"))
    there.headers = organizer.headers
    assert there.call("DELETE", "") == (200, {})
    logged = [entry for entry in organization_log(organizer) if entry["resource"] == project]
    assert [(entry["action"], entry["details"]) for entry in logged] == [
        ("project.delete", {"displayName": "Brief"}),
        ("project.create", {}),
    ]
    assert logged[0]["actor"] == organizer.account["email"]


def test_a_failed_change_is_not_logged(client: Client) -> None:
    before = entries(client)
    account_id = client.account["email"].partition("@")[0]
    again = {"email": client.account["email"], "roles": [roles.USER]}
    assert client.call("POST", "/members", again)[0] == 409
    assert client.call("DELETE", "/members/absent")[0] == 404
    assert client.call("DELETE", f"/serviceaccounts/{account_id}/keys/absent")[0] == 404
    assert client.call("POST", "/dataconnectors", {"httpConfig": {"url": "http://a"}})[0] == 400
    assert client.account_with(roles.USER).call("PATCH", "", {"displayName": "x"})[0] == 403
    assert [each for each in entries(client) if each["action"] == "project.update"] == []
    assert entries(client)[-len(before) :] == before


def test_a_change_and_its_entry_are_written_in_one_transaction(client: Client) -> None:
    """No row of these is written outside of a transaction, or in one without an entry."""
    transactions: list[str] = []
    others: list[str] = []

    def record_writes(model: Any, params: dict[str, Any], **_: object) -> None:
        if model.name == "TransactWriteItems":
            transactions.append(str(params["body"]))
        elif model.name not in ("BatchGetItem", "GetItem", "Query"):
            others.append(model.name)

    dynamodb = config_api.table.dynamodb
    dynamodb.meta.events.register("before-call.dynamodb", record_writes)
    try:
        account = client.call("POST", "/serviceaccounts", {})[1]
        path = account["name"].removeprefix(f"projects/{client.project}")
        member = f"/members/{path.rsplit('/')[-1]}"
        key = client.call("POST", f"{path}/keys")[1]["key"]["id"]
        client.call("PATCH", path, {"displayName": "x"})
        client.call("POST", "/members", {"email": account["email"], "roles": [roles.USER]})
        client.call("PATCH", member, {"roles": [roles.ADMIN]})
        client.call("DELETE", f"{path}/keys/{key}")
        client.call("DELETE", path)
        client.call("PATCH", "", {"displayName": "Renamed"})
    finally:
        dynamodb.meta.events.unregister("before-call.dynamodb", record_writes)
    assert others == []
    assert len(transactions) == 9
    assert all(f"AUDIT#projects/{client.project}" in each for each in transactions)


def test_a_log_is_read_by_time_and_in_pages(client: Client) -> None:
    for number in range(5):
        client.call("PATCH", "", {"displayName": f"Name {number}"})
    everything = entries(client)
    assert [entry["time"] for entry in everything] == sorted(
        (entry["time"] for entry in everything), reverse=True
    )
    seen, token = [], ""
    for _ in range(len(everything)):
        status, page = client.call("GET", "/audit", query=f"pageSize=2&pageToken={token}")
        assert (status, len(page["entries"]) <= 2) == (200, True)
        seen += page["entries"]
        token = page["nextPageToken"]
        if not token:
            break
    assert seen == everything
    third = everything[2]["time"]
    assert entries(client, f"startTime={third}") == everything[:3]
    assert entries(client, f"end_time={third}") == everything[2:]
    assert entries(client, f"startTime={third}&endTime={third}") == everything[2:3]
    far = "startTime=0001-01-01T00:00:00%2B23:59&endTime=9999-12-31T23:59:59-23:59"
    assert entries(client, far) == everything
    leap = "startTime=2016-12-31T23:59:60Z&endTime=9999-12-31T23:59:60Z"
    assert entries(client, leap) == everything
    later, earlier = everything[0]["time"], everything[-1]["time"]
    assert entries(client, f"startTime={later}&endTime={earlier}") == []


@pytest.mark.parametrize(
    "query",
    [
        "startTime=yesterday",
        "endTime=2026-01-01",
        "startTime=2016-12-31T22:59:60Z",
        "pageSize=-1",
        "pageSize=x",
        "pageToken=%%%",
        "pageToken=WzFd",
        "pageToken=W10",
    ],
)
def test_an_invalid_query_of_the_log_is_refused(client: Client, query: str) -> None:
    assert client.call("GET", "/audit", query=query)[0] == 400


def test_entries_expire_and_are_not_shown_after_their_time(
    client: Client,
) -> None:
    now = times.from_text(entries(client)[0]["time"])
    actor = Actor("a", "k", "", now - RETENTION_SECONDS - 60, "request")
    change = actor.audit_entry("project.update", f"projects/{client.project}")
    config_api.table.transact(put_audit_entries(config_api.table, change), "")
    shown = entries(client, "startTime=2001-01-01T00:00:00Z")
    assert change.id not in [entry["id"] for entry in shown]
    item = boto3.client("dynamodb").query(
        TableName="dc-test-table",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"AUDIT#projects/{client.project}"}},
    )["Items"][0]
    assert int(item["expiresAt"]["N"]) == int(change.time + RETENTION_SECONDS)
    kept, _ = AuditStore(config_api.table).page(change.log, 0, now, limit=100, after="")
    assert change in kept


def test_only_administrators_may_read_the_log(client: Client) -> None:
    for role in (roles.USER, roles.DEVELOPER, roles.PUBLISHER):
        assert client.account_with(role).call("GET", "/audit")[0] == 403
    stranger = new_administrator("Another")
    event = request("GET", f"/v2/projects/{client.project}/audit", headers=stranger.headers)
    assert config_api.lambda_handler(event, LambdaContext())["statusCode"] == 404
