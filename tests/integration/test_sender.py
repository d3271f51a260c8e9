"""The sender's handler over moto, from a message in SQS to the handler's answer."""

import json
import os
import socket
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.endpoints.outcomes import Answer
from dataconnectors.expiry.pending_announcement import PendingAnnouncement
from dataconnectors.kernel.workers import Workers
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore
from functions.ingest import app as ingest
from functions.sender import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, envelope
from tests.support.http_api import LambdaContext

EVENTS = Path(__file__).parents[2] / "events"
UNKNOWN = "projects/d6e1b7o0h3q2v7k4m9n0/dataconnectors/d6e1b8s0h3q2v7k4m9n0"
"""The connector in events/sender_batch.json."""


@pytest.fixture
def unreachable() -> str:
    """A URL of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"https://127.0.0.1:{listener.getsockname()[1]}/hook"


def received(client: Client) -> dict[str, Any]:
    """The event that Lambda's poller would make of the messages in the one connector's queue."""
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


def test_a_failed_event_stays_in_the_queue_and_is_logged_without_secrets(
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
    # An expected failure is not logged as an error, and SQS has accepted the visibility timeouts.
    assert {line["levelname"] for line in fields} == {"INFO"}


def test_messages_of_a_disabled_connector_are_dropped(client: Client, unreachable: str) -> None:
    path = connect(client, httpConfig={"url": unreachable})
    publish(client, 2)
    status, _ = client.call("PATCH", path, {"status": "USER_DISABLED"})
    assert status == 200
    assert app.lambda_handler(received(client), LambdaContext()) == {"batchItemFailures": []}


def dead_letters() -> list[dict[str, Any]]:
    """Take all messages out of the dead-letter queue."""
    sqs = boto3.client("sqs")
    name = os.environ["DEAD_LETTER_QUEUE_ARN"].rpartition(":")[2]
    url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    for message in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def printed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The printed metrics, as CloudWatch reads them."""
    lines = capsys.readouterr().out.splitlines()
    return [json.loads(line) for line in lines if '"_aws"' in line]


def test_messages_of_a_deleted_connector_are_dropped_and_are_no_dead_letters(
    client: Client, unreachable: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = connect(client, httpConfig={"url": unreachable})
    publish(client, 2)
    event = received(client)
    assert client.call("DELETE", path)[0] == 200
    store = ConnectorStore(ingest.table)
    (row,) = store.connectors(client.project)
    assert store.remove(row)
    caplog.clear()
    assert app.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}
    assert {record.levelname for record in caplog.records} == {"INFO"}
    assert dead_letters() == []


def test_the_messages_of_the_example_event_become_dead_letters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    event = json.loads((EVENTS / "sender_batch.json").read_text())
    # The first message's connector never existed; the second message is in another format.
    assert app.lambda_handler(event, LambdaContext()) == {"batchItemFailures": []}
    kept = sorted(dead_letters(), key=lambda message: len(message["Body"]), reverse=True)
    assert [message["Body"] for message in kept] == [record["body"] for record in event["Records"]]
    described = [
        {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
        for message in kept
    ]
    assert [each.pop("reason") for each in described] == [
        f"connector {UNKNOWN!r} was never there",
        "the message is not JSON",
    ]
    assert described == [
        {
            "queue": record["eventSourceARN"],
            "messageId": record["messageId"],
            "receiveCount": "1",
            "sentAt": "1795348800200",
        }
        for record in event["Records"]
    ]
    (metric,) = printed(capsys)
    assert metric["service"] == "dataconnectors"
    assert metric["OldestMessageAge"] >= 0
    assert metric["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "dc-test",
            "Dimensions": [["service"]],
            "Metrics": [{"Name": "OldestMessageAge", "Unit": "Seconds"}],
        }
    ]


def test_an_expired_event_is_recorded_counted_and_leaves_the_queue(
    client: Client, unreachable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = connect(client, httpConfig={"url": unreachable})
    publish(client, 2)
    event = received(client)
    record = event["Records"][0]
    sent_at = int(record["attributes"]["SentTimestamp"]) - 42_000_000
    record["attributes"] |= {"ApproximateReceiveCount": "20", "SentTimestamp": str(sent_at)}
    capsys.readouterr()
    answer = app.lambda_handler(event, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    assert [metric["Expired"] for metric in printed(capsys) if "Expired" in metric] == [1]
    store = ExpiredEventStore(ingest.table)
    name = f"projects/{client.project}{path}"
    (kept,), rest = store.page(name, time.time(), limit=10, after="")
    event_id = json.loads(record["body"])["eventId"]
    assert (kept.event_id, kept.kind, kept.attempts) == (event_id, "connect", 20)
    assert kept.event_type == "touch"
    assert kept.target.startswith(f"projects/{client.project}/devices/")
    assert (kept.accepted_at, rest) == (sent_at / 1000, "")
    pending = [each for each in store.pending_announcements() if each.connector == name]
    assert pending == [PendingAnnouncement(name, 1, 0.0)]


def test_attempts_are_counted_by_connector_and_reported_to_cloudwatch(
    client: Client, unreachable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = connect(client, httpConfig={"url": unreachable})
    publish(client, 3)
    event = received(client)
    capsys.readouterr()
    app.lambda_handler(event, LambdaContext())
    shown = client.call("GET", path + ":metrics")[1]["metrics"]
    assert (shown["successCount"], shown["errorCount"]) == (0, 3)
    (metric,) = (metric for metric in printed(capsys) if "Delivered" in metric)
    assert (metric["Delivered"], metric["Failed"], len(metric["ResponseTime"])) == (0, 3, 3)
    (described,) = metric["_aws"]["CloudWatchMetrics"]
    # A CloudWatch metric for each connector would cost more than its deliveries.
    assert described["Dimensions"] == [["service"]]
    assert {each["Name"]: each["Unit"] for each in described["Metrics"]} == {
        "Delivered": "Count",
        "Failed": "Count",
        "ResponseTime": "Milliseconds",
        "PublishToPost": "Milliseconds",
    }
    assert len(metric["PublishToPost"]) == 3


def test_a_healthy_batch_of_a_warm_sender_makes_two_calls_to_aws(client: Client) -> None:
    class Acknowledging:
        """A transport that needs no endpoint."""

        def post(self, *_: Any) -> Answer:
            return Answer(200)

    connect(client, httpConfig={"url": "https://example.com/", "signatureSecret": "s"})
    made: list[str] = []
    # The attempts of a new connector are all logged. This one is an hour old.
    counting = app.make_sender(
        Acknowledging(), Workers(app.WORKERS), now=lambda: time.time() + 3600
    )
    services = (
        counting._selection._reader._connectors._table.dynamodb,  # type: ignore[attr-defined]
        counting._selection._reader._vault._kms,
        counting._back_off._visibility._sqs,
    )
    for service in services:
        service.meta.events.register("before-send", lambda request, **_: made.append(request.url))
    for calls in (3, 2):
        publish(client, 10)
        records = [ReceivedMessage.from_event(record) for record in received(client)["Records"]]
        made.clear()
        assert counting.send(records, 30.0) == []
        assert len(made) == calls, made  # the first batch decrypts the secret
