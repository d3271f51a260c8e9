"""The attempt log, from what the sender writes to what the API shows."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dataconnectors.aws.settings import AttemptLogSettings
from dataconnectors.connectors.secrets import MASK
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.outcomes import Delivered
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport
from dataconnectors.identity import roles
from dataconnectors.kernel import times
from dataconnectors.kernel.workers import Workers
from dataconnectors.store import keys
from dataconnectors.store.attempts import RETENTION_SECONDS, AttemptStore
from functions.config_api import app as config_api
from functions.sender import app as sender_app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, envelope
from tests.integration.test_sender import received
from tests.support.endpoints import Endpoint, answering, serve, trusted_tls
from tests.support.http_api import LambdaContext
from tests.support.rows import an_attempt

NOW = 1_790_000_000.0
SECRET = "a secret of at least 32 characters"
KEY = "key-of-the-customer"
TOKEN = "token-in-the-query"


@pytest.fixture
def store() -> AttemptStore:
    return AttemptStore(config_api.table)


def test_attempts_of_all_shards_come_newest_first_and_in_pages(store: AttemptStore) -> None:
    name = "projects/p/dataconnectors/pages"
    for shard in range(keys.ATTEMPT_SHARDS):
        entries = [
            an_attempt(name, NOW - 60 * shard - 7 * number, event_id=f"e{shard}-{number}")
            for number in range(12)
        ]
        assert AttemptStore(config_api.table, shard).write(entries) == 0
    seen: list[float] = []
    position = ""
    while True:
        page = store.page(name, NOW - 1000, NOW + 1, limit=7, after=position, keep=None)
        seen += [attempt.started_at for attempt in page.attempts]
        position = page.position
        if not position:
            break
        assert len(page.attempts) == 7
    assert len(seen) == 12 * keys.ATTEMPT_SHARDS
    assert seen == sorted(seen, reverse=True)


def test_an_attempt_is_read_as_it_was_written_and_expires(store: AttemptStore) -> None:
    name = "projects/p/dataconnectors/one"
    entry = an_attempt(name, NOW, one_in=7, left_out=3)
    # A message may come twice in one batch, and DynamoDB refuses two puts of one item.
    assert store.write([entry, entry]) == 0
    page = store.page(name, NOW, NOW + 1, limit=10, after="", keep=None)
    (listed,) = page.attempts
    assert page.left_out == listed.left_out == 3
    shown = store.attempt(name, "e0", keys.micros(NOW))
    assert shown is not None
    assert shown.exchange is not None
    assert shown._replace(exchange=None) == listed
    assert (listed.event_type, listed.device) == ("touch", "projects/p/devices/d")
    assert (listed.status, listed.error, listed.one_in) == (503, "status", 7)
    assert listed.durations == {"queue": 1000.0, "total": 250.0}
    for key in (
        {"pk": {"S": keys.attempts_partition(name, 0)}, "sk": {"S": keys.history_sort(NOW, "e0")}},
        {
            "pk": {"S": keys.event_attempts_partition(name, "e0")},
            "sk": {"S": keys.history_sort(NOW)},
        },
    ):
        item = config_api.table.get(key)
        assert item is not None
        assert int(item["expiresAt"]["N"]) == NOW + RETENTION_SECONDS


def test_what_dynamodb_leaves_unprocessed_is_told_and_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Busy:
        """Leaves the last three puts unprocessed."""

        calls = 0

        def batch_write_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
            self.calls += 1
            ((table, puts),) = RequestItems.items()
            return {"UnprocessedItems": {table: puts[-3:]}}

    busy = Busy()
    store = AttemptStore(config_api.table)
    monkeypatch.setattr(store, "_table", type("T", (), {"dynamodb": busy, "name": "t"})())
    entries = [an_attempt("projects/p/dataconnectors/c", NOW + n) for n in range(5)]
    assert store.write(entries) == 2
    assert busy.calls == 1


# --- from a delivery to the answer of the API ----------------------------------------------------


class Stack:
    """A connector whose endpoint is on this machine, and the sender."""

    def __init__(self, client: Client, tmp_path: Path, answer: bytes) -> None:
        self.client = client
        authority = tmp_path / "ca.pem"
        self.endpoint: Endpoint = serve(answering(answer), trusted_tls(authority))
        self.transport = Transport(
            client_context(str(authority)), Dialler(sender_app.settings.allowed_networks)
        )
        self.sender = sender_app.make_sender(self.transport, Workers(10))
        url = f"https://127.0.0.1:{self.endpoint.port}/hook?code={TOKEN}"
        headers = {"X-Key": KEY}
        http = {"url": url, "signatureSecret": SECRET, "headers": headers}
        self.path = connect(client, httpConfig=http)

    def deliver(self, *events: str) -> None:
        """Publish events, and send what is in the connector's queue."""
        body = {"events": [envelope(self.client, event) for event in events]}
        assert self.client.call("POST", "/events", body)[0] == 200
        self.send()

    def send(self) -> None:
        """Send what is in the connector's queue."""
        before = sender_app.sender
        sender_app.sender = self.sender
        try:
            sender_app.lambda_handler(received(self.client), LambdaContext())
        finally:
            sender_app.sender = before

    def attempts(self, query: str = "", client: Client | None = None) -> dict[str, Any]:
        caller = client or self.client
        status, shown = caller.call("GET", self.path + "/attempts", query=query)
        assert status == 200, shown
        assert isinstance(shown, dict)
        return shown

    def one(self, listed: dict[str, Any], client: Client | None = None) -> dict[str, Any]:
        caller = client or self.client
        path = listed["name"].removeprefix(f"projects/{self.client.project}")
        status, shown = caller.call("GET", path)
        assert status == 200, shown
        assert isinstance(shown, dict)
        return shown


def repeating(key: str) -> bytes:
    """An answer that repeats secrets, with bytes that are no text and a header of a session."""
    body = b"no: " + f"<script>{key} {TOKEN} {SECRET}</script>".encode() + b"\xff\x00" + b"x" * 3000
    return (
        b"HTTP/1.1 503 Busy\r\nSet-Cookie: session=1\r\nX-Echo: " + key.encode() + b"\r\n"
        b"Content-Length: %d\r\n\r\n" % len(body)
    ) + body


def test_the_api_shows_a_failed_attempt_without_secrets_and_its_answer_as_text(
    client: Client, tmp_path: Path
) -> None:
    stack = Stack(client, tmp_path, repeating(KEY))
    with stack.endpoint, closing(stack.transport):
        stack.deliver("e1")
        stack.deliver("e2")
    shown = stack.attempts()
    assert shown["log"] == {"mode": "SAMPLED", "successesOneIn": 100, "dropped": 0}
    assert [each["eventId"] for each in shown["attempts"]] == ["e2", "e1"]
    kept, new = (each["durations"] for each in shown["attempts"])
    assert all(value is not None for value in new.values())
    assert [name for name, value in kept.items() if value is None] == ["dns", "connect", "tls"]
    assert kept["firstByte"] + kept["rest"] <= kept["total"] + 1
    listed = shown["attempts"][1]
    assert (listed["outcome"], listed["status"], listed["error"]) == ("FAILED", 503, "status")
    wait = times.from_text(listed["nextAttemptTime"]) - times.from_text(listed["attemptTime"])
    assert wait == pytest.approx(8, abs=1)
    one = stack.one(listed)
    assert {name: one[name] for name in listed} == listed
    for secret in (SECRET, KEY, TOKEN, "session=1"):
        assert secret not in repr(one)
    sent_head, sent_body = stack.endpoint.requests[0]
    assert one["request"]["body"] == sent_body.decode()
    assert one["request"]["url"].endswith(f"/hook?code={MASK}")
    headers = {each["name"]: each["value"] for each in one["request"]["headers"]}
    assert (headers["X-Key"], headers["X-Dt-Signature"]) == (MASK, MASK)
    sent_names = [line.partition(":")[0].lower() for line in sent_head.split("\r\n")[1:]]
    assert sorted(name.lower() for name in headers) == sorted(sent_names)
    assert headers["Host"] == f"127.0.0.1:{stack.endpoint.port}"
    assert one["requestBytes"] == len(sent_head) + 4 + len(sent_body)
    answer = one["response"]
    assert (answer["status"], answer["isTruncated"]) == (503, True)
    assert answer["body"].startswith(f"no: <script>{MASK} {MASK} {MASK}</script>\ufffd\x00xxx")
    assert len(answer["body"].encode()) == 2048
    reader = client.account_with(roles.USER)
    seen = stack.one(listed, reader)
    assert (seen["request"], seen["response"]["body"]) == (one["request"], MASK)
    assert {each["value"] for each in seen["response"]["headers"]} == {MASK}


def test_filters_and_times_choose_attempts(client: Client, tmp_path: Path) -> None:
    stack = Stack(client, tmp_path, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with stack.endpoint, closing(stack.transport):
        stack.deliver("e1", "e2")
    name = f"projects/{client.project}{stack.path}"
    (first, _) = stack.attempts()["attempts"]
    failed = an_attempt(name, times.from_text(first["attemptTime"]) + 1, event_id="e1")
    assert AttemptStore(config_api.table, 2).write([failed]) == 0

    def ids(query: str) -> list[tuple[str, str]]:
        found = stack.attempts(query)["attempts"]
        return [(each["eventId"], each["outcome"]) for each in found]

    assert ids("")[0] == ("e1", "FAILED")
    assert sorted(ids("outcome=SUCCEEDED")) == [("e1", "SUCCEEDED"), ("e2", "SUCCEEDED")]
    assert ids("eventId=e1") == [("e1", "FAILED"), ("e1", "SUCCEEDED")]
    assert ids("eventId=e1&outcome=SUCCEEDED") == [("e1", "SUCCEEDED")]
    assert ids("deviceName=projects/p/devices/d") == [("e1", "FAILED")]
    assert len(ids(f"deviceName={first['deviceName']}")) == 2
    assert ids("endTime=2026-01-01T00:00:00Z") == []
    assert len(ids(f"startTime={first['attemptTime']}&endTime=2096-01-01T00:00:00Z")) == 2
    page = stack.attempts("pageSize=2")
    assert len(page["attempts"]) == 2
    rest = stack.attempts(f"pageSize=2&pageToken={page['nextPageToken']}")
    assert (len(rest["attempts"]), rest["nextPageToken"]) == (1, "")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("outcome=MAYBE", "outcome: 'MAYBE', expected SUCCEEDED or FAILED"),
        ("eventId=a%23b", "eventId: 'a#b' is no id of an event"),
        ("startTime=today", "startTime: 'today', expected a time such as"),
        ("deviceName=" + "d" * 301, "deviceName: expected projects/"),
        ("pageToken=x", "pageToken: not one of this list"),
    ],
)
def test_a_wrong_parameter_is_named(client: Client, query: str, problem: str) -> None:
    path = connect(client, httpConfig={"url": "https://example.com/"})
    status, shown = client.call("GET", path + "/attempts", query=query)
    assert status == 400
    assert shown["error"].startswith(problem)


def test_what_is_not_there_is_404(client: Client) -> None:
    path = connect(client, httpConfig={"url": "https://example.com/"})
    for wrong in ("/attempts/e1", "/attempts/e1-0000000000000001", "/attempts/-1"):
        assert client.call("GET", path + wrong)[0] == 404
    assert client.call("GET", "/dataconnectors/absent/attempts")[0] == 404
    assert client.call("GET", "/dataconnectors/absent:timeline")[0] == 404
    assert client.call("GET", path + "/attempts")[1]["attempts"] == []


@pytest.mark.parametrize(
    ("mode", "shown"),
    [("all", ("ALL", 1)), ("failures", ("FAILURES", None)), ("off", ("OFF", None))],
)
def test_the_list_says_which_attempts_are_logged(
    client: Client, mode: str, shown: tuple[str, int | None]
) -> None:
    path = connect(client, httpConfig={"url": "https://example.com/"})
    service: Any = config_api.attempt_service
    before = service._log
    service._log = AttemptLogSettings(mode, 100)
    try:
        log = client.call("GET", path + "/attempts")[1]["log"]
    finally:
        service._log = before
    assert (log["mode"], log["successesOneIn"]) == shown


def test_a_filter_finds_what_is_rare(
    store: AttemptStore,
) -> None:
    """Only a few of many attempts fit the filter: a page ends early, and its token leads on."""
    name = "projects/p/dataconnectors/rare"
    entries = [
        an_attempt(name, NOW + number, event_id=f"e{number}", outcome=Delivered(200, 0.1))
        for number in range(40)
    ]
    entries.append(an_attempt(name, NOW - 1, event_id="failed"))
    assert store.write(entries) == 0
    found: list[str] = []
    position = ""
    for _ in range(20):
        page = store.page(
            name,
            NOW - 10,
            NOW + 100,
            limit=3,
            after=position,
            keep=lambda attempt: bool(attempt.error),
        )
        found += [attempt.event_id for attempt in page.attempts]
        position = page.position
        if not position:
            break
    assert found == ["failed"]
