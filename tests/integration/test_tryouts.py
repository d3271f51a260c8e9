"""An address of the stack itself plays a connector's receiver, and shows what came to it."""

import itertools
import json
import time
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError

from dataconnectors.endpoints.signing import sign
from dataconnectors.tryouts.delivery import KEPT_SECONDS, MAXIMUM_DELIVERIES
from dataconnectors.tryouts.inspection import MAXIMUM_BODY
from dataconnectors.tryouts.try_out import LIFETIME, MAXIMUM_TRY_OUTS
from functions.config_api import app as config_api
from functions.try_out import app
from tests.integration.conftest import Client, new_administrator
from tests.integration.test_ingest import connect, envelope, messages
from tests.support.http_api import LambdaContext, content, request

SECRET = "a secret of some thirty characters"

numbers = itertools.count()


def make(client: Client, **body: Any) -> dict[str, Any]:
    status, made = client.call("POST", "/tryouts", body)
    assert status == 200, made
    return dict(made)


def path_of(client: Client, try_out: dict[str, Any]) -> str:
    return str(try_out["name"].removeprefix(f"projects/{client.project}"))


def deliveries(client: Client, try_out: dict[str, Any]) -> list[dict[str, Any]]:
    status, shown = client.call("GET", path_of(client, try_out))
    assert status == 200, shown
    return list(shown["deliveries"])


def tried(client: Client, **secrets: Any) -> dict[str, Any]:
    """An address with a connector that delivers to it."""
    try_out = make(client)
    connect(client, httpConfig={"url": try_out["url"], "signatureSecret": SECRET} | secrets)
    return try_out


def body_for(client: Client) -> bytes:
    """The body of a delivery, as ingest puts it into the connector's queue."""
    event_id = f"event-{next(numbers)}"
    status, answer = client.call("POST", "/events", {"events": [envelope(client, event_id)]})
    assert status == 200, answer
    (message,) = (each for each in messages(client) if event_id in each["body"])
    return str(message["body"]).encode()


def post(
    url: str, body: bytes, secret: str = SECRET, sleep: list[float] | None = None, **more: str
) -> tuple[int, Any]:
    """POST to an address as the sender does."""
    headers = {"x-dt-signature": sign(body, secret, time.time(), bytes(8))} if secret else {}
    path = url.partition("://")[2].partition("/")[2]
    event = request("POST", f"/{path}", body.decode(), headers=headers | more)
    waits: list[float] = []
    if sleep is None:
        answer = app.lambda_handler(event, LambdaContext())
    else:
        answer = app.take(event, time.time(), waits.append)
        sleep += waits
    return answer["statusCode"], content(answer)


def test_address_first_then_connector_then_events(client: Client) -> None:
    try_out = make(client)
    assert try_out["url"].startswith(f"https://api.example.com/try/{client.project}.")
    assert post(try_out["url"], b"{}") == (
        404,
        {
            "error": "no connector delivers to this address, or its time is over",
            "code": 404,
            "help": "/v2/errors#404",
        },
    )
    connector = connect(
        client, httpConfig={"url": try_out["url"], "signatureSecret": SECRET, "headers": {}}
    )
    body = body_for(client)
    assert post(try_out["url"], body, x_own="<script>") == (200, {})
    (shown,) = deliveries(client, try_out)
    assert shown["connector"] == f"projects/{client.project}{connector}"
    assert (shown["isSignatureValid"], shown["problem"]) == (True, "")
    assert (shown["answered"], shown["answeredAfter"]) == (200, 0)
    assert shown["body"] == body.decode()
    assert shown["eventId"] == json.loads(body)["event"]["eventId"]
    assert shown["headers"]["x_own"] == "<script>"
    assert client.call("GET", "/tryouts")[1] == {"tryouts": [try_out], "nextPageToken": ""}


def test_it_answers_as_asked(client: Client) -> None:
    try_out = tried(client)
    path, body = path_of(client, try_out), body_for(client)
    waited: list[float] = []
    status, changed = client.call("PATCH", path, {"answer": "500"})
    assert (status, changed["answer"]) == (200, "500")
    status, answer = post(try_out["url"], body)
    assert status == 500
    assert answer["error"] == "this address answers 500, as it was asked to"
    client.call("PATCH", path, {"answer": "SLOW"})
    assert post(try_out["url"], body, sleep=waited)[0] == 200
    assert waited == [11]  # the tests' ATTEMPT_TIMEOUT is 10
    assert [each["answered"] for each in deliveries(client, try_out)] == [200, 500]
    assert client.call("PATCH", path, {})[1]["answer"] == "SLOW"
    assert client.call("PATCH", path, {"answer": "201"})[0] == 400


def test_a_wrong_signature_is_refused_and_keeps_nothing_of_what_was_sent(client: Client) -> None:
    try_out = tried(client)
    body = body_for(client)
    status, answer = post(try_out["url"], body, secret="guessed")
    assert (status, answer["error"]) == (401, "the signature was not made with this secret")
    assert post(try_out["url"], body, secret="")[0] == 401
    for shown in deliveries(client, try_out):
        assert (shown["isSignatureValid"], shown["connector"], shown["answered"]) == (
            False,
            "",
            401,
        )
        assert (shown["headers"], shown["body"], shown["eventId"]) == ({}, "", "")


def test_a_connector_without_a_secret_delivers_without_a_signature(client: Client) -> None:
    try_out = tried(client, signatureSecret="")
    assert post(try_out["url"], body_for(client), secret="")[0] == 200
    (shown,) = deliveries(client, try_out)
    assert (shown["isSignatureValid"], shown["problem"]) == (None, "")
    assert post(try_out["url"], b'{"a": "file"}', secret="")[0] == 400


def test_the_last_deliveries_are_kept_for_an_hour(client: Client) -> None:
    try_out = tried(client)
    bodies = [body_for(client) for _ in range(3)]
    wanted = [json.loads(body)["event"]["eventId"] for body in bodies]
    for number in range(MAXIMUM_DELIVERIES + 2):
        assert post(try_out["url"], bodies[number % 3])[0] == 200
    shown = deliveries(client, try_out)
    assert len(shown) == MAXIMUM_DELIVERIES
    assert [each["eventId"] for each in shown[:3]] == [wanted[0], wanted[2], wanted[1]]
    assert [each["time"] for each in shown] == sorted(
        (each["time"] for each in shown), reverse=True
    )
    # The rows are still there: DynamoDB deletes expired ones late.
    with time_machine.travel(time.time() + KEPT_SECONDS + 2):
        client.log_in()
        assert deliveries(client, try_out) == []
    client.log_in()


def test_an_address_ends_after_a_week_unless_it_is_changed(client: Client) -> None:
    first, second = tried(client), make(client)
    with time_machine.travel(time.time() + LIFETIME - 60) as clock:
        client.log_in()
        assert client.call("PATCH", path_of(client, second), {})[0] == 200
        clock.shift(62)
        assert client.call("GET", path_of(client, first))[0] == 404
        assert client.call("PATCH", path_of(client, first), {})[0] == 404
        assert client.call("DELETE", path_of(client, first))[0] == 404
        (left,) = client.call("GET", "/tryouts")[1]["tryouts"]
        assert left["name"] == second["name"]
        body = b'{"event": {}}'
        assert post(first["url"], body)[0] == 404
    client.log_in()


def test_a_project_has_a_few_addresses_at_most(client: Client) -> None:
    made = [make(client) for _ in range(MAXIMUM_TRY_OUTS)]
    status, answer = client.call("POST", "/tryouts", {})
    assert status == 400
    assert answer["error"] == (
        f"projects/{client.project} has {MAXIMUM_TRY_OUTS} try-outs: delete one first"
    )
    assert client.call("DELETE", path_of(client, made[0])) == (200, {})
    assert post(made[0]["url"], b"{}")[0] == 404
    assert client.call("GET", path_of(client, made[0]))[0] == 404
    make(client)


def test_another_projects_connector_and_another_projects_member_get_nothing(
    client: Client,
) -> None:
    try_out = make(client)
    other = new_administrator("Other")
    connect(other, httpConfig={"url": try_out["url"], "signatureSecret": SECRET})
    assert post(try_out["url"], body_for(other))[0] == 404
    assert deliveries(client, try_out) == []
    assert other.call("GET", f"/tryouts/{try_out['name'].rpartition('/')[2]}")[0] == 404


@pytest.mark.parametrize(
    "name", ["x", "p.x", "%2e%2e", f"p.{'0' * 32}", "." + "0" * 32, "p." + "0" * 31 + "%0a"]
)
def test_an_address_that_was_never_made_is_not_found(name: str) -> None:
    status, answer = post(f"https://h/try/{name}", b"{}")
    assert status == 404
    assert answer["error"] == "there is no such address: it was never made, or was deleted"


def test_a_large_body_is_refused_before_anything_is_read(client: Client) -> None:
    status, answer = post("https://h/try/p.x", b"x" * (MAXIMUM_BODY + 1))
    assert (status, answer["error"]) == (413, "body: 65537 bytes, at most 65536")


def test_when_the_database_does_not_answer_the_delivery_comes_again(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")

    monkeypatch.setattr(app.try_out_rows, "count_delivery", busy)
    status, answer = post(f"https://h/try/p.{'0' * 32}", b"{}")
    assert (status, answer["error"]) == (503, "the service is busy: send it again")


def test_where_it_is_switched_off_the_api_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    try_out = make(client)
    monkeypatch.setattr(config_api.try_out_service, "_is_on", False)
    for method, path in (
        ("GET", "/tryouts"),
        ("POST", "/tryouts"),
        ("GET", path_of(client, try_out)),
    ):
        status, answer = client.call(method, path, None if method == "GET" else {})
        assert status == 404
        assert "TryOut=false" in answer["error"]
