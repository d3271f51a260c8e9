"""The front passes requests on to the emulator unchanged, and gives API Gateway's own errors."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from email.message import Message

import pytest

from local.front import BODY_LIMIT, Front, headers_for_upstream
from local.server import Answer, LoopbackServer, Request

API = "/_aws/execute-api/a1b2c3d4e5"


class Upstream:
    """A fake of the emulator. It records requests and gives a chosen answer."""

    def __init__(self) -> None:
        self.answer = Answer(200, b"fine")
        self.requests: list[Request] = []
        self.threads: list[threading.Thread] = []  # One for each connection.
        self.stalls = False
        self.server = LoopbackServer("127.0.0.1", 0, self.respond, body_limit=BODY_LIMIT)

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        self.threads.append(threading.current_thread())
        if self.stalls:
            self.server.stopping.wait(60)
        return self.answer


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    upstream.server.start()
    yield upstream
    upstream.server.stop()


@pytest.fixture
def front(upstream: Upstream) -> Iterator[Front]:
    front = Front("127.0.0.1", 0, upstream.server.port, "a1b2c3d4e5")
    front.start()
    yield front
    front.stop()


@pytest.fixture
def client(front: Front) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", front.port, timeout=5)
    yield connection
    connection.close()


def call(
    client: http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> tuple[int, bytes, list[tuple[str, str]]]:
    client.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", "127.0.0.1:8000"), *headers):
        client.putheader(name, value)
    if body is not None:
        client.putheader("Content-Length", str(len(body)))
    client.endheaders(body)
    response = client.getresponse()
    return response.status, response.read(), response.getheaders()


@pytest.mark.parametrize(
    "target",
    [
        "/v2/projects/p/devices/emu1%3Apublish",
        "/v2/projects/p/devices/emu1%3apublish",
        "/v2/projects/p/devices/emu1:publish",
        "/v2/x?device_ids=a&device_ids=b&t=2026-01-01T00:00:00%2B02:00",
        '/v2/a//b/../c?q="[x]"',
        "/",
    ],
)
def test_the_target_reaches_the_emulator_untouched(
    client: http.client.HTTPConnection, upstream: Upstream, target: str
) -> None:
    assert call(client, "GET", target)[:2] == (200, b"fine")
    assert upstream.requests[0].target == f"{API}/$default{target}"


@pytest.mark.parametrize(
    "target",
    [
        "/_ministack/reset",
        "/%5Fministack/reset",
        "//_ministack/reset",
        "/_localstack/health",
        "/health",
        "/v2",
        "/v2/",
        "/v2/_catalog",
        "/v2/email/identities",
        "/v2/name/manifests/latest",
        "/v20180820/tags/x",
        "/iceberg",
        "/oauth2/token",
        "/logout",
        "/_aws/lambda-url/x/",
        "/restapis/x/y/_user_request_/",
        "/$default/v2",
        "/../_ministack/reset",
    ],
)
def test_the_emulators_own_paths_are_not_reached(
    client: http.client.HTTPConnection, upstream: Upstream, target: str
) -> None:
    call(client, "POST", target)
    assert upstream.requests[0].target == f"{API}/$default{target}"


@pytest.mark.parametrize("target", ["/@connections/x", "/%40connections/x", "/@connections%2Fx"])
def test_the_emulators_websockets_are_not_reached(
    client: http.client.HTTPConnection, upstream: Upstream, target: str
) -> None:
    # The emulator reads the first segment as the stage, and no stage has this name.
    call(client, "GET", target)
    assert upstream.requests[0].target == f"{API}{target}"


def test_the_host_header_is_the_fronts_whatever_the_caller_sends(
    client: http.client.HTTPConnection, upstream: Upstream, front: Front
) -> None:
    call(client, "GET", "/v2")
    assert upstream.requests[0].headers.get_all("Host") == [f"127.0.0.1:{front.port}"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "body", [None, b"", bytes(range(256)) * 100], ids=["no", "empty", "binary"]
)
def test_method_and_body_reach_the_emulator(
    client: http.client.HTTPConnection, upstream: Upstream, method: str, body: bytes | None
) -> None:
    call(client, method, "/v2", body)
    assert (upstream.requests[0].method, upstream.requests[0].body) == (method, body or b"")


def test_a_chunked_body_is_passed_on(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    client.request("POST", "/v2", body=iter([b"one, ", b"two"]), encode_chunked=True)
    client.getresponse().read()
    assert upstream.requests[0].body == b"one, two"
    assert upstream.requests[0].headers.get_all("Content-Length") == ["8"]


def test_a_request_with_expect_100_continue_is_passed_on(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    # http.client skips the interim answer. curl goes on without one after a second.
    assert call(client, "POST", "/v2", b"body", (("Expect", "100-continue"),))[0] == 200
    assert upstream.requests[0].headers["Expect"] is None


def test_only_hop_by_hop_headers_are_dropped() -> None:
    headers = Message()
    for name, value in (
        ("Host", "127.0.0.1:8000"),
        ("Authorization", "Bearer t"),
        ("Connection", "keep-alive, X-Private"),
        ("Keep-Alive", "timeout=5"),
        ("x-private", "for this hop"),
        ("TE", "trailers"),
        ("Upgrade", "h2c"),
        ("Content-Length", "4"),
        ("X-Repeated", "one"),
        ("X-Repeated", "two"),
        ("X-Forwarded-For", "192.0.2.7"),
        ("X-Forwarded-Proto", "https"),
    ):
        headers[name] = value
    request = Request("POST", "/", headers, b"body", "127.0.0.1")
    assert headers_for_upstream(request, "api.localhost") == [
        ("Host", "api.localhost"),
        ("Authorization", "Bearer t"),
        ("X-Repeated", "one"),
        ("X-Repeated", "two"),
        ("X-Forwarded-For", "192.0.2.7, 127.0.0.1"),
        ("X-Forwarded-Proto", "http"),
    ]


def test_the_answer_is_passed_back_unchanged(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    upstream.answer = Answer(
        429,
        b"\x1f\x8b not really gzip",
        (
            ("Content-Encoding", "gzip"),
            ("Retry-After", "2"),
            ("Set-Cookie", "a=1"),
            ("Set-Cookie", "b=2"),
            ("Keep-Alive", "timeout=5"),
        ),
    )
    status, body, headers = call(client, "GET", "/v2")
    assert (status, body) == (429, b"\x1f\x8b not really gzip")
    assert [(name, value) for name, value in headers if name not in ("Date", "Content-Length")] == [
        ("Content-Encoding", "gzip"),
        ("Retry-After", "2"),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
    ]
    assert len([name for name, _ in headers if name == "Date"]) == 1


def test_head_keeps_the_length_of_the_body_it_leaves_out(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    status, body, headers = call(client, "HEAD", "/v2")
    assert (status, body, dict(headers)["Content-Length"]) == (200, b"", "4")
    assert call(client, "GET", "/v2")[1] == b"fine"


def test_connections_on_both_sides_are_kept(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    for _ in range(5):
        call(client, "POST", "/v2", b"x")
    assert len(set(upstream.threads)) == 1


def test_a_connection_that_the_emulator_closed_is_not_used_again(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    call(client, "POST", "/v2", b"x")
    port = upstream.server.port
    upstream.server.stop()
    again = LoopbackServer("127.0.0.1", port, upstream.respond, body_limit=BODY_LIMIT)
    again.start()
    try:
        assert call(client, "POST", "/v2", b"x")[0] == 200
    finally:
        again.stop()


@pytest.mark.parametrize(
    "target", ["/caf\u00e9", "/a\x01b", "*", "http://x/_ministack/reset", "_ministack/reset"]
)
def test_a_target_that_is_no_url_is_refused(front: Front, target: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", front.port), timeout=5)) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert (response.status, json.loads(response.read())) == (400, {"message": "Bad Request"})


def test_the_largest_body_passes_and_one_byte_more_does_not(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    assert call(client, "POST", "/v2", b"x" * BODY_LIMIT)[0] == 200
    status, body, _ = call(client, "POST", "/v2", b"x" * (BODY_LIMIT + 1))
    assert (status, json.loads(body)) == (413, {"message": "Request Entity Too Large"})
    assert len(upstream.requests) == 1


def test_an_unreachable_emulator_is_answered_with_503(
    client: http.client.HTTPConnection, upstream: Upstream
) -> None:
    upstream.server.stop()
    status, body, _ = call(client, "GET", "/v2")
    assert (status, json.loads(body)) == (503, {"message": "Service Unavailable"})


def test_an_emulator_that_takes_too_long_is_answered_with_503(upstream: Upstream) -> None:
    upstream.stalls = True
    front = Front("127.0.0.1", 0, upstream.server.port, "a1", upstream_timeout=0.05)
    front.start()
    client = http.client.HTTPConnection("127.0.0.1", front.port, timeout=5)
    try:
        status, body, _ = call(client, "GET", "/v2")
        assert (status, json.loads(body)) == (503, {"message": "Service Unavailable"})
    finally:
        client.close()
        front.stop()
