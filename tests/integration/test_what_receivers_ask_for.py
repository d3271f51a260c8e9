"""Rotation, Standard Webhooks and 410: from the config API over real handlers to an endpoint.

The endpoint speaks TLS on this machine. The official library of Standard Webhooks verifies what
arrives there, unmodified.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import disruptive
import pytest
import time_machine
from standardwebhooks import Webhook, WebhookVerificationError

from dataconnectors.connectors.secrets import MASK
from dataconnectors.identity import roles
from dataconnectors.kernel.times import from_text
from dataconnectors.receive import RefusedError, receive
from dataconnectors.store.connectors import ConnectorStore
from functions.ingest import app as ingest
from tests.integration.conftest import Client, sdk_options
from tests.integration.test_ingest import connect, envelope, messages
from tests.integration.test_sender import received
from tests.integration.test_walk import fresh
from tests.support.endpoints import Endpoint, answering, serve, trusted_tls
from tests.support.http_api import LambdaContext

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_Xk3iv2e9r8GKYqrTwjUPD8ILPZIo2LaL"
DAY = 24 * 3600

Serve = Callable[[int], Endpoint]
"""Starts an endpoint that answers with a status."""


def answer_of(status: int) -> bytes:
    # Nobody would close a connection that a sender of these tests keeps.
    return f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n".encode()


@pytest.fixture
def serving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    monkeypatch.setenv("TRUSTED_AUTHORITIES_FILE", str(tmp_path / "ca.pem"))
    tls = trusted_tls(tmp_path / "ca.pem")
    started: list[Endpoint] = []

    def start(status: int) -> Endpoint:
        endpoint = serve(answering(answer_of(status)), tls)
        started.append(endpoint.__enter__())
        return endpoint

    yield start
    for endpoint in started:
        endpoint.__exit__(None, None, None)


def url_of(endpoint: Endpoint) -> str:
    return f"https://127.0.0.1:{endpoint.port}/hook"


def send(client: Client, event_id: str, *, later: float = 0.0) -> Any:
    """Publish an event and send it, `later` by so many seconds on the sender's wall clock."""
    status, answer = client.call("POST", "/events", {"events": [envelope(client, event_id)]})
    assert status == 200, answer
    batch = received(client)
    for record in batch["Records"]:
        sent_at = int(record["attributes"]["SentTimestamp"]) + later * 1000
        record["attributes"]["SentTimestamp"] = str(int(sent_at))
    with time_machine.travel(time.time() + later, tick=True):
        return fresh("sender")(batch, LambdaContext())


def headers_of(head: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)


def verified(endpoint: Endpoint, secret: str, *, later: float = 0.0) -> tuple[bool, bool]:
    """Whether the last delivery is one for `dataconnectors.receive` and the official library."""
    head, body = endpoint.requests[-1]
    headers = headers_of(head)
    with time_machine.travel(time.time() + later, tick=True):
        try:
            ours = receive(headers, body, secret).event_id == headers["Webhook-Id"]
        except RefusedError:
            ours = False
        try:
            theirs = bool(Webhook(secret).verify(body, headers) == json.loads(body))
        except WebhookVerificationError:
            theirs = False
    return ours, theirs


def test_a_secret_changes_without_a_gap_for_receivers_of_both_kinds(
    client: Client, serving: Serve
) -> None:
    endpoint = serving(200)
    http = {"url": url_of(endpoint), "signatureSecret": OLD, "standardWebhooks": True}
    path = connect(client, httpConfig=http)
    assert send(client, "e1") == {"batchItemFailures": []}
    assert verified(endpoint, OLD) == (True, True)
    assert verified(endpoint, NEW) == (False, False)

    rotation = {"signatureSecret": NEW, "keepPreviousSecret": True}
    status, shown = client.call("PATCH", path, {"httpConfig": rotation})
    assert status == 200, shown
    until = from_text(shown["httpConfig"].pop("previousSecretExpireTime"))
    assert until - time.time() == pytest.approx(DAY, abs=60)
    assert shown["httpConfig"] == http | {"signatureSecret": NEW, "headers": {}}
    assert send(client, "e2") == {"batchItemFailures": []}
    assert verified(endpoint, OLD) == verified(endpoint, NEW) == (True, True)

    (row,) = ConnectorStore(ingest.table).connectors(client.project)
    assert send(client, "e3", later=DAY + 60) == {"batchItemFailures": []}
    assert verified(endpoint, NEW, later=DAY + 60) == (True, True)
    assert verified(endpoint, OLD, later=DAY + 60) == (False, False)
    assert ConnectorStore(ingest.table).connectors(client.project) == [row]


def test_a_secret_that_is_replaced_without_more_ends_at_once(
    client: Client, serving: Serve
) -> None:
    endpoint = serving(200)
    http = {"url": url_of(endpoint), "signatureSecret": OLD, "standardWebhooks": True}
    path = connect(client, httpConfig=http)
    assert client.call("PATCH", path, {"httpConfig": {"signatureSecret": NEW}})[0] == 200
    send(client, "e1")
    assert verified(endpoint, OLD) == (False, False)
    assert verified(endpoint, NEW) == (True, True)


def test_each_attempt_has_the_same_id_and_its_own_time(client: Client, serving: Serve) -> None:
    endpoint = serving(500)
    http = {"url": url_of(endpoint), "signatureSecret": OLD, "standardWebhooks": True}
    connect(client, httpConfig=http)
    assert len(send(client, "same")["batchItemFailures"]) == 1
    first, _ = endpoint.requests[-1]
    send(client, "same", later=3600)
    second, _ = endpoint.requests[-1]
    before, after = headers_of(first), headers_of(second)
    assert before["Webhook-Id"] == after["Webhook-Id"] == "same"
    passed = int(after["Webhook-Timestamp"]) - int(before["Webhook-Timestamp"])
    assert passed == pytest.approx(3600, abs=30)
    assert verified(endpoint, OLD, later=3600) == (True, True)


def test_a_connector_that_asks_for_nothing_sends_what_it_always_did(
    client: Client, serving: Serve
) -> None:
    endpoint = serving(200)
    connect(client, httpConfig={"url": url_of(endpoint), "signatureSecret": OLD})
    send(client, "e1")
    assert {name.lower() for name in headers_of(endpoint.requests[-1][0])} == {
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-dt-signature",
    }


def test_a_reader_sees_that_a_secret_changes_and_neither_of_the_two(client: Client) -> None:
    path = connect(client, httpConfig={"url": "https://example.com/", "signatureSecret": OLD})
    rotation = {"signatureSecret": NEW, "previousSecretTtl": "3600s"}
    assert client.call("PATCH", path, {"httpConfig": rotation})[0] == 200
    _, shown = client.account_with(roles.USER).call("GET", path)
    assert shown["httpConfig"]["signatureSecret"] == MASK
    assert from_text(shown["httpConfig"]["previousSecretExpireTime"]) > time.time()
    for reader in (client, client.account_with(roles.USER)):
        assert OLD not in json.dumps(reader.call("GET", "/dataconnectors")[1])


def test_the_audit_log_says_that_a_secret_changes_and_how(client: Client) -> None:
    path = connect(client, httpConfig={"url": "https://example.com/", "signatureSecret": OLD})
    changes: list[tuple[dict[str, Any], list[str]]] = [
        (
            {"signatureSecret": NEW, "keepPreviousSecret": True},
            ["httpConfig.signatureSecret", "httpConfig.previousSecretTtl"],
        ),
        ({"standardWebhooks": True}, ["httpConfig.standardWebhooks"]),
        ({"previousSecretTtl": "60s"}, ["httpConfig.previousSecretTtl"]),
        ({"keepPreviousSecret": False}, ["httpConfig.previousSecretTtl"]),
    ]
    for http, fields in changes:
        assert client.call("PATCH", path, {"httpConfig": http})[0] == 200
        newest = client.call("GET", "/audit")[1]["entries"][0]
        assert newest["fields"] == fields
        assert "whsec_" not in json.dumps(newest)


def test_the_vendors_sdk_works_with_a_connector_that_uses_all_of_it(
    client: Client, base_url: str
) -> None:
    http = {"url": "https://example.com/", "signatureSecret": OLD, "standardWebhooks": True}
    path = connect(client, httpConfig=http)
    rotation = {"signatureSecret": NEW, "keepPreviousSecret": True}
    _, before = client.call("PATCH", path, {"httpConfig": rotation})
    connector_id = path.rpartition("/")[2]
    changed = disruptive.DataConnector.update_data_connector(
        connector_id,
        client.project,
        config=disruptive.DataConnector.HttpPushConfig(
            url="https://example.com/2", signature_secret=NEW, headers={}
        ),
        display_name="By the SDK",
        **sdk_options(client, base_url),
    )
    assert changed.config is not None
    assert changed.config.signature_secret == NEW
    after = client.call("GET", path)[1]
    assert after["httpConfig"] == before["httpConfig"] | {"url": "https://example.com/2"}


@pytest.mark.usefixtures("hurried")
def test_an_endpoint_that_is_gone_gets_nothing_more_until_its_owner_wants_that(
    client: Client, serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISABLE_ON_GONE", "true")
    endpoint = serving(410)
    path = connect(client, httpConfig={"url": url_of(endpoint), "signatureSecret": OLD})
    batch = send(client, "e1")
    assert len(batch["batchItemFailures"]) == 1
    assert client.call("GET", path)[1]["status"] == "SYSTEM_DISABLED"
    entry = client.call("GET", "/audit")[1]["entries"][0]
    assert (entry["actor"], entry["keyId"], entry["address"]) == ("system", "", "")
    assert (entry["action"], entry["fields"]) == ("dataconnector.update", ["status"])
    assert entry["resource"] == f"projects/{client.project}{path}"
    assert entry["details"] == {"reason": "the endpoint answered 410 Gone"}

    # What is published now is not even queued.
    body = {"events": [envelope(client, "e2")]}
    assert client.call("POST", "/events", body)[0] == 200
    assert messages(client) == []
    assert len(endpoint.requests) == 1

    assert client.call("PATCH", path, {"status": "ACTIVE"})[0] == 200
    send(client, "e3")
    assert len(endpoint.requests) == 2


def test_the_event_that_met_410_is_dropped_when_it_comes_again(
    client: Client, serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISABLE_ON_GONE", "true")
    endpoint = serving(410)
    path = connect(client, httpConfig={"url": url_of(endpoint)})
    body = {"events": [envelope(client, "e1"), envelope(client, "e2")]}
    assert client.call("POST", "/events", body)[0] == 200
    batch = received(client)
    sender = fresh("sender")
    assert len(sender(batch, LambdaContext())["batchItemFailures"]) == 2
    assert client.call("PATCH", path, {"status": "ACTIVE"})[0] == 200
    assert sender(batch, LambdaContext()) == {"batchItemFailures": []}
    assert len(endpoint.requests) == 2


def test_410_is_an_ordinary_failure_by_default(client: Client, serving: Serve) -> None:
    endpoint = serving(410)
    path = connect(client, httpConfig={"url": url_of(endpoint)})
    assert len(send(client, "e1")["batchItemFailures"]) == 1
    assert client.call("GET", path)[1]["status"] == "ACTIVE"
