"""Ingest, from a request or a direct invocation to the messages in SQS."""

import json
import time
from typing import Any

import boto3
import pytest

from dataconnectors.kernel import times
from dataconnectors.kernel.errors import RequestError
from dataconnectors.store.connectors import ConnectorStore
from functions.ingest import app
from tests.integration.conftest import Client
from tests.support.http_api import LambdaContext


def stamp() -> str:
    return times.to_text(time.time())


def connect(client: Client, **body: Any) -> str:
    """A new connector's path."""
    body = {"httpConfig": {"url": "https://example.com/hook"}} | body
    status, made = client.call("POST", "/dataconnectors", body)
    assert status == 200, made
    return str(made["name"]).removeprefix(f"projects/{client.project}")


def messages(client: Client) -> list[dict[str, Any]]:
    """The messages in the queues of the project's connectors."""
    sqs = boto3.client("sqs")
    found = []
    for connector in ConnectorStore(app.table).connectors(client.project):
        while True:
            received = sqs.receive_message(
                QueueUrl=connector.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=0
            ).get("Messages", [])
            if not received:
                break
            for message in received:
                sqs.delete_message(
                    QueueUrl=connector.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
                found.append(json.loads(message["Body"]))
    return found


def envelope(client: Client, event_id: str = "e1", device: str = "d1") -> dict[str, Any]:
    return {
        "eventId": event_id,
        "targetName": f"projects/{client.project}/devices/{device}",
        "eventType": "touch",
        "data": {"touch": {"updateTime": stamp()}},
        "timestamp": stamp(),
    }


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_published_event_waits_in_the_queue_with_its_labels(client: Client, colon: str) -> None:
    connect(client)
    device = client.call("POST", "/devices", {"type": "touch", "labels": {"name": "Door"}})[1]
    path = f"/devices/{device['name'].rsplit('/', 1)[1]}{colon}publish"
    assert client.call("POST", path, {"touch": {}}) == (200, {})
    (message,) = messages(client)
    body = json.loads(message["body"])
    assert body["labels"] == {"name": "Door"}
    assert body["event"]["targetName"] == device["name"]
    assert len(body["event"]["eventId"]) == 20


def test_events_are_accepted_and_refused_one_by_one(client: Client) -> None:
    connect(client)
    bad = envelope(client) | {"eventType": "bogus"}
    events = [envelope(client, "e1"), bad, envelope(client, "e3")]
    status, answer = client.call("POST", "/events", {"events": events}, encoded=True)
    assert status == 200
    assert answer == {
        "accepted": 2,
        "errors": [{"index": 1, "error": "eventType: 'bogus' is unknown"}],
    }
    assert sorted(message["eventId"] for message in messages(client)) == ["e1", "e3"]


def test_a_hundred_events_reach_each_of_three_queues(client: Client) -> None:
    for name in ("first", "second", "third"):
        connect(client, displayName=name)
    events = [envelope(client, f"e{n}") for n in range(100)]
    assert client.call("POST", "/events", {"events": events})[1]["accepted"] == 100
    found = [(message["connector"], message["eventId"]) for message in messages(client)]
    assert len(found) == len(set(found)) == 300


def test_each_event_sees_the_configuration_that_was_set_before_it(client: Client) -> None:
    path = connect(client, events=["motion"])

    def publish(event_id: str) -> list[int]:
        events = [envelope(client, event_id)]
        assert client.call("POST", "/events", {"events": events})[0] == 200
        return [message["epoch"] for message in messages(client)]

    assert publish("e1") == []
    client.call("PATCH", path, {"events": ["touch"]})
    assert publish("e2") == [1]
    client.call("PATCH", path, {"status": "USER_DISABLED"})
    assert publish("e3") == []
    client.call("PATCH", path, {"status": "ACTIVE"})
    assert publish("e4") == [3]
    client.call("DELETE", path)
    assert publish("e5") == []


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/events", "{", 400, "not JSON"),
        ("/events", [], 400, 'expected {"events": [...]}'),
        ("/events", {}, 400, "events: expected a list of 1 to 100"),
        ("/events", {"events": []}, 400, "events: expected a list of 1 to 100"),
        ("/events", {"events": [{}] * 101}, 400, "101 given"),
        ("/events", {"events": [{}]}, 400, "none is valid"),
        ("/events", " " * (1024 * 1024 + 1), 413, "split it"),
        ("/devices/emu1:publish", {"touch": {}}, 404, "devices/emu1 is not there"),
        ("/devices/emu1:publish", {"bogus": {}}, 400, "'bogus' is unknown"),
        ("/devices/emu1:explode", {"touch": {}}, 405, "is served with DELETE, GET, PUT"),
        ("/devices/emu1", {"touch": {}}, 405, "is served with DELETE, GET, PUT"),
    ],
)
def test_what_cannot_be_accepted_is_answered_with_the_error_json(
    client: Client, path: str, body: Any, status: int, text: str
) -> None:
    answered, error = client.call("POST", path, body)
    assert (answered, error["code"]) == (status, status)
    assert text in error["error"]


def test_invalid_events_alone_are_answered_by_index(client: Client) -> None:
    status, error = client.call("POST", "/events", {"events": [{}, 3]})
    assert status == 400
    assert [entry["index"] for entry in error["errors"]] == [0, 1]
    assert error["accepted"] == 0


def test_publishing_needs_credentials_and_membership(client: Client) -> None:
    stranger = Client(client.account, "c0000000000000000000")
    assert stranger.call("POST", "/events", {"events": []})[0] == 401
    stranger.headers = client.headers
    assert stranger.call("POST", "/events", {"events": []})[0] == 404


def test_a_missing_queue_is_a_503_with_the_index_and_counted(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    connect(client)
    (connector,) = ConnectorStore(app.table).connectors(client.project)
    boto3.client("sqs").delete_queue(QueueUrl=connector.queue_url)
    bad = envelope(client) | {"eventType": "bogus"}
    status, error = client.call("POST", "/events", {"events": [bad, envelope(client)]})
    assert status == 503
    assert error["accepted"] == 0
    assert [entry["index"] for entry in error["errors"]] == [0, 1]
    assert connector.name in error["errors"][1]["error"]
    metrics = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [metric["NotAccepted"] for metric in metrics] == [1]


class TestDirectInvocation:
    """Rules and schedulers invoke ingest directly, and ignore its answers."""

    def invoke(self, event: Any) -> Any:
        return app.lambda_handler(event, LambdaContext())

    def test_it_answers_what_was_accepted(self, client: Client) -> None:
        connect(client)
        event = {"project": client.project, "events": [envelope(client, "e1"), {}]}
        answer = self.invoke(event)
        assert answer["accepted"] == 1
        assert [error["index"] for error in answer["errors"]] == [1]
        assert [message["eventId"] for message in messages(client)] == ["e1"]

    def test_it_raises_when_a_valid_event_was_not_accepted(self, client: Client) -> None:
        connect(client)
        (connector,) = ConnectorStore(app.table).connectors(client.project)
        boto3.client("sqs").delete_queue(QueueUrl=connector.queue_url)
        with pytest.raises(app.NotAcceptedError):
            self.invoke({"project": client.project, "events": [envelope(client)]})

    @pytest.mark.parametrize(
        "event",
        [
            {},
            {"project": "a/b", "events": []},
            {"project": "c0000000000000000000", "events": [{}]},
        ],
    )
    def test_it_raises_when_the_call_is_wrong(self, event: Any) -> None:
        with pytest.raises(RequestError):
            self.invoke(event)

    def test_it_raises_when_nothing_was_valid(self, client: Client) -> None:
        with pytest.raises(app.NotAcceptedError):
            self.invoke({"project": client.project, "events": [{}]})
