"""The handlers behind a real port, for clients that speak HTTP: a gateway without AWS."""

import base64
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote

from tests.support.http_api import LambdaContext

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]


class Served:
    """A server on loopback while the context lasts. `route` chooses the handler of an event."""

    def __init__(self, route: Callable[[dict[str, Any]], Handler]) -> None:
        class Requests(BaseHTTPRequestHandler):
            def answer(self) -> None:
                event = _event(self)
                answer = route(event)(event, LambdaContext())
                body = answer["body"].encode()
                self.send_response(answer["statusCode"])
                for name, value in answer.get("headers", {}).items():
                    self.send_header(name, value)
                for name, values in answer.get("multiValueHeaders", {}).items():
                    for value in values:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                """Requests are the tests' own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def base_url(self) -> str:
        """What a client of the vendor's API is pointed at."""
        return f"http://127.0.0.1:{self._server.server_port}/v2"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _event(request: BaseHTTPRequestHandler) -> dict[str, Any]:
    """The request as an HTTP API describes it: bodies other than text and JSON in base64."""
    path, _, query = request.path.partition("?")
    body = request.rfile.read(int(request.headers.get("content-length") or 0))
    is_text = request.headers.get("content-type", "").startswith(("application/json", "text/"))
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": unquote(path),
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "requestContext": {
            "http": {
                "method": request.command,
                "path": path,
                "sourceIp": str(request.client_address[0]),
            },
            "stage": "$default",
        },
        "isBase64Encoded": not is_text,
    } | ({"body": body.decode() if is_text else base64.b64encode(body).decode()} if body else {})
