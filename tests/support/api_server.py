"""The handlers behind a socket, as the HTTP API would route to them: for clients over the wire."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

from tests.support.http_api import LambdaContext

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

_TEXTS = ("application/json", "text/")


@contextmanager
def serving(routes: Mapping[str, Handler], default: Handler) -> Iterator[str]:
    """While it lasts, the API's base URL. `routes` maps `METHOD /path/{x}` to a handler."""
    patterns = [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route))), handler)
        for route, handler in routes.items()
    ]

    class Gateway(BaseHTTPRequestHandler):
        """Payload format 2.0: bodies of other types than text and JSON are encoded."""

        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            encoded = not self.headers.get("content-type", "").startswith(_TEXTS)
            text = base64.b64encode(body).decode() if encoded else body.decode()
            event = {
                "version": "2.0",
                "rawPath": unquote(path),
                "rawQueryString": query,
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "requestContext": {
                    "http": {"method": self.command, "path": path, "sourceIp": "127.0.0.1"},
                    "stage": "$default",
                },
                "isBase64Encoded": encoded,
                "body": text,
            }
            route = f"{self.command} {unquote(path)}"
            handler = next((each for form, each in patterns if form.fullmatch(route)), default)
            answer = handler(event, LambdaContext())
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # the library's names

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

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
