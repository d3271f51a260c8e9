"""The config API, from a request of API Gateway to the effects in DynamoDB, SQS and Lambda."""

import base64
import time
from typing import Any

import boto3
import pytest

from dataconnectors.identity.roles import DEVELOPER, USER
from dataconnectors.identity.throttle import Throttle
from dataconnectors.store.request_counts import RequestCountStore
from functions.config_api import app
from tests.integration.conftest import Client
from tests.support.http_api import LambdaContext, request

URL = "https://example.com/hook"


def rows(project: str) -> list[dict[str, Any]]:
    items = boto3.client("dynamodb").query(
        TableName="dc-test-table",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": f"PROJECT#{project}"}, ":sk": {"S": "CONNECTOR#"}},
    )["Items"]
    return list(items)


def test_a_connector_from_creation_to_deletion(client: Client) -> None:
    status, made = client.call(
        "POST",
        "/dataconnectors",
        {
            "displayName": "First",
            "type": "HTTP_PUSH",
            "status": "ACTIVE",
            "events": ["temperature"],
            "labels": ["room"],
            "httpConfig": {"url": URL, "signatureSecret": "s3cr3t", "headers": {"x-a": "b"}},
        },
    )
    assert status == 200
    name = made.pop("name")
    assert made == {
        "displayName": "First",
        "type": "HTTP_PUSH",
        "status": "ACTIVE",
        "events": ["temperature"],
        "labels": ["room"],
        "httpConfig": {
            "url": URL,
            "signatureSecret": "s3cr3t",
            "headers": {"x-a": "b"},
            "standardWebhooks": False,
        },
    }
    path = name.removeprefix(f"projects/{client.project}")

    (row,) = rows(client.project)
    assert row["lifecycle"]["S"] == "READY"
    assert "s3cr3t" not in str(row)
    queue = boto3.client("sqs").get_queue_attributes(
        QueueUrl=row["queueUrl"]["S"], AttributeNames=["All"]
    )["Attributes"]
    assert queue["MessageRetentionPeriod"] == "43200"
    assert queue["VisibilityTimeout"] == "180"
    mapping = boto3.client("lambda").get_event_source_mapping(UUID=row["mappingId"]["S"])
    assert mapping["EventSourceArn"] == queue["QueueArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]

    assert client.call("GET", path) == (200, made | {"name": name})
    assert client.call("GET", "/dataconnectors") == (
        200,
        {"dataConnectors": [made | {"name": name}], "nextPageToken": ""},
    )

    status, changed = client.call("PATCH", path, {"status": "USER_DISABLED"})
    assert (status, changed) == (200, made | {"name": name, "status": "USER_DISABLED"})
    status, changed = client.call(
        "PATCH", path, {"httpConfig": {"url": "https://example.com/2"}}, encoded=True
    )
    assert changed["httpConfig"] == made["httpConfig"] | {"url": "https://example.com/2"}
    status, changed = client.call(
        "PATCH", path, {"labels": []}, query="update_mask=displayName%2Clabels"
    )
    assert (status, changed["displayName"], changed["labels"]) == (200, "", [])
    (row,) = rows(client.project)
    assert (row["epoch"]["N"], row["version"]["N"]) == ("2", "5")

    assert client.call("DELETE", path) == (200, {})
    for method in ("GET", "DELETE"):
        status, error = client.call(method, path)
        assert (status, error["code"]) == (404, 404)
    assert client.call("PATCH", path, {})[0] == 404
    assert client.call("GET", "/dataconnectors")[1]["dataConnectors"] == []
    (row,) = rows(client.project)
    assert row["lifecycle"]["S"] == "DELETING"
    assert "sealed" not in row


def test_a_repeated_create_call_finds_the_mapping_that_the_first_made(client: Client) -> None:
    body = {"displayName": "cut short", "httpConfig": {"url": URL}}
    status, made = client.call("POST", "/dataconnectors", body)
    assert status == 200
    (row,) = rows(client.project)
    # As if the first call had died before it wrote down what it made.
    boto3.client("dynamodb").update_item(
        TableName="dc-test-table",
        Key={"pk": row["pk"], "sk": row["sk"]},
        UpdateExpression="SET lifecycle = :lifecycle, mappingId = :none, queueUrl = :none",
        ExpressionAttributeValues={":lifecycle": {"S": "PROVISIONING"}, ":none": {"S": ""}},
    )
    assert client.call("POST", "/dataconnectors", body) == (200, made)
    (again,) = rows(client.project)
    assert again["lifecycle"]["S"] == "READY"
    assert (again["queueUrl"], again["mappingId"]) == (row["queueUrl"], row["mappingId"])


@pytest.mark.parametrize("mask", ["update_mask=", "updateMask=&update_mask="])
def test_an_empty_update_mask_counts_as_none(client: Client, mask: str) -> None:
    name = client.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[1]["name"]
    path = name.removeprefix(f"projects/{client.project}")
    status, shown = client.call("PATCH", path, {"displayName": "named"}, query=mask)
    assert (status, shown["displayName"], shown["labels"]) == (200, "named", ["name"])


def test_a_patch_that_changes_nothing_writes_nothing(client: Client) -> None:
    name = client.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[1]["name"]
    before = rows(client.project)
    status, shown = client.call("PATCH", name.removeprefix(f"projects/{client.project}"), {})
    assert (status, shown["labels"]) == (200, ["name"])
    assert rows(client.project) == before


def test_a_project_counts_its_devices(client: Client) -> None:
    assert client.call("GET", "") == (
        200,
        {
            "name": f"projects/{client.project}",
            "displayName": "Tests",
            "organization": "organizations/default",
            "organizationDisplayName": "Default organization",
            "sensorCount": 0,
            "cloudConnectorCount": 0,
            "inventory": False,
        },
    )
    for kind in ("ccon", "touch", "motion"):
        assert client.call("POST", "/devices", {"type": kind})[0] == 200
    project = client.call("GET", "")[1]
    assert (project["sensorCount"], project["cloudConnectorCount"]) == (2, 1)


def test_an_emulated_device_from_creation_to_deletion(client: Client) -> None:
    status, device = client.call(
        "POST", "/devices", {"type": "touch", "labels": {"name": "Door", "floor": "1"}}
    )
    assert status == 200
    device_id = device["name"].rsplit("/", 1)[1]
    assert device_id.startswith("emu")
    assert device == {
        "name": f"projects/{client.project}/devices/{device_id}",
        "type": "touch",
        "productNumber": "",
        "labels": {"name": "Door", "floor": "1"},
    }
    assert client.call("GET", f"/devices/{device_id}") == (200, device)
    assert client.call("DELETE", f"/devices/{device_id}") == (200, {})
    assert client.call("GET", f"/devices/{device_id}")[0] == 404
    assert client.call("DELETE", f"/devices/{device_id}")[0] == 404
    assert client.call("GET", "")[1]["sensorCount"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("POST", "/dataconnectors", b"", 400, "body: empty"),
        ("POST", "/dataconnectors", b"{", 400, "body: not JSON"),
        ("POST", "/dataconnectors", b"[" * 5000, 400, "body: n"),
        ("POST", "/dataconnectors", {"httpConfig": {"url": "http://a.b"}}, 400, "httpConfig.url"),
        ("POST", "/dataconnectors", "x" * (1024 * 1024 + 1), 413, "split it"),
        ("GET", "/dataconnectors/absent", None, 404, "dataconnectors/absent is not there"),
        ("GET", "/dataconnectors/a:b", None, 404, "is not there"),
        ("PUT", "/dataconnectors", {}, 405, "is served with GET, POST"),
        ("PUT", "/dataconnectors/a", {}, 405, "is served with DELETE, GET, PATCH"),
        ("GET", "/events", None, 405, "is served with POST"),
        ("GET", "/nothing", None, 404, "is not served here"),
        ("POST", "/devices", {"type": "toaster"}, 400, "type: expected one of"),
        ("POST", "/devices", {"type": "touch", "labels": {"a": 1}}, 400, "labels.a"),
        ("POST", "/devices", {"type": "touch", "labels": {"": "x"}}, 400, "labels"),
        ("GET", "/devices/absent", None, 404, "devices/absent is not there"),
        ("GET", "/devices/a%2Fb", None, 404, "not"),
    ],
)
def test_a_request_that_cannot_be_served_is_answered_with_the_error_json(
    client: Client, method: str, path: str, body: Any, status: int, text: str
) -> None:
    body = body.decode() if isinstance(body, bytes) else body
    answered, error = client.call(method, path, body)
    assert answered == status
    assert set(error) == {"error", "code", "help"}
    assert error["code"] == status
    assert error["help"] == f"/v2/errors#{status}"
    assert text in error["error"]


def test_the_page_that_help_points_to_explains_every_status() -> None:
    answer = app.lambda_handler(request("GET", "/v2/errors"), LambdaContext())
    assert answer["statusCode"] == 200
    for status in (400, 401, 403, 404, 409, 413, 500, 503):
        assert f'id="{status}"' in answer["body"]


def test_a_path_with_doubled_slashes_is_served(client: Client) -> None:
    event = request("GET", f"/v2//projects/{client.project}", headers=client.headers)
    assert app.lambda_handler(event, LambdaContext())["statusCode"] == 200


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer nonsense",
        "Bearer " + "x" * 10_000,
        "Basic nonsense!",
        "Basic bm9jb2xvbg==",
        "Basic dW5rbm93bjprZXk=",
        "Digest x",
    ],
)
def test_a_request_without_valid_credentials_gets_a_401(client: Client, authorization: str) -> None:
    client.headers = {"authorization": authorization}
    for path in ("", "/dataconnectors", "/devices/emu1"):
        status, error = client.call("GET", path)
        assert (status, error["code"]) == (401, 401)


def test_basic_auth_works_only_with_the_right_secret(client: Client) -> None:
    def basic(secret: str) -> int:
        text = f"{client.account['keyId']}:{secret}"
        encoded = base64.b64encode(text.encode()).decode()
        client.headers = {"authorization": f"Basic {encoded}"}
        return client.call("GET", "")[0]

    assert basic(client.account["secret"]) == 200
    assert basic(client.account["secret"][:-1]) == 401
    assert basic("") == 401


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"iss": "somebody@else"}, "iss"),
        ({"exp": 1}, "expired"),
        ({"iat": int(time.time()) + 600}, "iat"),
        ({"exp": int(time.time()) + 86400}, "exp"),
        ({"exp": float("nan")}, "exp"),
        ({"exp": float("inf"), "iat": float("inf")}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": float("nan")}, "iat"),
        ({"iat": True}, "iat"),
        ({"aud": "https://api.example.com/other"}, "aud"),
        ({"aud": "https://other.example.com/v2/oauth2/token"}, "aud"),
        ({"aud": "http://127.0.0.1:8000/v2/oauth2/token"}, "aud"),
        ({"aud": "https://api.example.com@other.example.com/v2/oauth2/token"}, "aud"),
        ({"aud": "/v2/oauth2/token"}, "aud"),
        ({"aud": "https://[/v2/oauth2/token"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
    ],
)
def test_an_invalid_assertion_gets_a_400(
    client: Client, changes: dict[str, Any], reason: str
) -> None:
    status, error = client.exchange(client.assertion(**changes))
    assert (status, error["code"]) == (400, 400)
    assert reason in error["error"]


def test_an_assertion_with_another_secret_gets_a_400(client: Client) -> None:
    client.account = client.account | {"secret": "x" * 43}
    status, error = client.exchange(client.assertion())
    assert (status, error["error"]) == (400, "assertion: the token's signature is not valid")


@pytest.mark.parametrize(
    "audience",
    [
        ["https://api.example.com/v2/oauth2/token"],
        "https://API.example.com:443/oauth2/token/",
        "https://proxy.example.net/token",
    ],
)
def test_an_assertion_may_name_the_token_endpoint_as_the_client_knows_it(
    client: Client, audience: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.token_exchange, "_audiences", ("https://proxy.example.net/token",))
    assert client.exchange(client.assertion(aud=audience))[0] == 200


def test_the_other_members_may_do_what_their_role_says(client: Client) -> None:
    name = client.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[1]["name"]
    path = name.removeprefix(f"projects/{client.project}")
    developer, user = client.account_with(DEVELOPER), client.account_with(USER)
    for other in (developer, user):
        assert other.call("GET", path)[0] == 200
        assert other.call("POST", "/dataconnectors", {"httpConfig": {"url": URL}})[0] == 403
        assert other.call("DELETE", path)[0] == 403
    assert developer.call("PATCH", path, {"displayName": "d"})[0] == 200
    assert user.call("PATCH", path, {"displayName": "u"})[0] == 403
    assert user.call("POST", "/events", {"events": []})[0] == 403


def test_a_foreign_project_is_answered_as_one_that_does_not_exist(client: Client) -> None:
    absent = client.call("GET", "")
    stranger = Client(client.account, "c0000000000000000000")
    stranger.headers = client.headers
    for path in ("", "/dataconnectors", "/dataconnectors/x", "/devices/x"):
        assert stranger.call("GET", path)[0] == 404
    assert absent[0] == 200


def test_a_key_that_makes_too_many_requests_gets_a_429_with_the_time_to_wait(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = Throttle(
        RequestCountStore(app.table),
        3,
        app.logger,
        now=lambda: 1_790_000_001.0,
        patience=60.0,  # A busy machine is no fault of the counter
    )
    monkeypatch.setattr(app, "throttle", limited)
    codes = [client.call("GET", "")[0] for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    answer = app.lambda_handler(
        request("PATCH", f"/v2/projects/{client.project}", {}, headers=client.headers),
        LambdaContext(),
    )
    assert answer["headers"]["retry-after"] == "4"
    assert client.exchange(client.assertion())[0] == 200  # Without a key yet
    client.headers = {"authorization": "Bearer nonsense"}
    assert client.call("GET", "")[0] == 401


def test_a_wrong_method_is_answered_with_the_allowed_methods() -> None:
    answer = app.lambda_handler(request("DELETE", "/v2/oauth2/token"), LambdaContext())
    assert answer["statusCode"] == 405
    assert answer["headers"]["Allow"] == "POST"
