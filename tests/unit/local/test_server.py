"""The loopback server reads HTTP as real clients send it, and stops at once."""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from local.authority import Authority
from local.server import Answer, LoopbackServer, Request, json_answer

BODY_LIMIT = 1000


def echo(request: Request) -> Answer:
    """Answer with the request; a target of /status/<n> gets that status."""
    if request.target.startswith("/status/"):
        return Answer(int(request.target.rsplit("/", 1)[-1]), b"body")
    return json_answer(
        200,
        {"method": request.method, "target": request.target, "body": request.body.decode()},
    )


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    server = LoopbackServer("127.0.0.1", 0, echo, body_limit=BODY_LIMIT)
    server.start()
    yield server
    server.stop()


def connect(server: LoopbackServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=5)


def exchange(server: LoopbackServer, sent: bytes) -> tuple[int, dict[str, str]]:
    """Send raw bytes; return the answer's status and its JSON body."""
    with closing(connect(server)) as connection:
        connection.sendall(sent)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    "target",
    ["/v2/a%3Ab/c%2fd", "//double//slash", "/p?a=1&a=2&b=%20", "/dots/../x/./y", "/q?x=[]\"'"],
)
def test_the_target_arrives_as_it_was_sent(server: LoopbackServer, target: str) -> None:
    _, body = exchange(server, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert body["target"] == target


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_of_the_api_is_served(server: LoopbackServer, method: str) -> None:
    status, body = exchange(server, f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (status, body["method"]) == (200, method)


def test_a_chunked_body_arrives_whole(server: LoopbackServer) -> None:
    _, body = exchange(
        server,
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\nA;ext=1\r\n, chunked!\r\n0\r\nTrailer: ignored\r\n\r\n",
    )
    assert body["body"] == "hello, chunked!"


BAD = [
    ("space in a header's name", b"X Y: 1\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("header without a name", b": 1\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("header without a colon", b"X\r\nContent-Length: 5\r\n\r\nhello", 400),
    ("two lengths", b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    ("negative length", b"Content-Length: -1\r\n\r\n", 400),
    ("length no number", b"Content-Length: +5\r\n\r\nhello", 400),
    ("length and chunks", b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("unknown coding", b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("chunk size no number", b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n", 400),
    ("chunk too short", b"Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n0\r\n\r\n", 400),
    ("endless size line", b"Transfer-Encoding: chunked\r\n\r\n" + b"1" * 2000, 400),
    ("too long", b"Content-Length: 1001\r\n\r\n" + b"x" * 1001, 413),
    ("chunks too long", b"Transfer-Encoding: chunked\r\n\r\n3E9\r\n" + b"x" * 1001, 413),
    ("too long, asking first", b"Content-Length: 1001\r\nExpect: 100-continue\r\n\r\n", 413),
]


@pytest.mark.parametrize(("sent", "status"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_body_that_cannot_be_read_safely_is_refused(
    server: LoopbackServer, sent: bytes, status: int
) -> None:
    answered, body = exchange(server, b"POST / HTTP/1.1\r\nHost: x\r\n" + sent)
    assert answered == status
    assert list(body) == ["message"]


def test_a_refused_client_that_is_still_sending_gets_its_answer(server: LoopbackServer) -> None:
    size = 8 * 1024 * 1024  # More than the buffers of both sockets hold.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", "/", body=b"x" * size)
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_expects_100_continue_gets_it(server: LoopbackServer) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"hello")
        response = http.client.HTTPResponse(connection)
        response.begin()
        assert json.loads(response.read())["body"] == "hello"


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_leaves_the_connection_usable(
    server: LoopbackServer, status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    for path in (f"/status/{status}", "/"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert not response.will_close
    assert response.status == 200
    connection.close()


def test_head_has_the_length_and_not_the_body(server: LoopbackServer) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(b"HEAD /status/200 HTTP/1.1\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert b"Content-Length: 4\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_a_multipart_form_is_passed_on_like_any_body(server: LoopbackServer) -> None:
    # The parser is one for mail. It records a defect when the parts of a form are missing.
    form = b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5\r\n\r\nparts"
    status, body = exchange(server, b"POST / HTTP/1.1\r\n" + form)
    assert (status, body["body"]) == (200, "parts")


def test_the_server_keeps_the_connection(server: LoopbackServer) -> None:
    with closing(connect(server)) as connection:
        for _ in range(3):
            connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nab")
            response = http.client.HTTPResponse(connection)
            response.begin()
            response.read()
            assert response.status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_the_server_refuses_other_hosts_than_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        LoopbackServer(host, 0, echo, body_limit=BODY_LIMIT)


def test_a_port_in_use_is_named(server: LoopbackServer) -> None:
    with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {server.port}"):
        LoopbackServer("127.0.0.1", server.port, echo, body_limit=BODY_LIMIT).start()


def rude_half_request(connection: socket.socket) -> None:
    connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")


def rude_unread_answer(connection: socket.socket) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\n\r\n" * 20)


def rude_noise(connection: socket.socket) -> None:
    connection.sendall(b"\x16\x03\x01 noise\r\n\r\n")


def rude_silence(connection: socket.socket) -> None:
    pass


# An exception that ends a connection's thread reaches pytest as a warning.
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rude", [rude_half_request, rude_unread_answer, rude_noise, rude_silence])
def test_a_client_that_leaves_prints_nothing(
    server: LoopbackServer,
    rude: Callable[[socket.socket], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    connection = connect(server)
    rude(connection)
    # A linger time of 0 s closes the connection with a reset.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()
    assert exchange(server, b"GET / HTTP/1.1\r\n\r\n")[0] == 200
    server.stop()
    assert capfd.readouterr() == ("", "")


def test_stop_ends_kept_connections_and_answers_under_way() -> None:
    arrived = threading.Event()

    def stall(request: Request) -> Answer:
        arrived.set()
        stalling.stopping.wait(60)
        return Answer(200)

    stalling = LoopbackServer("127.0.0.1", 0, stall, body_limit=BODY_LIMIT)
    stalling.start()
    before = threading.active_count()
    idle, waiting = connect(stalling), connect(stalling)
    waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert arrived.wait(5)
    began = time.monotonic()
    stalling.stop()
    assert time.monotonic() - began < 1
    assert threading.active_count() < before
    for connection in (idle, waiting):
        with closing(connection):
            assert connection.recv(100) == b""


def test_a_stopped_server_can_be_stopped_again_and_its_port_reused(
    server: LoopbackServer,
) -> None:
    port = server.port
    server.stop()
    server.stop()
    again = LoopbackServer("127.0.0.1", port, echo, body_limit=BODY_LIMIT)
    again.start()
    assert exchange(again, b"GET / HTTP/1.1\r\n\r\n")[0] == 200
    again.stop()


def test_one_port_speaks_http_and_https_and_still_stops_at_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = LoopbackServer(
        "127.0.0.1",
        0,
        echo,
        body_limit=BODY_LIMIT,
        ssl_context=authority.server_context(),
        plain_too=True,
    )
    server.start()
    trusting = ssl.create_default_context(cafile=str(authority.ca_path))
    connections = (
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=5),
        http.client.HTTPSConnection("127.0.0.1", server.port, timeout=5, context=trusting),
    )
    silent = connect(server)
    for connection in connections:
        for _ in range(2):  # The second one on the same connection
            connection.request("POST", "/p", body=b"hello")
            assert json.loads(connection.getresponse().read())["body"] == "hello"
    started = time.monotonic()
    server.stop()
    assert silent.recv(1) == b""  # Although it has not said which of both it speaks
    assert time.monotonic() - started < 2
    for each in (silent, *connections):
        each.close()
