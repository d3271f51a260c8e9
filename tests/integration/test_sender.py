"""The sender's handler, from a message in SQS to its answer, over moto."""

import json
import socket
from pathlib import Path
from typing import Any

import boto3
import pytest

from dataconnectors.store.connectors import ConnectorStore
from functions.ingest import app as ingest
from functions.sender import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, envelope
from tests.support.http_api import LambdaContext

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture
def unreachable() -> str:
    """A URL of this machine where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"https://127.0.0.1:{listener.getsockname()[1]}/hook"


def received(client: Client) -> dict[str, Any]:
    """The event that Lambda's poller would make of what the one connector's queue holds."""
    (connector,) = ConnectorStore(ingest.table).connectors(client.project)
    messages = boto3.client("sqs").receive_message(
        QueueUrl=connector.queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=180,
        AttributeNames=["All"],
    )["Messages"]
    name = connector.queue_url.rsplit("/", 1)[1]
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{name}",
            }
            for message in messages
        ]
    }


def publish(client: Client, count: int) -> None:
    status, answer = client.call(
        "POST", "/events", {"events": [envelope(client, f"e{number}") for number in range(count)]}
    )
    assert status == 200, answer


def test_what_failed_stays_in_the_queue_and_is_seen_in_the_log_without_its_secrets(
    client: Client, unreachable: str, caplog: pytest.LogCaptureFixture
) -> None:
    secrets = {"signatureSecret": "a secret of mine", "headers": {"X-Key": "a key of mine"}}
    connect(client, httpConfig={"url": unreachable} | secrets)
    publish(client, 3)
    event = received(client)
    caplog.clear()
    answer = app.lambda_handler(event, LambdaContext())
    assert answer == {
        "batchItemFailures": [
            {"itemIdentifier": record["messageId"]} for record in event["Records"]
        ]
    }
    fields = [record.__dict__ for record in caplog.records]
    assert "of mine" not in repr(fields)
    failed = [line for line in fields if line["msg"] == "delivery.failed"]
    assert [(line["kind"], line["next_wait"]) for line in failed] == [("connect", 8)] * 3
    (batch,) = (line for line in fields if line["msg"] == "delivery.batch")
    assert (batch["failed"], batch["delivered"]) == (3, 0)
    # An expected failure is no error, and SQS has taken the waits.
    assert {line["levelname"] for line in fields} == {"INFO"}


def test_what_a_disabled_connector_still_has_in_its_queue_is_dropped(
    client: Client, unreachable: str
) -> None:
    path = connect(client, httpConfig={"url": unreachable})
    publish(client, 2)
    status, _ = client.call("PATCH", path, {"status": "USER_DISABLED"})
    assert status == 200
    assert app.lambda_handler(received(client), LambdaContext()) == {"batchItemFailures": []}


def test_the_file_in_events_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads((EVENTS / "sender_batch.json").read_text())
    # The good one's connector is not there, so its event is dropped; the other is not ours.
    assert app.lambda_handler(event, LambdaContext()) == {
        "batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]
    }
    (metric,) = (
        json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line
    )
    assert metric["service"] == "dataconnectors"
    assert metric["OldestMessageAge"] >= 0
    assert metric["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "dc-test",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "OldestMessageAge", "Unit": "Seconds"}],
        }
    ]
