"""The real sender delivers a batch to many hostile endpoints at once, over real sockets."""

import contextlib
import gzip
import itertools
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.dialler import Dialler, Resolved, resolve
from dataconnectors.endpoints.outcomes import FailureKind
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport
from dataconnectors.events.message import Message
from dataconnectors.kernel.workers import Workers
from tests.support.attempt_counters import AttemptCounters
from tests.support.endpoints import Behaviour, Endpoint, answering, sending_for_ever, serve
from tests.support.failing_connectors import FailingConnectors
from tests.support.rows import a_connector
from tests.support.sqs_visibility import Sqs
from tests.support.undelivered import DeadLetters, ExpiredEvents

TIMEOUT = 1.0
SLACK = 0.25
"""Seconds by which a deadline may be overrun in addition to its tenth, on a busy test machine."""

BIG = json.dumps({"event": "x" * 60_000})
"""Nearly the largest event that is accepted."""


def silent(server: Endpoint) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        server.stopped.wait()

    return behave


def resetting(server: Endpoint) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        server.read_request(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def dripping_a_handshake(server: Endpoint) -> Behaviour:
    """Sends a TLS record that announces 16 KB, byte by byte."""

    def behave(connection: socket.socket) -> None:
        for byte in itertools.chain(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc", itertools.repeat(0)):
            connection.sendall(bytes([byte]))
            if server.stopped.wait(0.05):
                return

    return behave


def speaking_http(server: Endpoint) -> Behaviour:
    return lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")


def closing(server: Endpoint) -> Behaviour:
    return lambda connection: None


OK = b"HTTP/1.1 200 OK\r\n"
PLAIN: dict[str, tuple[Callable[[Endpoint], Behaviour], FailureKind]] = {
    "never shakes hands": (silent, FailureKind.TIMEOUT),
    "drips its handshake": (dripping_a_handshake, FailureKind.TIMEOUT),
    "speaks no TLS": (speaking_http, FailureKind.TLS),
    "closes at once": (closing, FailureKind.TLS),
}
"""Behaviours without TLS."""

SECURE: dict[str, tuple[Callable[[Endpoint], Behaviour], FailureKind | None]] = {
    "never reads": (silent, FailureKind.TIMEOUT),
    "drips its status": (sending_for_ever(b"", b"H", 0.05), FailureKind.TIMEOUT),
    "drips its headers": (sending_for_ever(OK, b"x", 0.05), FailureKind.TIMEOUT),
    "drips its body": (
        sending_for_ever(OK + b"Content-Length: 900\r\n\r\n", b"x", 0.05),
        FailureKind.TIMEOUT,
    ),
    "drips interim answers": (
        sending_for_ever(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.05),
        FailureKind.TIMEOUT,
    ),
    "floods interim answers": (
        sending_for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, 0.0),
        FailureKind.TOO_LARGE,
    ),
    "floods headers": (sending_for_ever(OK, b"X: y\r\n" * 50, 0.0), FailureKind.TOO_LARGE),
    "floods its body": (sending_for_ever(OK + b"\r\n", b"x" * 60_000, 0.0), None),
    "floods a bomb": (
        sending_for_ever(
            OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(bytes(10_000_000)), 0.0
        ),
        None,
    ),
    "ends in its body": (
        answering(OK + b"Content-Length: 9\r\n\r\nshort", times=1),
        FailureKind.PROTOCOL,
    ),
    "resets": (resetting, FailureKind.PROTOCOL),
}
"""Behaviours after a handshake, with the kind of failure. None: the 200 counts, and the rest of its
body is not read."""


def hanging(host: str, port: int) -> Resolved:
    """The name `hangs.test` never resolves."""
    if host == "hangs.test":
        threading.Event().wait(10 * TIMEOUT)
    return resolve(host, port)


class World:
    """A sender, and connectors that are named after the behaviour of their endpoints."""

    def __init__(self, transport: Transport, urls: dict[str, str]) -> None:
        self.names = list(urls)
        self.urls = urls
        self.sqs = Sqs()
        self.errors: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, dict[str, Any]] = {}
        self.sender = Sender(
            connectors=self,
            vault=None,  # type: ignore[arg-type]  # nothing is sealed
            endpoint_client=EndpointClient(
                transport, (ip_network("127.0.0.0/8"),), timeout=TIMEOUT
            ),
            visibility=QueueVisibility(self.sqs),
            dead_letters=DeadLetters(),
            expired_events=ExpiredEvents(),
            attempt_counters=AttemptCounters(),
            failing_connectors=FailingConnectors(),
            workers=Workers(len(urls)),
            log=self,
        )

    def connector(self, name: str) -> Connector:
        number = name.rpartition("/")[2]
        return a_connector(id=number, url=self.urls[self.names[int(number)]])

    def was_removed(self, name: str) -> bool:
        return False

    def info(self, message: str, /, *, extra: Any) -> None:
        if message == "delivery.failed":
            self.failures[self.names[int(extra["eventId"])]] = dict(extra)

    def error(self, message: str, /, *, extra: Any, exc_info: Any = None) -> None:
        self.errors.append((message, dict(extra)))

    def send(self) -> tuple[set[str], float]:
        """Send one event to each connector; the connectors whose events stay in the queue, and the
        seconds that it took."""
        now = time.time()
        records = [
            ReceivedMessage(
                str(number),
                str(number),
                "arn:aws:sqs:eu-west-1:111122223333:q",
                1,
                now,
                now,
                Message(f"projects/p/dataconnectors/{number}", 1, str(number), 0, BIG).to_text(),
            )
            for number in range(len(self.names))
        ]
        began = time.monotonic()
        left = self.sender.send(records, 30.0)
        return {self.names[int(number)] for number in left}, time.monotonic() - began


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    tickets = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tickets)
    tickets.num_tickets = 1_000_000_000
    transport = Transport(
        client_context(str(tmp_path / "ca.pem")),
        Dialler((ip_network("127.0.0.0/8"),), resolve=hanging),
    )
    with contextlib.ExitStack() as stack:
        stack.callback(transport.close)
        endpoints = [
            *((name, behaviour, None) for name, (behaviour, _) in PLAIN.items()),
            *((name, behaviour, tls) for name, (behaviour, _) in SECURE.items()),
            ("floods session tickets", silent, tickets),
        ]
        urls = {
            name: f"https://127.0.0.1:{stack.enter_context(serve(behaviour, context)).port}/"
            for name, behaviour, context in endpoints
        }
        urls["does not resolve in time"] = "https://hangs.test/"
        yield World(transport, urls)


def test_each_hostile_endpoint_fails_for_what_it_is_and_holds_the_batch_no_longer_than_its_deadline(
    world: World,
) -> None:
    left, seconds = world.send()
    assert seconds < TIMEOUT * 1.1 + SLACK
    kinds = {name: kind for name, (_, kind) in (PLAIN | SECURE).items()}
    kinds |= {
        "floods session tickets": FailureKind.TIMEOUT,
        "does not resolve in time": FailureKind.DNS,
    }
    found = {name: failure["kind"] for name, failure in world.failures.items()}
    assert found == {name: kind.value for name, kind in kinds.items() if kind is not None}
    assert left == set(found)
    for name, failure in world.failures.items():
        # It names the endpoint, and nothing of our code.
        assert re.search(r"127\.0\.0\.1|hangs\.test", failure["error"]), failure
        assert not re.search(r"Error|Exception|0x|None", failure["error"]), failure
        assert failure["duration_ms"] < (TIMEOUT * 1.1 + SLACK) * 1000, name
    assert world.errors == []
    # Each event waits four times as long as its attempt took, or 8 s.
    assert set(world.sqs.visibility.values()) <= {7, 8}
