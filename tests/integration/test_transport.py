"""One POST within its deadline, to real endpoints that behave well, badly or with hostility."""

import contextlib
import ctypes
import gzip
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from authorities import name_hash
from dataconnectors.endpoints import connection
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.dialler import Dialler, Resolved
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import KEPT_HOSTS, Transport
from dataconnectors.kernel.errors import SettingsError
from tests.support.endpoints import Behaviour, Endpoint, answering, sending_for_ever, serve

LOOPBACK = (ip_network("127.0.0.0/8"),)
TIMEOUT = 0.3
SLACK = 0.25
"""Seconds by which a deadline may be overrun in addition to its tenth, on a busy test machine."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "endpoint.test").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_tls(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return client_context(str(path))


@pytest.fixture
def transport(client_tls: ssl.SSLContext) -> Iterator[Transport]:
    with contextlib.closing(Transport(client_tls, Dialler(LOOPBACK))) as transport:
        yield transport


@pytest.fixture
def endpoint(
    server_tls: ssl.SSLContext,
) -> Iterator[Callable[[Callable[[Endpoint], Behaviour]], Endpoint]]:
    """A function that starts endpoints, which are stopped after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda behaviour: stack.enter_context(serve(behaviour, server_tls))


Start = Callable[[Callable[[Endpoint], Behaviour]], Endpoint]


def post(
    transport: Transport,
    port: int,
    host: str = "127.0.0.1",
    timeout: float = 2.0,
    body: bytes = b'{"n":1}',
) -> int | NoAnswer:
    """The status of the answer to a POST, or the reason for none."""
    headers = {"Content-Type": "application/json", "User-Agent": "test"}
    here = Destination(host, port, "/hook?a=1")
    answer = transport.post(here, headers, body, timeout)
    return answer.status if isinstance(answer, Answer) else answer


def no_answer_of(answer: int | NoAnswer) -> NoAnswer:
    assert isinstance(answer, NoAnswer), answer
    return answer


def test_the_request_has_exactly_the_given_headers_and_body(
    transport: Transport, endpoint: Start
) -> None:
    server = endpoint(answering(OK))
    assert post(transport, server.port) == 200
    ((head, body),) = server.requests
    assert body == b'{"n":1}'
    assert head.split("\r\n") == [
        "POST /hook?a=1 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Length: 7",
        "Content-Type: application/json",
        "User-Agent: test",
    ]


def test_an_answer_has_its_retry_after_header(transport: Transport, endpoint: Start) -> None:
    head = b"HTTP/1.1 503 Busy\r\nretry-after: 120\r\nContent-Length: 0\r\n\r\n"
    here = Destination("127.0.0.1", endpoint(answering(head)).port, "/")
    assert transport.post(here, {}, b"{}", 2.0) == Answer(503, "120")


def test_connections_are_kept(transport: Transport, endpoint: Start) -> None:
    server = endpoint(answering(OK))
    assert [post(transport, server.port) for _ in range(5)] == [200] * 5
    assert (server.connections, transport.opened) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
        b"HTTP/1.1 102 Processing\r\n\r\n" * 20 + OK,
        b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nfail",
        b"HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_a_complete_answer_leaves_the_connection_usable_and_is_not_followed(
    transport: Transport, endpoint: Start, answer: bytes
) -> None:
    server = endpoint(answering(answer))
    status = post(transport, server.port)
    assert isinstance(status, int)
    assert post(transport, server.port) == status
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100_000,
        CHUNKED + b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0000102400\r\n\r\n"
        + gzip.compress(b"\0" * 100_000_000, 1)[:102_400].ljust(102_400),
    ],
    ids=["close", "http 1.0", "long", "long chunk", "bomb"],
)
def test_an_answer_that_is_long_or_ends_the_connection_counts_and_the_connection_is_dropped(
    transport: Transport, endpoint: Start, answer: bytes
) -> None:
    server = endpoint(answering(answer, times=1))
    assert [post(transport, server.port) for _ in range(2)] == [200, 200]
    assert server.connections == 2


@pytest.mark.parametrize("size", [4096, 4097, 5000])
def test_a_connection_with_an_answer_not_read_to_its_end_is_not_used_again(
    transport: Transport, endpoint: Start, size: int
) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
    server = endpoint(answering(head + b"x" * size))
    assert [post(transport, server.port) for _ in range(2)] == [200, 200]
    assert server.connections == 2


def test_a_connection_that_the_server_closed_while_idle_fails_no_attempt(
    transport: Transport, endpoint: Start
) -> None:
    server = endpoint(answering(OK, times=1))
    for _ in range(3):
        assert post(transport, server.port) == 200
        time.sleep(0.05)  # until the end of the server's connection has arrived
    assert server.connections == 3


def given_up(how: str) -> Callable[[Endpoint], Behaviour]:
    """Answers the first request of the first connection, and gives that connection up at the second
    request. Requests of other connections are answered."""

    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            if server.connections > 1:
                answering(OK)(server)(connection)
            server.read_request(connection)
            connection.sendall(OK)
            server.read_request(connection)
            match how:
                case "reset":
                    reset(connection)
                case "TLS alert":
                    assert isinstance(connection, ssl.SSLSocket)
                    connection.unwrap()  # close_notify
                case "broken TLS":
                    os.write(connection.fileno(), b"\x15\x03\x03\x00\x02\x02\x28")
                case "part of an answer":
                    connection.sendall(b"HTTP/1.1 2")

        return behave

    return behaviour


@pytest.mark.parametrize("how", ["reset", "FIN", "TLS alert", "broken TLS"])
def test_a_kept_connection_that_the_endpoint_gives_up_fails_no_attempt(
    transport: Transport, endpoint: Start, how: str
) -> None:
    server = endpoint(given_up(how))
    assert [post(transport, server.port) for _ in range(3)] == [200, 200, 200]
    # There were two connections, and the second request came on both.
    assert (server.connections, len(server.requests)) == (2, 4)


def reset(connection: socket.socket) -> None:
    """Let the end of the connection reset it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def forget(connection: socket.socket) -> None:
    """Drop everything that comes, without confirming it, as a network does that has forgotten the
    connection. Linux: a filter of one instruction, "return 0 bytes", socket(7)."""
    instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    program = struct.pack("HL", 1, ctypes.addressof(instruction))
    connection.setsockopt(socket.SOL_SOCKET, 26, program)  # SO_ATTACH_FILTER


def test_a_kept_connection_that_is_reset_in_the_middle_of_a_request_fails_no_attempt(
    transport: Transport, endpoint: Start
) -> None:
    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            if server.connections > 1:
                answering(OK)(server)(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            server.read_request(connection)
            connection.sendall(OK)
            connection.recv(1000)
            reset(connection)

        return behave

    server = endpoint(behaviour)
    body = b"x" * 4_000_000  # more than the system takes from a client whose server does not read
    assert post(transport, server.port) == 200
    assert post(transport, server.port, timeout=10.0, body=body) == 200
    assert (server.connections, server.requests[-1][1] == body) == (2, True)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has the limit")
def test_a_kept_connection_that_the_network_has_forgotten_fails_no_attempt(
    transport: Transport, endpoint: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten = threading.Event()

    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            if server.connections > 1:
                answering(OK)(server)(connection)
            server.read_request(connection)
            connection.sendall(OK)
            forget(connection)
            forgotten.set()
            server.stopped.wait()

        return behave

    monkeypatch.setattr(connection, "UNACKNOWLEDGED_SECONDS", 1)
    server = endpoint(behaviour)
    assert post(transport, server.port) == 200
    assert forgotten.wait(5.0)
    assert post(transport, server.port, timeout=8.0) == 200
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_request_is_not_repeated_after_its_answer_has_begun(
    transport: Transport, endpoint: Start
) -> None:
    server = endpoint(given_up("part of an answer"))
    assert post(transport, server.port) == 200
    assert no_answer_of(post(transport, server.port)).kind is FailureKind.PROTOCOL
    assert (server.connections, len(server.requests)) == (1, 2)


def test_a_new_connection_that_the_endpoint_gives_up_fails_the_attempt(
    transport: Transport, endpoint: Start
) -> None:
    """This holds also for the attempt's second connection. No request is sent a third time."""
    server = endpoint(answering(OK, times=1))
    assert post(transport, server.port) == 200
    server._behave = lambda connection: server.read_request(connection)
    assert no_answer_of(post(transport, server.port)).kind is FailureKind.PROTOCOL
    assert server.connections == 2


def test_a_request_with_a_slow_answer_on_a_kept_connection_is_not_repeated(
    transport: Transport, endpoint: Start
) -> None:
    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            server.read_request(connection)
            connection.sendall(OK)
            server.read_request(connection)
            server.stopped.wait()

        return behave

    server = endpoint(behaviour)
    assert post(transport, server.port) == 200
    began = time.monotonic()
    assert no_answer_of(post(transport, server.port, timeout=TIMEOUT)).kind is FailureKind.TIMEOUT
    assert time.monotonic() - began < TIMEOUT * 1.1 + SLACK
    assert (server.connections, len(server.requests)) == (1, 2)


def test_both_connections_of_an_attempt_share_its_deadline(
    transport: Transport, endpoint: Start
) -> None:
    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            server.read_request(connection)
            if server.connections > 1:
                server.stopped.wait()
            connection.sendall(OK)
            server.read_request(connection)
            server.stopped.wait(2 * TIMEOUT)
            reset(connection)

        return behave

    server = endpoint(behaviour)
    assert post(transport, server.port) == 200
    began = time.monotonic()
    answer = post(transport, server.port, timeout=3 * TIMEOUT)
    assert no_answer_of(answer).kind is FailureKind.TIMEOUT
    assert time.monotonic() - began < 3 * TIMEOUT * 1.1 + SLACK
    assert server.connections == 2


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    client_tls: ssl.SSLContext, endpoint: Start
) -> None:
    now = [0.0]
    server = endpoint(answering(OK))
    with contextlib.closing(
        Transport(client_tls, Dialler(LOOPBACK), clock=lambda: now[0])
    ) as transport:
        for now[0] in (0.0, 40.0, 80.0, 131.0):
            assert post(transport, server.port) == 200
    assert server.connections == 2


def test_the_number_of_hosts_with_kept_connections_is_limited(
    transport: Transport, endpoint: Start
) -> None:
    servers = [endpoint(answering(OK)) for _ in range(KEPT_HOSTS + 1)]
    for server in (*servers, servers[-1], servers[0]):
        assert post(transport, server.port) == 200
    assert servers[-1].connections == 1
    assert servers[0].connections == 2  # the least recently used connection was closed


def silent(server: Endpoint) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        server.stopped.wait()

    return behave


HOSTILE: dict[str, tuple[Callable[[Endpoint], Behaviour], FailureKind]] = {
    "says nothing": (silent, FailureKind.TIMEOUT),
    "drips from the start": (sending_for_ever(b"", b"H", 0.02), FailureKind.TIMEOUT),
    "drips headers": (sending_for_ever(b"HTTP/1.1 200 OK\r\n", b"x", 0.02), FailureKind.TIMEOUT),
    "drips its body": (
        sending_for_ever(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x", 0.02),
        FailureKind.TIMEOUT,
    ),
    "drips chunks": (sending_for_ever(CHUNKED, b"1\r\nx\r\n", 0.02), FailureKind.TIMEOUT),
    "drips interim answers": (
        sending_for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        FailureKind.TIMEOUT,
    ),
    "floods interim answers": (
        sending_for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, 0.0),
        FailureKind.TOO_LARGE,
    ),
    "floods one header line": (
        sending_for_ever(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 60_000, 0.0),
        FailureKind.TOO_LARGE,
    ),
    "floods header lines": (
        sending_for_ever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 50, 0.0),
        FailureKind.TOO_LARGE,
    ),
    "floods chunk extensions": (
        sending_for_ever(CHUNKED, b"1;" + b"e" * 30_000 + b"\r\nx\r\n", 0.0),
        FailureKind.TOO_LARGE,
    ),
    "ends in its headers": (answering(b"HTTP/1.1 200 OK\r\nConte", times=1), FailureKind.PROTOCOL),
    "ends in its body": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", times=1),
        FailureKind.PROTOCOL,
    ),
    "ends in a chunk": (answering(CHUNKED + b"9\r\nshort", times=1), FailureKind.PROTOCOL),
    "closes without an answer": (answering(b"", times=1), FailureKind.PROTOCOL),
    "speaks something else": (answering(b"220 smtp ready\r\n", times=1), FailureKind.PROTOCOL),
    "says chunks of negative size": (
        answering(CHUNKED + b"-5\r\nhello\r\n", 1),
        FailureKind.PROTOCOL,
    ),
    "says chunks beyond numbers": (
        answering(CHUNKED + b"f" * 30 + b"\r\n", 1),
        FailureKind.PROTOCOL,
    ),
    "says chunks far below zero": (answering(CHUNKED + b"-" + b"f" * 30, 1), FailureKind.PROTOCOL),
    "contradicts itself": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nok", times=1),
        FailureKind.PROTOCOL,
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_endpoint_fails_with_its_kind_by_the_deadline(
    transport: Transport, endpoint: Start, name: str
) -> None:
    behaviour, expected = HOSTILE[name]
    server = endpoint(behaviour)
    # An endpoint that floods or breaks off fails long before the deadline.
    timeout = TIMEOUT if expected is FailureKind.TIMEOUT else 5.0
    began = time.monotonic()
    answer = post(transport, server.port, timeout=timeout)
    assert time.monotonic() - began < min(timeout * 1.1 + SLACK, 4.0)
    assert no_answer_of(answer).kind is expected
    # The message names the endpoint or the limit, never a class or a place in our code.
    assert "Error" not in no_answer_of(answer).message
    assert "0x" not in no_answer_of(answer).message
    assert "header of the connector" not in no_answer_of(answer).message


def test_a_switch_of_protocols_is_no_acknowledgement(transport: Transport, endpoint: Start) -> None:
    switching = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"
    server = endpoint(answering(switching + OK, times=1))
    assert [post(transport, server.port) for _ in range(2)] == [101, 101]
    assert server.connections == 2


PARTS = [
    *(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 204\r\n", b"HTTP/1.1 100 \r\n\r\n", b"HTTP/1.1 103 x\r\n"),
    *(
        b"HTTP/1.1 999 x\r\n",
        b"HTTP/1.1 -1 x\r\n",
        b"HTTP/2 200\r\n",
        b"HTTP/1.1 \xff\r\n",
        b"ICY 200\r\n",
    ),
    *(
        b"Content-Length: 5\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: " + b"9" * 30 + b"\r\n",
    ),
    *(b"Content-Length: 1e3\r\n", b"Content-Length:\r\n", b"Transfer-Encoding: chunked\r\n"),
    *(
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
    ),
    *(b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: message/rfc822\r\n"),
    *(b": y\r\n", b"x\r\n", b" folded\r\n", b"X: \x00\xff\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r"),
    *(
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"-1\r\n",
        b"-5\r\n",
        b"f" * 20 + b"\r\n",
        b";x\r\n",
    ),
    *(b"-" + b"f" * 20 + b"\r\n", b"\x85", b"\x00", b"\xe2\x98\x83", b"\x1f\x8b\x08\x00"),
]


def test_any_bytes_of_an_endpoint_give_a_status_or_a_reason(
    client_tls: ssl.SSLContext, endpoint: Start
) -> None:
    """The reason's message reveals nothing of our code."""
    answer = b""

    def behaviour(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            server.read_request(connection)
            connection.sendall(answer)

        return behave

    server = endpoint(behaviour)
    starts = st.sampled_from([b"", PARTS[0], PARTS[0] + b"Transfer-Encoding: chunked\r\n\r\n"])

    @settings(max_examples=150, deadline=None)
    @given(starts, st.lists(st.sampled_from(PARTS), max_size=8), st.binary(max_size=10))
    def whatever(start: bytes, parts: list[bytes], rest: bytes) -> None:
        nonlocal answer
        answer = start + b"".join(parts) + rest
        with contextlib.closing(Transport(client_tls, Dialler(LOOPBACK))) as transport:
            outcome = post(transport, server.port)
        if isinstance(outcome, NoAnswer):
            assert outcome.kind in {
                FailureKind.PROTOCOL,
                FailureKind.TOO_LARGE,
                FailureKind.TIMEOUT,
            }
            assert outcome.message.startswith("127.0.0.1")
            assert "Error" not in outcome.message
            assert "Exception" not in outcome.message
        else:
            assert outcome == 101 or 200 <= outcome <= 999

    whatever()


def test_an_endless_answer_counts_after_the_first_bytes_of_its_body(
    transport: Transport, endpoint: Start
) -> None:
    server = endpoint(sending_for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 5000, 0.0))
    assert post(transport, server.port, timeout=TIMEOUT) == 200


@pytest.mark.parametrize("name", ["ends in its body", "drips its body"])
def test_a_status_other_than_2xx_counts_whatever_the_body_is(
    transport: Transport, endpoint: Start, name: str
) -> None:
    head = b"HTTP/1.1 503 Busy\r\nContent-Length: 900\r\n\r\n"
    behaviour = answering(head, 1) if "ends" in name else sending_for_ever(head, b"x", 0.02)
    assert post(transport, endpoint(behaviour).port, timeout=TIMEOUT) == 503


def test_a_reset_is_a_protocol_failure(transport: Transport, server_tls: ssl.SSLContext) -> None:
    def reset(server: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            server.read_request(connection)
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

        return behave

    with serve(reset, server_tls) as server:
        assert no_answer_of(post(transport, server.port)).kind is FailureKind.PROTOCOL


def test_an_endpoint_without_tls_fails_as_tls(transport: Transport) -> None:
    with serve(answering(OK), None) as server:
        server._behave = lambda connection: connection.sendall(OK)
        assert no_answer_of(post(transport, server.port)).kind is FailureKind.TLS


def test_a_handshake_that_never_comes_ends_with_the_deadline(transport: Transport) -> None:
    with serve(silent, None) as server:
        began = time.monotonic()
        answer = post(transport, server.port, timeout=TIMEOUT)
        assert time.monotonic() - began < TIMEOUT * 1.1 + SLACK
        assert no_answer_of(answer).kind is FailureKind.TIMEOUT


@pytest.mark.parametrize("header", [("X-Key", "a secret\r\nHost: b"), ("X-Key\r\n", "a secret")])
def test_an_invalid_header_is_reported_without_its_value(
    transport: Transport, endpoint: Start, header: tuple[str, str]
) -> None:
    server = endpoint(answering(OK))
    here = Destination("127.0.0.1", server.port, "/")
    assert transport.post(here, dict([header]), b"{}", 2.0) == NoAnswer(
        FailureKind.PROTOCOL, "127.0.0.1: a header of the connector is not allowed in HTTP"
    )
    assert server.requests == []


@pytest.mark.parametrize("operation", ["recv_into", "send", "do_handshake"])
@pytest.mark.parametrize("error", [ssl.SSLWantReadError, ssl.SSLWantWriteError])
def test_a_deadline_that_passes_in_a_socket_operation_is_a_timeout(
    monkeypatch: pytest.MonkeyPatch,
    transport: Transport,
    endpoint: Start,
    operation: str,
    error: type[Exception],
) -> None:
    server = endpoint(answering(OK))

    def out_of_time(self: ssl.SSLSocket, *_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(ssl.SSLSocket, operation, out_of_time)
    assert no_answer_of(post(transport, server.port, timeout=0.05)).kind is FailureKind.TIMEOUT


def test_a_port_without_a_listener_is_a_connect_failure(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = post(transport, port)
    assert answer == NoAnswer(
        FailureKind.CONNECT,
        f"no connection to 127.0.0.1 port {port}: 127.0.0.1: Connection refused",
    )


def to_loopback(*hosts: str) -> Callable[[str, int], Resolved]:
    def resolve(host: str, port: int) -> Resolved:
        assert host in hosts
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    return resolve


def test_the_certificate_is_checked_for_the_hosts_name_and_not_for_the_address(
    client_tls: ssl.SSLContext, server_tls: ssl.SSLContext
) -> None:
    names = []
    server_tls.sni_callback = lambda sock, name, context: names.append(name)
    dialler = Dialler(LOOPBACK, resolve=to_loopback("endpoint.test", "other.test"))
    with (
        contextlib.closing(Transport(client_tls, dialler)) as transport,
        serve(answering(OK), server_tls) as server,
    ):
        assert post(transport, server.port, "endpoint.test") == 200
        refused = post(transport, server.port, "other.test")
    server_tls.sni_callback = None
    assert no_answer_of(refused).kind is FailureKind.TLS
    assert "certificate is not valid for 'other.test'" in no_answer_of(refused).message
    assert names == ["endpoint.test", "other.test"]
    assert len(server.requests) == 1


def test_an_authority_that_is_not_trusted_is_refused(endpoint: Start) -> None:
    transport = Transport(client_context(), Dialler(LOOPBACK))
    assert no_answer_of(post(transport, endpoint(answering(OK)).port)).kind is FailureKind.TLS


def test_an_endpoint_that_demands_a_client_certificate_fails_as_tls(
    transport: Transport, authority: trustme.CA
) -> None:
    demanding = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    demanding.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("127.0.0.1").configure_cert(demanding)
    with serve(answering(OK), demanding) as server:
        assert no_answer_of(post(transport, server.port)).kind is FailureKind.TLS


def test_tls_versions_below_1_2_are_refused(client_tls: ssl.SSLContext) -> None:
    assert client_tls.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_authorities_are_loaded_once_for_all_connections(
    monkeypatch: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path, endpoint: Start
) -> None:
    loads = []
    load = ssl.SSLContext.load_verify_locations

    def counted(self: ssl.SSLContext, *arguments: str) -> None:
        loads.append(arguments)
        load(self, *arguments)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = client_context(str(tmp_path / "ca.pem"))
    assert len(loads) == 2  # certifi's, and the file
    server = endpoint(answering(OK, times=1))
    with contextlib.closing(Transport(context, Dialler(LOOPBACK))) as transport:
        assert [post(transport, server.port) for _ in range(3)] == [200] * 3
    assert server.connections == 3
    assert len(loads) == 2


@pytest.mark.parametrize("is_there", [True, False])
def test_the_authorities_of_a_built_layer_are_used(
    authority: trustme.CA, tmp_path: Path, endpoint: Start, is_there: bool
) -> None:
    pem = authority.cert_pem.bytes().decode()
    name = name_hash(ssl.PEM_cert_to_DER_cert(pem)) if is_there else "00000000"
    (tmp_path / f"{name}.0").write_text(pem)
    context = client_context(authorities=tmp_path)
    with contextlib.closing(Transport(context, Dialler(LOOPBACK))) as transport:
        answer = post(transport, endpoint(answering(OK)).port)
    assert answer == 200 if is_there else no_answer_of(answer).kind is FailureKind.TLS


def test_a_missing_file_of_authorities_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TRUSTED_AUTHORITIES_FILE"):
        client_context(str(tmp_path / "missing.pem"))


def test_a_name_service_that_hangs_does_not_delay_the_attempt_beyond_its_deadline(
    client_tls: ssl.SSLContext,
) -> None:
    stuck = threading.Event()

    def resolve(host: str, port: int) -> Resolved:
        stuck.wait()
        return []

    transport = Transport(client_tls, Dialler(LOOPBACK, resolve=resolve))
    began = time.monotonic()
    answer = post(transport, 443, "endpoint.test", timeout=TIMEOUT)
    stuck.set()
    assert time.monotonic() - began < TIMEOUT * 1.1 + SLACK
    assert no_answer_of(answer).kind is FailureKind.DNS


def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, transport: Transport, endpoint: Start
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    server = endpoint(answering(OK))
    assert post(transport, server.port) == 200
    assert "authorization" not in server.requests[0][0].lower()


def phases_of(answer: Answer | NoAnswer) -> list[str]:
    """The phases that an attempt went through, none of them negative."""
    assert answer.trace is not None
    durations = answer.trace.durations()
    assert all(seconds >= 0 for seconds in durations.values())
    return list(durations)


CONNECTING = ["dns", "connect", "tls"]


def test_an_attempt_notes_its_phases_and_a_kept_connection_has_no_need_of_some(
    transport: Transport, endpoint: Start
) -> None:
    server = endpoint(answering(OK))
    here = Destination("127.0.0.1", server.port, "/")
    first, second = (transport.post(here, {}, b"{}", 2.0) for _ in range(2))
    assert phases_of(first) == [*CONNECTING, "firstByte", "rest"]
    assert phases_of(second) == ["firstByte", "rest"]
    for answer, (head, body) in zip((first, second), server.requests, strict=True):
        assert answer.trace is not None
        assert (answer.trace.status, bytes(answer.trace.body), answer.trace.is_whole) == (
            200,
            b"ok",
            True,
        )
        assert answer.trace.sent == len(head) + 4 + len(body)
        assert answer.trace.received == len(OK)


def test_a_dead_kept_connection_leaves_no_phases(transport: Transport, endpoint: Start) -> None:
    server = endpoint(answering(OK, 1))
    here = Destination("127.0.0.1", server.port, "/")
    transport.post(here, {}, b"{}", 2.0)
    again = transport.post(here, {}, b"{}", 2.0)
    assert phases_of(again) == [*CONNECTING, "firstByte", "rest"]


def test_an_attempt_that_fails_ends_in_the_phase_that_it_failed_in(
    transport: Transport, endpoint: Start
) -> None:
    silent = endpoint(sending_for_ever(b"", b"", 0.02))
    broken = endpoint(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 1))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    for port, phases in (
        (closed, ["dns", "connect"]),
        (silent.port, [*CONNECTING, "firstByte"]),
        (broken.port, [*CONNECTING, "firstByte", "rest"]),
    ):
        answer = transport.post(Destination("127.0.0.1", port, "/"), {}, b"{}", TIMEOUT)
        assert isinstance(answer, NoAnswer)
        assert phases_of(answer) == phases
    assert answer.trace is not None
    assert (answer.trace.status, bytes(answer.trace.body), answer.trace.is_whole) == (
        200,
        b"ok",
        False,
    )
