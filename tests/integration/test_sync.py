"""A sync, from the call to the messages in the connector's queue."""

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from dataconnectors.kernel import times
from dataconnectors.kernel.errors import UnavailableError
from dataconnectors.store.connectors import ConnectorStore
from functions.config_api import app as config_api
from functions.sync import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, messages
from tests.support.http_api import LambdaContext


class Invocations:
    """A fake of Lambda that holds asynchronous invocations of sync and replay until `run`."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def __call__(self, request: Any, **_: Any) -> AWSResponse:
        arn = unquote(request.url).split("/")[-2]
        assert arn in (os.environ["SYNC_FUNCTION"], os.environ["REPLAY_FUNCTION"])
        assert request.headers["X-Amz-Invocation-Type"] == b"Event"
        self.waiting.append(json.loads(request.body))
        return AWSResponse(request.url, 202, HTTPHeaders(), Empty())

    def run(self) -> list[dict[str, Any]]:
        waiting, self.waiting = self.waiting, []
        return [app.lambda_handler(event, LambdaContext()) for event in waiting]


class Empty:
    """An answer without a body."""

    def stream(self) -> list[bytes]:
        return []


@pytest.fixture
def invocations() -> Iterator[Invocations]:
    events = config_api.functions.meta.events
    kept = Invocations()
    events.register_first("before-send.lambda.Invoke", kept)
    yield kept
    events.unregister("before-send.lambda.Invoke", kept)


def make(client: Client, device_type: str, **labels: str) -> str:
    made = client.call("POST", "/devices", {"type": device_type, "labels": labels})[1]
    return str(made["name"]).rsplit("/", 1)[1]


def publish(client: Client, device: str, event_type: str, **data: Any) -> None:
    assert client.call("POST", f"/devices/{device}:publish", {event_type: data}) == (200, {})


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_sync_sends_the_latest_event_of_each_type_of_each_device(
    client: Client, invocations: Invocations, colon: str
) -> None:
    devices = [make(client, "temperature", name=f"D{n}") for n in range(3)]
    for device in devices:
        publish(client, device, "temperature", value=1)
        publish(client, device, "temperature", value=2)
        publish(client, device, "touch")
    path = connect(client, labels=["name"])
    connect(client)
    assert client.call("POST", f"{path}{colon}sync") == (200, {})
    assert messages(client) == []
    assert [report["sent"] for report in invocations.run()] == [6]
    found = messages(client)
    assert {message["connector"] for message in found} == {f"projects/{client.project}{path}"}
    bodies = [json.loads(message["body"]) for message in found]
    assert sorted(body["labels"]["name"] for body in bodies) == sorted(["D0", "D1", "D2"] * 2)
    values = [b["event"]["data"].get("temperature", {}).get("value") for b in bodies]
    assert values.count(2) == 3
    assert values.count(1) == 0
    history = client.call("GET", f"/devices/{devices[0]}/events")[1]["events"]
    assert [body["event"] for body in bodies if body["event"] in history]


def test_a_sync_applies_the_connectors_filter(client: Client, invocations: Invocations) -> None:
    device = make(client, "temperature")
    publish(client, device, "temperature", value=1)
    publish(client, device, "touch")
    path = connect(client, events=["touch"])
    client.call("POST", f"{path}:sync")
    assert [report["sent"] for report in invocations.run()] == [1]


def test_a_disabled_or_deleted_connector_gets_nothing(
    client: Client, invocations: Invocations
) -> None:
    publish(client, make(client, "touch"), "touch")
    path = connect(client)
    client.call("PATCH", path, {"status": "USER_DISABLED"})
    assert client.call("POST", f"{path}:sync") == (200, {})
    assert [report["sent"] for report in invocations.run()] == [0]
    client.call("PATCH", path, {"status": "ACTIVE"})
    client.call("POST", f"{path}:sync")
    client.call("DELETE", path)
    assert [report["sent"] for report in invocations.run()] == [0]
    assert client.call("POST", f"{path}:sync")[0] == 404
    assert client.call("POST", "/dataconnectors/absent:sync")[0] == 404


def test_a_sync_needs_the_developers_role(client: Client, invocations: Invocations) -> None:
    path = connect(client)
    for role, status in (("roles/project.user", 403), ("roles/project.developer", 200)):
        assert client.account_with(role).call("POST", f"{path}:sync")[0] == status
    assert client.account_with("").call("POST", f"{path}:sync")[0] == 404


def test_a_run_fails_when_the_queue_does_not_accept_all_so_that_lambda_repeats_it(
    client: Client, invocations: Invocations
) -> None:
    publish(client, make(client, "touch"), "touch")
    path = connect(client)
    client.call("POST", f"{path}:sync")

    def refuse(**_: Any) -> Any:
        return AWSResponse("", 500, HTTPHeaders(), Empty())

    sqs = app.queues._sqs
    sqs.meta.events.register_first("before-send.sqs.SendMessageBatch", refuse)
    try:
        with pytest.raises(UnavailableError, match="sync it again"):
            invocations.run()
    finally:
        sqs.meta.events.unregister("before-send.sqs.SendMessageBatch", refuse)
    name = f"projects/{client.project}{path}"
    assert app.lambda_handler({"connector": name}, LambdaContext())["sent"] == 1


def test_a_sync_sends_the_events_of_more_devices_than_fit_one_batch(
    client: Client, invocations: Invocations
) -> None:
    for start in range(0, 300, 100):
        events = [
            {
                "eventId": f"e{number}",
                "targetName": f"projects/{client.project}/devices/d{number}",
                "eventType": "touch",
                "data": {"touch": {"updateTime": "2026-11-22T12:00:00Z"}},
                "timestamp": times.to_text(time.time()),
            }
            for number in range(start, start + 100)
        ]
        assert client.call("POST", "/events", {"events": events})[0] == 200
    path = connect(client)
    client.call("POST", f"{path}:sync")
    assert [report["sent"] for report in invocations.run()] == [300]
    (connector,) = ConnectorStore(app.table).connectors(client.project)
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=connector.queue_url, AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]
    assert attributes["ApproximateNumberOfMessages"] == "300"
