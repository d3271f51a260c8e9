"""An outage and a pause over moto: from failed attempts to what the API shows, and back."""

import time
from typing import Any

import boto3
import pytest

from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.sender import Sender
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.outcomes import Answer
from dataconnectors.kernel.workers import Workers
from dataconnectors.store import keys
from dataconnectors.store.connectors import ConnectorStore
from functions.ingest import app as ingest
from functions.sender import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect
from tests.integration.test_sender import publish, received

HEALTHY = {"state": "HEALTHY", "since": None, "lastError": None, "nextAttemptTime": None}


class Endpoint:
    """A connector whose endpoint answers with `status`, and a sender whose clock is `ahead`."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.path = connect(client, httpConfig={"url": "https://example.com/hook"})
        self.status = 503
        self.posts = 0
        self.ahead = 0.0
        self.sender: Sender = app.make_sender(self, Workers(10), now=self.now)

    def now(self) -> float:
        return time.time() + self.ahead

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer:
        self.posts += 1
        return Answer(self.status)

    def send(self, events: int) -> int:
        """Publish events and send each batch once; the number of events that stay."""
        publish(self.client, events)
        left = 0
        for _ in range(0, events, 10):
            batch = [
                ReceivedMessage.from_event(record) for record in received(self.client)["Records"]
            ]
            left += len(self.sender.send(batch, 30.0))
        return left

    def health(self) -> dict[str, Any]:
        status, shown = self.client.call("GET", self.path + ":health")
        assert status == 200, shown
        assert shown.pop("name").endswith(self.path)
        return dict(shown)

    def listed(self) -> list[dict[str, Any]]:
        """What the list shows of the same."""
        status, shown = self.client.call("GET", "/dataconnectors:health")
        assert (status, shown["nextPageToken"]) == (200, "")
        return list(shown["dataConnectorHealth"])


@pytest.fixture
def endpoint(client: Client) -> Endpoint:
    return Endpoint(client)


def test_an_outage_begins_shows_and_ends(endpoint: Endpoint) -> None:
    assert endpoint.health() == HEALTHY | {
        "lastSuccessTime": None,
        "backlog": {"waiting": 0, "inFlight": 0, "oldestTime": None},
    }
    assert endpoint.send(90) == 90
    failing = endpoint.health()
    assert (failing["state"], failing["nextAttemptTime"]) == ("FAILING", None)
    assert failing["lastError"]["status"] == 503
    assert (failing["lastError"]["kind"], failing["backlog"]["inFlight"]) == ("status", 90)
    assert failing["backlog"]["oldestTime"] <= failing["since"]

    assert endpoint.send(10) == 10
    outage = endpoint.health()
    assert (outage["state"], outage["since"], endpoint.posts) == ("OUTAGE", failing["since"], 100)
    assert outage["nextAttemptTime"] >= outage["since"]

    assert (endpoint.send(20), endpoint.posts) == (20, 101)  # one canary, and 19 events held
    assert endpoint.health()["nextAttemptTime"] > outage["nextAttemptTime"]
    (listed,) = endpoint.listed()
    assert listed.keys() == endpoint.health().keys() - {"lastSuccessTime"} | {"name"}

    endpoint.status, endpoint.ahead = 200, 20.0
    assert (endpoint.send(10), endpoint.posts) == (9, 102)
    healthy = endpoint.health()
    assert healthy.pop("lastSuccessTime") is not None
    assert healthy.pop("backlog")["oldestTime"] is None
    assert healthy == HEALTHY
    assert (endpoint.send(10), endpoint.posts) == (0, 112)

    endpoint.status = 503
    assert endpoint.send(1) == 1
    again = endpoint.health()
    assert (again["state"], again["lastSuccessTime"] is None) == ("FAILING", False)


def test_a_failing_connector_is_on_the_reconcilers_list_after_a_minute(endpoint: Endpoint) -> None:
    endpoint.send(1)
    assert ingest.table.query(keys.FAILING_CONNECTORS) == []
    endpoint.ahead = 61.0
    endpoint.send(1)
    assert [item["sk"]["S"] for item in ingest.table.query(keys.FAILING_CONNECTORS)] == [
        f"projects/{endpoint.client.project}{endpoint.path}"
    ]


def test_a_change_of_the_url_ends_an_outage(endpoint: Endpoint) -> None:
    endpoint.send(100)
    assert endpoint.health()["state"] == "OUTAGE"
    change = {"httpConfig": {"url": "https://example.com/mended"}}
    assert endpoint.client.call("PATCH", endpoint.path, change)[0] == 200
    endpoint.status = 200
    assert endpoint.health()["state"] == "HEALTHY"
    assert endpoint.send(10) == 0


def test_a_paused_connector_holds_its_events(endpoint: Endpoint) -> None:
    before = endpoint.client.call("GET", endpoint.path)[1]
    status, answer = endpoint.client.call("POST", endpoint.path + ":pause")
    assert (status, answer) == (200, before)  # the vendor's JSON has no such state
    assert (endpoint.send(10), endpoint.posts) == (10, 0)
    paused = endpoint.health()
    assert (paused["state"], paused["backlog"]["inFlight"]) == ("PAUSED", 10)
    assert paused["backlog"]["oldestTime"] == paused["since"]
    assert endpoint.client.call("POST", endpoint.path + ":pause")[0] == 200
    assert endpoint.health()["since"] == paused["since"]

    endpoint.client.call("PATCH", endpoint.path, {"displayName": "Another"})
    assert endpoint.health()["state"] == "PAUSED"
    endpoint.status = 200
    assert endpoint.client.call("POST", endpoint.path + ":resume")[0] == 200
    assert endpoint.health()["state"] == "HEALTHY"
    assert endpoint.send(10) == 0


def test_a_pause_ends_when_the_connector_is_disabled_or_deleted(endpoint: Endpoint) -> None:
    def call(method: str, verb: str = "", body: Any = None) -> tuple[int, Any]:
        return endpoint.client.call(method, endpoint.path + verb, body)

    call("POST", ":pause")
    call("PATCH", body={"status": "USER_DISABLED"})
    disabled = endpoint.health()
    assert disabled["state"] == "DISABLED"
    call("PATCH", body={"displayName": "Changed later"})
    assert endpoint.health()["since"] == disabled["since"]
    for verb in (":pause", ":resume"):
        status, answer = call("POST", verb)
        assert (status, "set its status to ACTIVE" in answer["error"]) == (400, True)
    call("PATCH", body={"status": "ACTIVE"})
    assert endpoint.health()["state"] == "HEALTHY"
    call("POST", ":pause")
    assert call("DELETE")[0] == 200
    assert call("POST", ":resume")[0] == 404
    assert call("GET", ":health")[0] == 404


def test_pauses_are_in_the_audit_log(endpoint: Endpoint) -> None:
    for verb in ("pause", "resume", "resume"):
        endpoint.client.call("POST", f"{endpoint.path}:{verb}")
    entries = endpoint.client.call("GET", "/audit")[1]["entries"]
    assert [entry["details"]["verb"] for entry in entries if "verb" in entry["details"]] == [
        "resume",
        "pause",
    ]


def test_a_queue_that_is_not_there_has_no_backlog(endpoint: Endpoint) -> None:
    (row,) = ConnectorStore(ingest.table).connectors(endpoint.client.project)
    boto3.client("sqs").delete_queue(QueueUrl=row.queue_url)
    assert endpoint.health()["backlog"] == {"waiting": 0, "inFlight": 0, "oldestTime": None}
