"""The demo receiver follows its rules, and remembers what it received."""

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from email.message import Message
from typing import Any

import pytest
import urllib3

from local import receiver as module
from local.authority import Authority
from local.receiver import Arrival, Hook, InvalidRuleError, Receiver, Rule, event_id_of


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def receiver(authority: Authority) -> Iterator[Receiver]:
    receiver = Receiver("127.0.0.1", 0, authority.server_context())
    receiver.start()
    yield receiver
    receiver.stop()


class Client:
    """Delivers to the receiver and calls its control paths, over kept connections."""

    def __init__(self, receiver: Receiver, authority: Authority) -> None:
        self._base = f"https://127.0.0.1:{receiver.port}"
        self._http = urllib3.PoolManager(
            ca_certs=str(authority.ca_path), retries=False, timeout=5, maxsize=4
        )

    def call(self, method: str, path: str, body: bytes = b"") -> urllib3.BaseHTTPResponse:
        return self._http.request(method, self._base + path, body=body, redirect=False)

    def deliver(self, event_id: str = "e1", hook: str = "h") -> int:
        body = json.dumps({"event": {"eventId": event_id}, "labels": {}}).encode()
        return self.call("POST", f"/hook/{hook}", body).status

    def set_rule(self, **rule: object) -> urllib3.BaseHTTPResponse:
        return self.call("PUT", "/control/h", json.dumps(rule).encode())

    def arrived(self, hook: str = "h", query: str = "") -> list[dict[str, Any]]:
        answer = self.call("GET", f"/control/{hook}/requests{query}")
        assert answer.status == 200
        requests: list[dict[str, Any]] = answer.json()["requests"]
        return requests


@pytest.fixture
def client(receiver: Receiver, authority: Authority) -> Client:
    return Client(receiver, authority)


def test_a_hook_answers_200_and_lists_what_arrived(client: Client) -> None:
    before = time.time()
    body = b'{"event": {"eventId": "e1"}}\x00\xff'
    assert client.call("POST", "/hook/h?token=1", body).status == 200
    [request] = client.arrived()
    assert before <= request["received_at"] <= time.time()
    assert base64.b64decode(request["body"]) == body
    assert request["headers"]["Content-Length"] == str(len(body))
    assert request["answered"] == 200
    assert client.arrived("another") == []


def test_a_rule_holds_until_another_one_is_set(client: Client) -> None:
    assert client.set_rule(status=503).json() == {
        "status": 503,
        "delay_s": 0,
        "count": None,
        "per_event": False,
    }
    assert [client.deliver() for _ in range(3)] == [503, 503, 503]
    assert client.deliver(hook="another") == 200
    client.set_rule(status=200)
    assert client.deliver() == 200
    assert [request["answered"] for request in client.arrived()] == [503, 503, 503, 200]


def test_a_rule_with_a_count_holds_for_that_many_answers(client: Client) -> None:
    client.set_rule(status=500, count=2)
    assert [client.deliver(event) for event in "aab"] == [500, 500, 200]
    client.set_rule(status=500, count=1)
    assert [client.deliver(event) for event in "ab"] == [500, 200]


def test_a_count_per_event_holds_for_each_event(client: Client) -> None:
    client.set_rule(status=500, count=2, per_event=True)
    assert [client.deliver(event) for event in "abaabb"] == [500, 500, 500, 200, 500, 200]
    client.set_rule(status=500, count=1, per_event=True)
    assert [client.deliver(event) for event in "ab"] == [500, 500]


def test_a_redirect_shows_when_it_was_followed(client: Client) -> None:
    client.set_rule(status=302)
    answer = client.call("POST", "/hook/h")
    assert (answer.status, answer.headers["Location"]) == (302, "/hook/h-redirected")
    assert client.arrived("h-redirected") == []
    assert client.call("GET", answer.headers["Location"]).status == 405
    [followed] = client.arrived("h-redirected")
    assert (followed["method"], followed["answered"]) == ("GET", 405)


def test_only_what_came_after_a_request_is_listed(client: Client) -> None:
    for event in "abc":
        client.deliver(event)
    first, second, third = client.arrived()
    assert client.arrived(query=f"?after={first['number']}") == [second, third]
    assert client.arrived(query=f"?after={third['number']}") == []
    client.call("DELETE", "/control/h")
    client.deliver("d")
    assert len(client.arrived(query=f"?after={third['number']}")) == 1


def test_a_deleted_hook_forgets_its_rule_too(client: Client) -> None:
    client.set_rule(status=500)
    client.deliver()
    assert client.call("DELETE", "/control/h").status == 200
    assert client.arrived() == []
    assert client.deliver() == 200


INVALID = [
    (b"", "body"),
    (b"no json", "body"),
    (b"\xff", "body"),
    (b"[" * 100_000, "body"),
    (b"[]", "body"),
    (b'{"stauts": 500}', "stauts"),
    (b'{"status": "500"}', "status"),
    (b'{"status": 199}', "status"),
    (b'{"status": 600}', "status"),
    (b'{"status": true}', "status"),
    (b'{"status": null}', "status"),
    (b'{"delay_s": -1}', "delay_s"),
    (b'{"delay_s": NaN}', "delay_s"),
    (b'{"delay_s": 1e9}', "delay_s"),
    (b'{"delay_s": false}', "delay_s"),
    (b'{"count": -1}', "count"),
    (b'{"count": 1.5}', "count"),
    (b'{"count": true}', "count"),
    (b'{"per_event": 1}', "per_event"),
]


@pytest.mark.parametrize(("body", "field"), INVALID)
def test_an_invalid_rule_names_the_field(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRuleError, match=f"^{field}: expected ") as raised:
        Rule.parse(body)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"{}", Rule()),
        (b'{"status": 404, "count": null}', Rule(status=404)),
        (
            b'{"status": 500, "delay_s": 0.5, "count": 3, "per_event": true}',
            Rule(500, 0.5, 3, True),
        ),
    ],
)
def test_a_rule_has_defaults_for_absent_fields(body: bytes, rule: Rule) -> None:
    assert Rule.parse(body) == rule


def test_an_invalid_rule_is_a_400_and_changes_nothing(client: Client) -> None:
    client.set_rule(status=503)
    answer = client.set_rule(status=500, count="3")
    assert answer.status == 400
    assert answer.json() == {
        "error": "count: expected a whole number from 0, or null for all answers",
        "field": "count",
    }
    assert client.deliver() == 503


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/"),
        ("POST", "/hook"),
        ("POST", "/hook/"),
        ("POST", "/hook/a/b"),
        ("POST", "/hook/a%2Fb"),
        ("POST", "/hook/" + "x" * 129),
        ("GET", "/control/h"),
        ("POST", "/control/h"),
        ("PUT", "/control/h/requests"),
        ("POST", "/hook/a/requests"),
    ],
)
def test_other_paths_are_answered_with_404_and_the_existing_paths(
    client: Client, method: str, path: str
) -> None:
    answer = client.call(method, path)
    assert answer.status == 404
    assert f"no {method} {path} here" in answer.json()["error"]


def test_a_malformed_after_is_a_400(client: Client) -> None:
    answer = client.call("GET", "/control/h/requests?after=-1")
    assert (answer.status, answer.json()["field"]) == (400, "after")


def test_a_body_of_more_than_a_mebibyte_is_refused(client: Client) -> None:
    assert client.call("POST", "/hook/h", b"x" * 1024 * 1024).status == 200
    assert client.call("POST", "/hook/h", b"x" * (1024 * 1024 + 1)).status == 413
    assert len(client.arrived()) == 1


@pytest.mark.parametrize(
    ("body", "event_id"),
    [
        (b'{"event": {"eventId": "e1"}}', "e1"),
        (b'{"event": {"eventId": 1}}', ""),
        (b'{"event": {}}', ""),
        (b'{"event": []}', ""),
        (b"{}", ""),
        (b"[]", ""),
        (b"\xff", ""),
        (b"", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_a_body_without_an_event_id_counts_as_the_empty_one(body: bytes, event_id: str) -> None:
    assert event_id_of(body) == event_id


def arrival(number: int, body: bytes) -> Arrival:
    return Arrival(number, 0.0, "POST", (), body)


def test_the_oldest_requests_are_forgotten_first() -> None:
    hook = Hook()
    for number in range(1, module.REQUESTS_KEPT + 3):
        hook.take(arrival(number, b"x"))
    kept = [each.number for each in hook.arrivals(after=0)]
    assert kept == list(range(3, module.REQUESTS_KEPT + 3))


def test_large_requests_are_forgotten_sooner() -> None:
    hook = Hook()
    body = b"x" * (1024 * 1024)
    fit = module.BODY_BYTES_KEPT // len(body)
    for number in range(1, fit + 3):
        hook.take(arrival(number, body))
    assert [each.number for each in hook.arrivals(after=0)] == list(range(3, fit + 3))


def test_repeated_headers_are_listed_joined() -> None:
    headers = Message()
    headers["X-A"] = "1"
    headers["X-A"] = "2"
    listed = Arrival(1, 0.0, "POST", tuple(headers.items()), b"").as_json()
    assert listed["headers"] == {"X-A": "1, 2"}


def connections(receiver: Receiver, authority: Authority, number: int) -> list[Any]:
    context = ssl.create_default_context(cafile=str(authority.ca_path))
    return [
        http.client.HTTPSConnection("127.0.0.1", receiver.port, context=context, timeout=10)
        for _ in range(number)
    ]


def test_two_hundred_delayed_answers_wait_in_parallel(
    receiver: Receiver, authority: Authority, client: Client
) -> None:
    client.set_rule(delay_s=0.05)
    opened = connections(receiver, authority, 200)
    for connection in opened:
        connection.connect()
    began = time.monotonic()
    for connection in opened:
        connection.request("POST", "/hook/h", body=b"{}")
    assert {connection.getresponse().status for connection in opened} == {200}
    # One after the other, they would take 10 s.
    assert time.monotonic() - began < 2
    for connection in opened:
        connection.close()


def test_a_client_that_never_finishes_its_handshake_delays_no_other_client(
    receiver: Receiver, client: Client
) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=5) as silent:
        began = time.monotonic()
        assert client.deliver() == 200
        receiver.stop()
        assert silent.recv(1) == b""
        assert time.monotonic() - began < 2


def test_stop_does_not_wait_for_delayed_answers_and_sends_none(authority: Authority) -> None:
    threads = set(threading.enumerate())
    receiver = Receiver("127.0.0.1", 0, authority.server_context())
    receiver.start()
    client = Client(receiver, authority)
    client.set_rule(delay_s=60)
    [waiting] = connections(receiver, authority, 1)
    waiting.request("POST", "/hook/h", body=b"{}")
    listings = (client.arrived() for _ in range(1000))
    arrived = next(listing for listing in listings if listing)
    assert arrived[0]["answered"] is None
    began = time.monotonic()
    receiver.stop()
    assert time.monotonic() - began < 1
    assert set(threading.enumerate()) == threads
    with pytest.raises((OSError, http.client.HTTPException)):
        waiting.getresponse()
    waiting.close()
