"""How a call that changes labels leads, by the table's stream, to labelsChanged events in
queues."""

import json
import time
from typing import Any

import boto3
import pytest

from dataconnectors.kernel import times
from dataconnectors.store import keys
from dataconnectors.store.connectors import ConnectorStore
from functions.labels import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, messages
from tests.support.http_api import LambdaContext


def row(client: Client, device: str) -> dict[str, Any]:
    key = keys.device_key(client.project, device)
    found = boto3.client("dynamodb").get_item(TableName="dc-test-table", Key=key)
    return dict(found["Item"])


def record(number: int, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The stream's record of a write, as Lambda's poller passes it on (AWS: DynamoDB event)."""
    return {
        "eventID": f"{number:032x}",
        "eventName": "MODIFY",
        "dynamodb": {
            "OldImage": old,
            "NewImage": new,
            "SequenceNumber": str(1000 + number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def change(client: Client, device: str, number: int = 1, **labels: str) -> dict[str, Any]:
    """Change labels over the API; the stream's record of the write."""
    old = row(client, device)
    name = f"projects/{client.project}/devices/{device}"
    body = {"devices": [name], "addLabels": labels}
    assert client.call("POST", "/devices:batchUpdate", body) == (200, {"batchErrors": []})
    return record(number, old, row(client, device))


def make(client: Client, **labels: str) -> str:
    made = client.call("POST", "/devices", {"type": "touch", "labels": labels})[1]
    return str(made["name"]).rsplit("/", 1)[1]


def run(*records: dict[str, Any]) -> Any:
    event = json.loads(json.dumps({"Records": records}))
    return app.lambda_handler(event, LambdaContext())


def test_a_change_reaches_the_connectors_that_want_it_and_no_history(client: Client) -> None:
    connect(client, labels=["name", "room"])
    connect(client, events=["touch"])
    device = make(client, name="Door")
    before = time.time()
    written = change(client, device, name="Gate", room="1")
    assert run(written) == {"batchItemFailures": []}
    (message,) = messages(client)
    body = json.loads(message["body"])
    assert body["labels"] == {"name": "Gate", "room": "1"}
    assert body["event"]["eventType"] == "labelsChanged"
    assert body["event"]["targetName"] == f"projects/{client.project}/devices/{device}"
    assert body["event"]["data"] == {
        "added": {"room": "1"},
        "modified": {"name": "Gate"},
        "removed": [],
    }
    assert before <= times.from_text(body["event"]["timestamp"]) <= time.time()
    assert client.call("GET", f"/devices/{device}/events")[1]["events"] == []
    assert "reported" not in client.call("GET", f"/devices/{device}")[1]


def test_a_change_that_the_stream_repeats_has_the_same_event_id(client: Client) -> None:
    connect(client)
    device = make(client)
    first, second = (change(client, device, n, room=str(n)) for n in (1, 2))
    run(first)
    run(first, second)
    ids = [message["eventId"] for message in messages(client)]
    assert len(ids) == 3
    assert len(set(ids)) == 2


def test_a_write_that_changes_no_label_publishes_nothing(client: Client) -> None:
    connect(client)
    device = make(client)
    change(client, device, room="1")
    same = row(client, device)
    assert run(record(1, same, same)) == {"batchItemFailures": []}
    assert messages(client) == []


def test_lambda_repeats_changes_from_the_first_that_was_not_published(
    client: Client,
) -> None:
    connect(client)
    (connector,) = ConnectorStore(app.table).connectors(client.project)
    device = make(client)
    records = [change(client, device, n, room=str(n)) for n in range(3)]
    boto3.client("sqs").delete_queue(QueueUrl=connector.queue_url)
    assert run(*records) == {"batchItemFailures": [{"itemIdentifier": "1000"}]}


def test_a_changed_label_does_not_register_a_deleted_device_again(client: Client) -> None:
    connect(client)
    device = make(client)
    written = change(client, device, room="1")
    client.call("DELETE", f"/devices/{device}")
    assert run(written) == {"batchItemFailures": []}
    assert len(messages(client)) == 1
    assert client.call("GET", f"/devices/{device}")[0] == 404


@pytest.mark.parametrize("gone", ["project", "shape"])
def test_a_change_that_can_never_be_published_does_not_stop_the_others(
    client: Client, gone: str
) -> None:
    connect(client)
    device = make(client)
    written, after = (change(client, device, n, room=str(n)) for n in (1, 2))
    if gone == "project":
        for image in ("OldImage", "NewImage"):
            written["dynamodb"][image]["pk"]["S"] = "DEVICES#c0000000000000000000#1"
    else:
        wide = {f"k{n}": {"S": "😀" * 256} for n in range(50)}
        written["dynamodb"]["NewImage"]["labels"] = {"M": wide}
    assert run(written, after) == {"batchItemFailures": []}
    assert len(messages(client)) == 1


def test_many_changes_for_many_connectors_are_split(client: Client) -> None:
    for n in range(3):
        connect(client, displayName=str(n))
    device = make(client)
    records = [change(client, device, n, room=str(n)) for n in range(45)]
    assert run(*records) == {"batchItemFailures": []}
    assert len(messages(client)) == 135
