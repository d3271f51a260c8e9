"""The public port of the local stack, which passes requests on to the emulated API."""

import contextlib
import http.client
import queue
import ssl
import time
from dataclasses import dataclass
from urllib.parse import unquote

from urllib3.util import wait_for_read

from local.server import Answer, LoopbackServer, Request, json_answer

# AWS: a HTTP API takes payloads of at most 10 MB.
BODY_LIMIT = 10 * 1024 * 1024

# AWS: a HTTP API gives its integration at most 30 s and then answers 503.
UPSTREAM_TIMEOUT_S = 30.0

# A Lambda function's answer has at most 6 MB; anything near this is no answer of the API.
ANSWER_LIMIT = 16 * 1024 * 1024

# How long an idle connection to the emulator is reused. The emulator closes its side after 5 s
# (hypercorn's default), and a POST on a connection that is being closed cannot be repeated safely.
KEPT_FOR_S = 2.0

# Headers that belong to one connection and not to the message (RFC 9110, section 7.6.1). `Expect`,
# `Host` and `Content-Length` are set anew for each connection, too.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
SETTLED_BY_NEIGHBOURS = frozenset({"content-length", "expect", "host"})
FORWARDED = frozenset({"x-forwarded-for", "x-forwarded-proto"})


class Front:
    """Serves the emulated API at the root of a port, and nothing else of the emulator."""

    def __init__(
        self,
        host: str,
        port: int,
        upstream_port: int,
        api_id: str,
        *,
        upstream_timeout: float = UPSTREAM_TIMEOUT_S,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """Open nothing yet. `upstream_timeout` is in seconds.

        With an `ssl_context` it speaks HTTPS as well, on the same port: connectors deliver to
        nothing else, and the stack itself has an endpoint to try them with.

        `upstream_port` is the emulator's on 127.0.0.1, `api_id` the API's on it.
        """
        self._upstream = _Upstream(upstream_port, upstream_timeout)
        self._api_id = api_id
        self._host = host
        self._server = LoopbackServer(
            host,
            port,
            self._respond,
            body_limit=BODY_LIMIT,
            ssl_context=ssl_context,
            plain_too=True,
        )

    @property
    def port(self) -> int:
        """The port in use; before `start` the one asked for."""
        return self._server.port

    def start(self) -> None:
        """Open the port and serve in the background. Raises OSError when the port is taken."""
        self._server.start()

    def stop(self) -> None:
        """Close the port and every connection, on both sides."""
        self._server.stop()
        self._upstream.close()

    def _respond(self, request: Request) -> Answer:
        target = request.target
        if not (target.startswith("/") and target.isascii() and target.isprintable()):
            # No path, or not a legal one (RFC 3986), and there is no telling what was meant.
            return json_answer(400, {"message": "Bad Request"})
        try:
            return self._upstream.exchange(
                request,
                target_for_upstream(target, self._api_id),
                headers_for_upstream(request, f"{self._host}:{self.port}"),
            )
        except (OSError, http.client.HTTPException):
            # Refused, gone, late, or not HTTP. A client can't do anything about the difference.
            return json_answer(503, {"message": "Service Unavailable"})


def target_for_upstream(target: str, api_id: str) -> str:
    """The path at which the emulator serves `target` of the API.

    The emulator also knows the API by its host name. But it looks at paths of its own before the
    host: `POST /_ministack/reset` removes the whole stack. No path of the API begins like these.
    """
    api = f"/_aws/execute-api/{api_id}"
    # Named with its stage, $default. Without the stage the emulator has paths of WebSocket APIs.
    is_of_websocket = unquote(target).startswith("/@connections/")
    return f"{api}{target}" if is_of_websocket else f"{api}/$default{target}"


def headers_for_upstream(request: Request, host: str) -> list[tuple[str, str]]:
    """The caller's headers to pass on, without those for this connection alone.

    Order and repetition are kept. `X-Forwarded-For` gets the caller's address appended, and
    `X-Forwarded-Proto` is set, as API Gateway does.
    """
    items = list(request.headers.items())
    dropped = _names_of_this_hop(items) | SETTLED_BY_NEIGHBOURS | FORWARDED
    forwarded_for = [*request.headers.get_all("X-Forwarded-For", []), request.client]
    return [
        ("Host", host),
        *((name, value) for name, value in items if name.lower() not in dropped),
        ("X-Forwarded-For", ", ".join(forwarded_for)),
        ("X-Forwarded-Proto", "http"),
    ]


def _names_of_this_hop(items: list[tuple[str, str]]) -> frozenset[str]:
    """The names of hop-by-hop headers, including those that `Connection` lists."""
    listed = ",".join(value for name, value in items if name.lower() == "connection")
    return HOP_BY_HOP | {name.strip().lower() for name in listed.split(",")}


@dataclass(frozen=True, slots=True)
class _IdleConnection:
    connection: http.client.HTTPConnection
    since: float


class _Upstream:
    """Kept connections to the emulator.

    http.client rather than urllib3's pool, because the pool rewrites targets (`%3a` becomes `%3A`,
    a bare `"` becomes `%22`), while API Gateway hands on what the caller sent.
    """

    def __init__(self, port: int, timeout: float) -> None:
        self._port = port
        self._timeout = timeout
        # Last in, first out, because the most recently used connection is least likely closed.
        self._idle: queue.LifoQueue[_IdleConnection] = queue.LifoQueue()

    def exchange(self, request: Request, target: str, headers: list[tuple[str, str]]) -> Answer:
        """Send `request` to `target` with `headers` and return what came back.

        Raises OSError or http.client.HTTPException when there is no answer. The time limit is for
        each wait, which comes to the same: the emulator sends an answer in one piece.
        """
        connection = self._take() or http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=self._timeout
        )
        reusable = False
        try:
            connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if request.body or request.method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(request.body)))
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            body = response.read(ANSWER_LIMIT + 1)
            if len(body) > ANSWER_LIMIT:
                return json_answer(500, {"message": "Internal Server Error"})
            reusable = not response.will_close
            items = response.getheaders()
            # `Content-Length` stays: for HEAD it is the length of a body that isn't there.
            dropped = _names_of_this_hop(items)
            kept = tuple((name, value) for name, value in items if name.lower() not in dropped)
            return Answer(response.status, body, kept)
        finally:
            if reusable:
                self._idle.put(_IdleConnection(connection, time.monotonic()))
            else:
                connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().connection.close()

    def _take(self) -> http.client.HTTPConnection | None:
        """An idle connection that can still be used."""
        with contextlib.suppress(queue.Empty):
            while True:
                kept = self._idle.get_nowait()
                fresh = time.monotonic() - kept.since < KEPT_FOR_S
                # When an idle connection has something to read, the emulator has closed it.
                if fresh and kept.connection.sock and not wait_for_read(kept.connection.sock, 0):
                    return kept.connection
                kept.connection.close()
        return None
