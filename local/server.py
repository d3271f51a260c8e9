"""An HTTP/1.1 server on loopback that answers each request with a function."""

import contextlib
import email.errors
import ipaddress
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# The first byte of every TLS connection: the type of its handshake records (RFC 8446, section 5.1).
# No HTTP request begins with it.
TLS_HANDSHAKE = b"\x16"

# A client that opens a connection and never finishes its TLS handshake keeps one thread this long.
HANDSHAKE_TIMEOUT_S = 10.0

# As long as common web servers keep an idle connection. It has to outlive the pauses of a client
# that keeps its connections, or POSTs would meet a connection that is just being closed.
IDLE_TIMEOUT_S = 75.0

# A sender may open hundreds of connections in one burst; the default backlog of 5 drops most of
# them, and each would come back a whole second later (TCP retransmits the SYN after 1 s).
CONNECTION_BACKLOG = 512

# How long `stop` waits for the threads of open connections. They are daemons: one that is still
# waiting for somebody else is left behind and ends with the process.
STOP_GRACE_S = 0.5

# How often the accepting thread looks whether it should stop; `stop` waits at most this long.
# It costs a tenth of a percent of one core.
STOP_POLL_S = 0.02

# A client whose body is refused is usually still sending. Closing at once would reset the
# connection and destroy the answer on its way, so up to this much is read and thrown away.
DISCARD_LIMIT = 64 * 1024 * 1024
DISCARD_TIMEOUT_S = 1.0

_CHUNK_LINE_LIMIT = 1024  # A chunk's size line, or a trailer line: a few bytes in practice.
_TRAILER_LIMIT = 100  # As many lines as http.client accepts for headers.
_READ_SIZE = 64 * 1024

# The standard library's parser drops a malformed header line and everything after it, so that a
# Content-Length would go unseen and the body be taken for the next request.
_HEADER_DEFECTS = (
    email.errors.MissingHeaderBodySeparatorDefect,
    email.errors.FirstHeaderLineIsContinuationDefect,
    email.errors.InvalidHeaderDefect,
)

# Python 3.13 took over the newer name of this status; API Gateway says the older one.
_API_GATEWAY_PHRASES = {413: "Request Entity Too Large"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived.

    `target` is the raw request target (path and query, nothing decoded or tidied up), `headers`
    keeps repeated headers and their order, `client` is the caller's address.
    """

    method: str
    target: str
    headers: Message
    body: bytes
    client: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back. `Content-Length` is worked out unless `headers` has one."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(status: int, value: object, *headers: tuple[str, str]) -> Answer:
    """An answer with a JSON body."""
    return Answer(
        status, json.dumps(value).encode(), (("Content-Type", "application/json"), *headers)
    )


Respond = Callable[[Request], Answer]


class LoopbackServer:
    """Serves `respond` on one loopback port, a thread for each connection.

    `respond` runs in many threads at once. A function that waits should wait on `stopping`, which
    is set when the server stops.
    """

    def __init__(
        self,
        host: str,
        port: int,
        respond: Respond,
        *,
        body_limit: int,
        ssl_context: ssl.SSLContext | None = None,
        plain_too: bool = False,
    ) -> None:
        """Open nothing yet; `port` 0 lets the system choose when the server starts.

        With an `ssl_context` it speaks HTTPS, and with `plain_too` HTTP on the same port as well.
        Raises ValueError for a host that other machines could reach.
        """
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"{host} is not a loopback address; use 127.0.0.1 or ::1")
        self.stopping = threading.Event()
        self._host = host
        self._port = port
        self._respond = respond
        self._body_limit = body_limit
        self._ssl_context = ssl_context
        self._plain_too = plain_too
        self._server: _Server | None = None
        self._acceptor: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port in use; before `start` the one asked for."""
        return self._server.port if self._server else self._port

    def start(self) -> None:
        """Open the port and serve in the background. Raises OSError when the port is taken."""
        self.stopping.clear()
        server = _Server(
            self._host,
            self._port,
            self._respond,
            self._body_limit,
            self._ssl_context,
            self._plain_too,
        )
        self._server = server
        self._acceptor = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": STOP_POLL_S},
            name=f"accept-{server.port}",
            daemon=True,
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Close the port and every connection, whatever they are doing. Does nothing if stopped."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
            threads = server.hang_up()
            # Set only now, so that a delayed answer does not leave early.
            self.stopping.set()
            deadline = time.monotonic() + STOP_GRACE_S
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))


class _Server(ThreadingHTTPServer):
    """The listening socket and the connections it accepted."""

    daemon_threads = True
    request_queue_size = CONNECTION_BACKLOG

    def __init__(
        self,
        host: str,
        port: int,
        respond: Respond,
        body_limit: int,
        ssl_context: ssl.SSLContext | None,
        plain_too: bool,
    ) -> None:
        self.respond = respond
        self.body_limit = body_limit
        self._ssl_context = ssl_context
        self._plain_too = plain_too
        self._lock = threading.Lock()
        self._hung_up = False
        self._connections: dict[socket.socket, threading.Thread] = {}
        if ":" in host:
            self.address_family = socket.AF_INET6
        try:
            super().__init__((host, port), _Connection)
        except OSError as error:
            raise OSError(
                error.errno, f"cannot listen on {host} port {port}: {error.strerror}"
            ) from error

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_bind(self) -> None:
        # HTTPServer's own method looks the host's name up in DNS, which takes seconds when offline.
        socketserver.TCPServer.server_bind(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection in its own thread, TLS handshake included.

        A handshake in the accepting thread would let one slow client hold up all others.
        """
        connection: socket.socket = request
        try:
            if not self._can_be_cut(connection):
                return
            if self._ssl_context is not None and self._speaks_tls(connection):
                connection.settimeout(HANDSHAKE_TIMEOUT_S)
                connection = self._ssl_context.wrap_socket(
                    connection, server_side=True, do_handshake_on_connect=False
                )
                if not self._can_be_cut(connection, instead_of=request):
                    return
            if isinstance(connection, ssl.SSLSocket):
                connection.do_handshake()
            self.finish_request(connection, client_address)
        except OSError:
            # The client left, broke the handshake or sent nothing for too long (TLS errors and
            # timeouts are OSErrors, too). A server expects that, so it prints nothing.
            pass
        finally:
            with self._lock:
                self._connections.pop(connection, None)
            self.shutdown_request(connection)

    def _can_be_cut(
        self, connection: socket.socket, instead_of: socket.socket | None = None
    ) -> bool:
        """Let `hang_up` cut a connection from now on; False when it has been called already.

        A socket with TLS comes `instead_of` the plain one, which it has made useless.
        """
        with self._lock:
            if instead_of is not None:
                self._connections.pop(instead_of, None)
            if not self._hung_up:
                self._connections[connection] = threading.current_thread()
            return not self._hung_up

    def _speaks_tls(self, connection: socket.socket) -> bool:
        """Whether the client begins with TLS; waits for its first byte if that is open."""
        if not self._plain_too:
            return True
        connection.settimeout(IDLE_TIMEOUT_S)
        return connection.recv(1, socket.MSG_PEEK) == TLS_HANDSHAKE

    def hang_up(self) -> list[threading.Thread]:
        """Cut every open connection; return their threads, which end as soon as they notice."""
        with self._lock:
            self._hung_up = True
            connections = dict(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                # The plain socket's `shutdown`, because that of SSLSocket would drop the TLS state
                # while another thread is reading.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        return list(connections.values())


class _RefusedError(Exception):
    """The body of a request is not read. `status` says why."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class _Connection(BaseHTTPRequestHandler):
    """The requests of one connection, one after the other."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT_S
    # Headers and body leave in one packet, at once. Unbuffered with Nagle's algorithm, the body
    # waits for the acknowledgement of the headers, which the client delays by 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        try:
            body = self._read_body()
        except _RefusedError as refused:
            self.send_error(refused.status)
            self._discard_rest()
            return
        # `self.path` has a leading `//` made one; the request line still has what was sent.
        target = self.requestline.split()[1]
        request = Request(self.command, target, self.headers, body, self.client_address[0])
        self._send(self.server.respond(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def handle_expect_100(self) -> bool:
        """Ask for the body, unless its announced length is refused anyway."""
        try:
            self._announced_length()
        except _RefusedError as refused:
            self.send_error(refused.status)
            return False
        self.send_response_only(HTTPStatus.CONTINUE)
        self.end_headers()
        self.wfile.flush()  # Buffered; without it both sides would wait for each other.
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse in the words and the shape that API Gateway uses for its own errors."""
        self.close_connection = True
        phrase = _API_GATEWAY_PHRASES.get(code, HTTPStatus(code).phrase)
        self._send(json_answer(code, {"message": phrase}))
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Print nothing, because the terminal belongs to the program that started the server."""

    def _send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        names = {name.lower() for name, _ in answer.headers}
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        for name, value in answer.headers:
            self.send_header(name, value)
        bodiless = answer.status in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
        if "content-length" not in names and not bodiless:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and not bodiless:
            self.wfile.write(answer.body)

    def _announced_length(self) -> int | None:
        """The body's length, or None when it comes in chunks."""
        if any(isinstance(defect, _HEADER_DEFECTS) for defect in self.headers.defects):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        lengths = self.headers.get_all("Content-Length", [])
        encodings = self.headers.get_all("Transfer-Encoding", [])
        if encodings:
            if lengths:  # Two statements of where the body ends: a request smuggling attack.
                raise _RefusedError(HTTPStatus.BAD_REQUEST)
            if [encoding.strip().lower() for encoding in encodings] != ["chunked"]:
                raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED)
            return None
        if not lengths:
            return 0
        if len(set(lengths)) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        length = int(lengths[0])
        if length > self.server.body_limit:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return length

    def _read_body(self) -> bytes:
        length = self._announced_length()
        return self._read_chunks() if length is None else self._read_exactly(length)

    def _read_chunks(self) -> bytes:
        body = bytearray()
        while size := self._read_chunk_size():
            if len(body) + size > self.server.body_limit:
                raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            body += self._read_exactly(size)
            if self._read_line():
                raise _RefusedError(HTTPStatus.BAD_REQUEST)
        for _ in range(_TRAILER_LIMIT):
            if not self._read_line():
                return bytes(body)
        raise _RefusedError(HTTPStatus.BAD_REQUEST)

    def _read_chunk_size(self) -> int:
        digits = self._read_line().split(b";", 1)[0].strip()  # After `;`: extensions, ignored.
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        return int(digits, 16)

    def _read_line(self) -> bytes:
        line = self.rfile.readline(_CHUNK_LINE_LIMIT)
        if not line.endswith(b"\n"):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        return line.rstrip(b"\r\n")

    def _read_exactly(self, length: int) -> bytes:
        data = self.rfile.read(length)
        if len(data) < length:
            raise ConnectionAbortedError("the client left in the middle of its request")
        return data

    def _discard_rest(self) -> None:
        """Read what the client is still sending, so that the client can read its answer."""
        self.connection.settimeout(DISCARD_TIMEOUT_S)
        socket.socket.shutdown(self.connection, socket.SHUT_WR)  # Not TLS's own: see `hang_up`.
        discarded = 0
        while discarded < DISCARD_LIMIT and (data := self.rfile.read1(_READ_SIZE)):
            discarded += len(data)
