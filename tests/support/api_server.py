"""The handlers behind a socket, with the HTTP API's routes, for clients over the network."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import quote, unquote

from tests.support.http_api import LambdaContext

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_TEXTS = ("application/json", "text/")


class Api:
    """Passes requests to handlers as the HTTP API does. `routes` has a handler by `METHOD
    /path/{x}`."""

    def __init__(self, routes: Mapping[str, Handler], default: Handler) -> None:
        self._patterns = [
            (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))), handler)
            for route, handler in routes.items()
        ]
        self._default = default

    def answer(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> dict[str, Any]:
        """A handler's answer. `target` is the path as it was sent, with the query.

        In payload format 2.0, bodies other than text and JSON are in base64.
        """
        path, _, query = target.partition("?")
        names = {name.lower(): value for name, value in headers.items()}
        text, encoded = body.decode(errors="replace"), False
        if not names.get("content-type", "").startswith(_TEXTS) or text.encode() != body:
            text, encoded = base64.b64encode(body).decode(), True
        event = {
            "version": "2.0",
            "rawPath": unquote(path),
            "rawQueryString": query,
            "headers": names,
            "requestContext": {
                "http": {"method": method, "path": path, "sourceIp": "127.0.0.1"},
                "stage": "$default",
            },
            "isBase64Encoded": encoded,
            "body": text,
        }
        route = f"{method} {unquote(path)}"
        found = (handler for form, handler in self._patterns if form.fullmatch(route))
        return next(found, self._default)(event, LambdaContext())

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        """A WSGI application, for clients that need no network."""
        path = quote(environ["PATH_INFO"].encode("latin-1"))
        headers = {
            name.removeprefix("HTTP_").replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        }
        answer = self.answer(
            environ["REQUEST_METHOD"],
            f"{path}?{environ['QUERY_STRING']}",
            headers,
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)),
        )
        start_response(f"{answer['statusCode']} -", list(answer["headers"].items()))
        return [answer["body"].encode()]


@contextmanager
def serving(routes: Mapping[str, Handler], default: Handler) -> Iterator[str]:
    """Serve the API inside the `with` block; its base URL."""
    api = Api(routes, default)

    class Gateway(BaseHTTPRequestHandler):
        """The API behind a port."""

        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            answer = api.answer(self.command, self.path, dict(self.headers.items()), body)
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # the library's names

        def log_message(self, *_: object) -> None:
            """Write nothing into the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
