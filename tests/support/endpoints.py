"""HTTPS endpoints with chosen bad behaviour, on loopback and over real sockets."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import trustme

Behaviour = Callable[[socket.socket], None]
"""What the endpoint does with a connection after the TLS handshake. It is closed afterwards."""

LONGEST_END = 5.0
"""Seconds for a thread to notice that its connection is over."""


class Endpoint:
    """Listens inside the `with` block. `requests` has heads and bodies as they arrived."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None) -> None:
        self.connections = 0
        self.requests: list[tuple[str, bytes]] = []
        self.server_names: list[str | None] = []
        self.stopped = threading.Event()
        self._behave = behave
        self._tls = tls
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stopped.set()
        connections = (self._listener, *self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        # A thread that still reads must not find another test's connection under its number.
        for thread in self._threads:
            thread.join(LONGEST_END)
        for connection in connections:
            connection.close()

    def _run(self, target: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            self.connections += 1
            self._run(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.append(connection)
            with connection:
                self._behave(connection)

    def read_request(self, connection: socket.socket) -> None:
        """Read and record one request; raises EOFError when the client is gone."""
        received = b""
        while b"\r\n\r\n" not in received:
            part = connection.recv(65536)
            if not part:
                raise EOFError
            received += part
        head, _, body = received.partition(b"\r\n\r\n")
        length = int((re.search(rb"content-length: (\d+)", head, re.I) or [0, 0])[1])
        while len(body) < length:
            body += connection.recv(65536)
        self.requests.append((head.decode("latin-1"), body))


def trusted_tls(authority_file: Path) -> ssl.SSLContext:
    """The context of an endpoint on 127.0.0.1. Writes the authority to trust into a new file."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(authority_file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    return tls


def answering(answer: bytes, times: int = 1000) -> Callable[[Endpoint], Behaviour]:
    """Answers each request of a connection with these bytes; after `times`, closes."""

    def behaviour(endpoint: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            for _ in range(times):
                endpoint.read_request(connection)
                connection.sendall(answer)

        return behave

    return behaviour


def sending_for_ever(start: bytes, again: bytes, pause: float) -> Callable[[Endpoint], Behaviour]:
    """Answers with `start`, and then with `again` every `pause` seconds until the end."""

    def behaviour(endpoint: Endpoint) -> Behaviour:
        def behave(connection: socket.socket) -> None:
            endpoint.read_request(connection)
            connection.sendall(start)
            while not endpoint.stopped.wait(pause):
                connection.sendall(again)

        return behave

    return behaviour


def serve(behaviour: Callable[[Endpoint], Behaviour], tls: ssl.SSLContext | None) -> Endpoint:
    """An endpoint with this behaviour, which speaks plain TCP if `tls` is None."""
    endpoint = Endpoint(lambda connection: behaviour(endpoint)(connection), tls)
    return endpoint
