"""Deliveries that are explained, shown beforehand and asked for, from the API to the endpoint."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataconnectors.connectors.secrets import MASK
from dataconnectors.endpoints.delivery_headers import TEST_HEADER
from dataconnectors.identity import roles
from dataconnectors.kernel import times
from dataconnectors.services.deliveries import ASKED_PER_MINUTE
from functions.config_api import app as config_api
from tests.integration.conftest import Client
from tests.integration.test_attempts import KEY, SECRET, Stack
from tests.integration.test_ingest import connect, envelope, messages
from tests.support.rows import an_expired

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def ask(client: Client, path: str, verb: str, **body: Any) -> dict[str, Any]:
    status, answer = client.call("POST", f"{path}:{verb}", body)
    assert status == 200, answer
    return dict(answer)


def explained(client: Client, path: str, event: str, query: str = "") -> dict[str, Any]:
    status, answer = client.call("GET", f"{path}:explain", query=f"event={event}{query}")
    assert status == 200, answer
    return dict(answer)


def publish(client: Client, *ids: str, **fields: Any) -> None:
    events = [envelope(client, each) | fields for each in ids]
    assert client.call("POST", "/events", {"events": events})[0] == 200


def sent_headers(head: str) -> dict[str, str]:
    lines = head.split("\r\n")[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def test_a_preview_is_what_the_endpoint_gets(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, OK)
    with stack.endpoint, closing(stack.transport):
        stack.deliver("e1")
    preview = ask(client, stack.path, "preview", event="e1", device="d1")
    ((head, body),) = stack.endpoint.requests
    sent = sent_headers(head)
    changing = {"X-Dt-Signature"}
    assert list(preview["headers"]) == list(sent)
    assert {n: v for n, v in preview["headers"].items() if n not in changing} == {
        n: v for n, v in sent.items() if n not in changing
    }
    assert preview["headers"]["X-Dt-Signature"].count(".") == 2
    assert preview["body"] == body.decode()
    assert (preview["method"], preview["notes"]) == ("POST", [])
    assert messages(client) == []


def test_a_reader_sees_a_preview_without_secrets(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, OK)
    reader = client.account_with(roles.USER)
    with stack.endpoint, closing(stack.transport):
        shown = ask(reader, stack.path, "preview", eventType="temperature")
    assert shown["headers"]["X-Key"] == shown["headers"]["X-Dt-Signature"] == MASK
    assert KEY not in repr(shown)
    assert SECRET not in repr(shown)
    for verb in ("test", "resend"):
        assert reader.call("POST", f"{stack.path}:{verb}", {"eventType": "touch"})[0] == 403


def test_a_preview_says_why_nothing_would_be_sent(client: Client) -> None:
    path = connect(client, status="USER_DISABLED", events=["motion"])
    disabled, unwanted = ask(client, path, "preview", eventType="touch")["notes"]
    assert "is disabled" in disabled
    assert "does not push touch, but motion" in unwanted


def test_a_test_event_is_marked_and_attempted_once(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, BUSY)
    with stack.endpoint, closing(stack.transport):
        asked = ask(client, stack.path, "test", eventType="co2")
        stack.send()
    ((head, body),) = stack.endpoint.requests
    assert sent_headers(head)[TEST_HEADER] == "true"
    content = json.loads(body)
    assert content["labels"]["x-dt-test"] == "true"
    assert (content["event"]["eventId"], content["event"]["eventType"]) == (asked["eventId"], "co2")
    assert messages(client) == []
    polled = asked["attemptsUrl"].removeprefix(f"/v2/projects/{client.project}").split("?")
    status, listed = client.call("GET", polled[0], query=polled[1])
    assert status == 200
    (shown,) = listed["attempts"]
    assert (shown["isTest"], shown["outcome"], shown["status"]) == (True, "FAILED", 503)
    found = explained(client, stack.path, asked["eventId"])
    assert (found["verdict"], found["isCertain"], found["eventTime"]) == ("DROPPED", True, None)
    assert len(found["attempts"]) == 1


def test_a_test_goes_to_one_connector_alone(client: Client) -> None:
    path = connect(client)
    connect(client)
    ask(client, path, "test", eventType="touch")
    (message,) = messages(client)
    assert message["connector"] == f"projects/{client.project}{path}"


@pytest.mark.parametrize(
    ("operation", "body"), [("test", {"eventType": "touch"}), ("resend", {"event": "e1"})]
)
def test_a_stack_without_an_attempt_log_names_no_place_to_look(
    client: Client, monkeypatch: pytest.MonkeyPatch, operation: str, body: dict[str, str]
) -> None:
    path = connect(client)
    publish(client, "e1")
    monkeypatch.setattr(config_api.delivery_service, "logs_attempts", False)
    assert ask(client, path, operation, **body)["attemptsUrl"] == ""


def test_a_resent_event_is_delivered_like_any_other(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, BUSY)
    with stack.endpoint, closing(stack.transport):
        publish(client, "e1")
        messages(client)  # as if it had been delivered
        ask(client, stack.path, "resend", event="e1")
        stack.send()
        again = ask(client, stack.path, "resend", event="e1", device="d1")
    assert again["eventId"] == "e1"
    ((head, body),) = stack.endpoint.requests
    assert TEST_HEADER not in sent_headers(head)
    assert json.loads(body)["event"]["eventId"] == "e1"
    found = explained(client, stack.path, "e1", "&device=d1")
    assert (found["verdict"], found["isCertain"]) == ("WAITING", True)
    assert "answered 503" in found["explanation"]


@pytest.mark.parametrize(
    ("verb", "body", "status", "words"),
    [
        ("test", {}, 400, "eventType: None"),
        ("test", {"eventType": "smell"}, 400, "expected one of touch"),
        ("test", {"eventType": "touch", "more": 1}, 400, "'more': unknown field"),
        ("test", [], 400, "expected a JSON object"),
        ("test", {"eventType": "motion"}, 400, "does not push motion"),
        ("resend", {}, 400, "event: expected the id"),
        ("resend", {"event": "e/1"}, 400, "event: expected the id"),
        ("resend", {"event": "none", "device": "d1"}, 404, "is not in the history of"),
        ("resend", {"event": "none"}, 404, "name its device too"),
        ("preview", {"event": "e1", "eventType": "touch"}, 400, "not both"),
        ("preview", {"event": "e1", "time": "noon"}, 400, "time: expected"),
        ("preview", {"event": "e1", "device": "d/1"}, 400, "device: expected"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(
    client: Client, verb: str, body: Any, status: int, words: str
) -> None:
    path = connect(client, events=["touch"])
    answered, error = client.call("POST", f"{path}:{verb}", body)
    assert answered == status
    assert words in error["error"]
    assert messages(client) == []


@pytest.mark.parametrize(
    ("state", "words"),
    [({"status": "USER_DISABLED"}, "is disabled"), ({"paused": True}, "is paused")],
)
def test_a_connector_that_sends_nothing_takes_no_tests(
    client: Client, state: dict[str, Any], words: str
) -> None:
    path = connect(client, **{k: v for k, v in state.items() if k == "status"})
    if state.get("paused"):
        assert client.call("POST", f"{path}:pause")[0] == 200
    status, error = client.call("POST", f"{path}:test", {"eventType": "touch"})
    assert (status, words in error["error"]) == (400, True)


def test_a_connector_takes_only_so_many_tests_a_minute(client: Client) -> None:
    path = connect(client)
    kept, service = [], config_api.delivery_service
    now, service._now = service._now, lambda: 1_790_000_000.0
    try:
        for _ in range(ASKED_PER_MINUTE + 1):
            kept.append(client.call("POST", f"{path}:test", {"eventType": "touch"})[0])
    finally:
        service._now = now
    assert kept == [200] * ASKED_PER_MINUTE + [429]


def test_what_becomes_of_an_event_is_explained(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, OK)
    with stack.endpoint, closing(stack.transport):
        stack.deliver("e1")
    found = explained(client, stack.path, "e1")
    assert (found["verdict"], found["isCertain"]) == ("DELIVERED", True)
    assert found["deviceName"] == f"projects/{client.project}/devices/d1"
    assert times.from_text(found["acceptedTime"]) >= times.from_text(found["eventTime"]) - 1
    assert [fact["text"] for fact in found["facts"]] == [
        "the connector was created",
        "the event was accepted",
        "attempt 1: answered 200",
    ]
    assert client.call("PATCH", stack.path, {"events": ["motion"]})[0] == 200
    publish(client, "e2")
    found = explained(client, stack.path, "e2", "&device=d1")
    assert (found["verdict"], found["isCertain"]) == ("UNWANTED", True)
    assert client.call("PATCH", stack.path, {"status": "USER_DISABLED"})[0] == 200
    publish(client, "e3")
    found = explained(client, stack.path, "e3")
    assert (found["verdict"], found["isCertain"]) == ("NOT_ACTIVE", True)
    status, error = client.call("GET", f"{stack.path}:explain", query="event=none")
    assert (status, "was not found" in error["error"]) == (404, True)
    assert client.call("GET", f"{stack.path}:explain")[0] == 400


def test_an_expired_event_is_found_by_its_record(client: Client) -> None:
    path = connect(client)
    publish(client, "e1")
    name = f"projects/{client.project}{path}"
    accepted = times.from_text(explained(client, path, "e1")["acceptedTime"])
    record = an_expired(name, accepted + 43_000, event_id="e1", accepted_at=accepted - 0.2)
    assert config_api.expired_events.save([record]) == {0}
    found = explained(client, path, "e1")
    assert (found["verdict"], found["isCertain"]) == ("EXPIRED", True)
    assert "After 20 attempts" in found["explanation"]
