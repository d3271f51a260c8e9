"""One built function under Lambda's own runtime client, with a Runtime API to talk to.

The emulator loads handlers by itself. This shows what the emulator cannot: that the artefact starts
under `awslambdaric`, how it answers through it, and which errors it reports.
"""

import http.server
import json
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from local.ports import HOST

API = "/2018-06-01/runtime"
"""AWS: the only version of the Runtime API."""

INIT_TIMEOUT_S = 10.0
"""AWS: an init phase takes at most ten seconds."""

POLL_S = 0.05
"""Seconds between two looks whether the runtime has started or should stop."""

STOP_TIMEOUT_S = 2.0
"""Seconds that a runtime may take to end."""


class RuntimeHostError(Exception):
    """The function did not start, or did not answer."""


@dataclass(frozen=True, slots=True)
class Function:
    """What Lambda knows about a function: `handler` as in the template, `timeout` in seconds."""

    name: str
    handler: str
    code: Path
    layer: Path
    environment: Mapping[str, str]
    timeout: int
    memory: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one invocation: the handler's answer, or the error it ended with."""

    kind: Literal["response", "error"]
    value: Any
    milliseconds: float


class _Server(http.server.ThreadingHTTPServer):
    """A server that prints no traceback when a runtime ends in the middle of a call."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Report errors other than lost connections."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class RuntimeHost:
    """Runs a function for as long as the `with` block lasts. One invocation at a time."""

    def __init__(
        self, python: Path, function: Function, init_timeout: float = INIT_TIMEOUT_S
    ) -> None:
        """Start nothing yet. `python` has awslambdaric and no other package.

        `init_timeout` is in seconds: a busy machine may need more than AWS allows.
        """
        self._python = python
        self._init_timeout = init_timeout
        self._function = function
        self._events: queue.Queue[tuple[str, bytes] | None] = queue.Queue()
        self._outcomes: queue.Queue[tuple[str, Literal["response", "error"], bytes]] = queue.Queue()
        self._started = threading.Event()
        self._init_error = b""
        self._server = _Server((HOST, 0), self._handler())
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it; raises `RuntimeHostError` when it does not ask for its first event."""
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True
        ).start()
        self._process = subprocess.Popen(
            [self._python.absolute(), "-m", "awslambdaric", self._function.handler],
            cwd=self._function.code,
            env=self._environment(),
        )
        try:
            self._wait_for_start(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End it."""
        self._stop()

    def invoke(self, event: object) -> Outcome:
        """Hand over `event` and wait; raises `RuntimeHostError` after the function's timeout."""
        request_id = str(uuid.uuid4())
        started = time.monotonic()
        self._events.put((request_id, json.dumps(event).encode()))
        try:
            answered, kind, body = self._outcomes.get(timeout=self._function.timeout)
        except queue.Empty:
            raise RuntimeHostError(
                f"{self._function.name} did not answer within {self._function.timeout} seconds"
            ) from None
        milliseconds = (time.monotonic() - started) * 1000
        if answered != request_id:
            raise RuntimeHostError(f"{self._function.name} answered a request that it did not get")
        return Outcome(kind, json.loads(body), milliseconds)

    def _wait_for_start(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._init_timeout
        while not self._started.wait(POLL_S):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeHostError(f"{self._function.name} did not start")
        if self._init_error:
            raise RuntimeHostError(
                f"{self._function.name} did not start: {self._init_error.decode()}"
            )

    def _stop(self) -> None:
        self._events.put(None)
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._server.shutdown()
        self._server.server_close()

    def _environment(self) -> dict[str, str]:
        function = self._function
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str((function.layer / "python").absolute()),
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{self._server.server_address[1]}",
            "LAMBDA_TASK_ROOT": str(function.code.absolute()),
            "_HANDLER": function.handler,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **function.environment,
        }

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        host = self

        class RuntimeApi(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # Head and body in one packet: unbuffered they wait 40 ms for each other
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                """The next event; the runtime waits in this call between invocations."""
                host._started.set()
                item = host._events.get()
                if item is None:
                    self.close_connection = True
                    return
                request_id, event = item
                deadline = int((time.time() + host._function.timeout) * 1000)
                self._answer(
                    HTTPStatus.OK,
                    event,
                    {
                        "Lambda-Runtime-Aws-Request-Id": request_id,
                        "Lambda-Runtime-Deadline-Ms": str(deadline),
                        "Lambda-Runtime-Invoked-Function-Arn": (
                            f"arn:aws:lambda:us-east-1:000000000000:function:{host._function.name}"
                        ),
                    },
                )

            def do_POST(self) -> None:
                """Take the result of an invocation, or of the start."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                *_, request_id, kind = self.path.removeprefix(API).split("/")
                if request_id == "init":
                    host._init_error = body
                    host._started.set()
                elif kind == "response":
                    host._outcomes.put((request_id, "response", body))
                else:
                    host._outcomes.put((request_id, "error", body))
                self._answer(HTTPStatus.ACCEPTED, b"{}", {})

            def log_message(self, format: str, *args: object) -> None:
                """Print nothing, so that the function's own output is easy to see."""

            def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return RuntimeApi
