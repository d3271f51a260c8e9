"""Measures cold starts of the built functions, until they are ready and with a first invocation.

    python -m bench cold_start        after `make build`

The measure is the CPU time of whole processes from their start, so imports count wherever they
happen. Its unit is the floor: a process of the same interpreter that imports boto3 and makes
clients for SQS and DynamoDB. AWS and the endpoint answer over TLS from this process, whose work is
not counted. Variants take turns, and the median of the rounds' ratios counts.
"""

import base64
import contextlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import jwt
import requests
import trustme
from moto import mock_aws

from bench.player import keys_of
from bench.report import Figure
from bench.sender import BODY, SECRETS
from dataconnectors.aws.vault import Vault
from dataconnectors.events.message import Message
from dataconnectors.kernel import times
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.table import Table
from tests.conftest import ENVIRONMENT
from tests.support.aws import make_dead_letter_queue, make_key, make_sender, make_table, template
from tests.support.http_api import LambdaContext, request
from tests.support.rows import a_connector

ROOT = Path(__file__).parents[1]
BUILT = ROOT / ".aws-sam/build"
CORE = BUILT / "CoreLayer/python"
PYTHON = ROOT / ".venv/runtime/bin/python3"

ROUNDS = 15

SENDER_BUDGET = 0.90
INGEST_BUDGET = 0.85
INGEST_EVENT_BUDGET = 1.10
API_BUDGET = 1.00
"""Multiples of the floor: until the first byte is posted, until ingest and the API are ready, and
until ingest has answered for its first event."""

FIRST_REQUEST_BUDGET = 1500
"""Milliseconds. The vendor's clients wait 3 seconds; Lambda's own start takes the rest."""

WHOLE_CPU_MEMORY = 1769
"""MB. AWS: a function with this much has one CPU; with less, that part of one."""

FLOOR_PACKAGES = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3")
FLOOR = "import boto3, os; boto3.client('sqs'); boto3.client('dynamodb'); os._exit(0)"

ENV = ENVIRONMENT | {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
"""The environment of every process. It has nothing of the shell's."""

TOKEN_ENDPOINT = "https://api.example.com/v2/oauth2/token"  # a URL, where `request` calls
PROCESS_SECONDS = 60
"""The deadline of one process. None takes two seconds."""

Command = Sequence[str]


@dataclass(frozen=True, slots=True)
class Variant:
    """A process to measure.

    With `posts` it ends with its first POST to the endpoint. Otherwise it ends by itself, after its
    handler has answered with a status (0 for none).
    """

    arguments: Command
    env: Mapping[str, str]
    posts: bool = False
    status: int = 0

    def cpu(self) -> float:
        """CPU milliseconds of one process."""
        process = subprocess.Popen(
            [PYTHON, *self.arguments],
            env=dict(self.env),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        stuck = threading.Timer(PROCESS_SECONDS, process.kill)
        stuck.start()
        Answers.posted = process.kill if self.posts else None
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        stuck.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        answered = json.loads(said)["statusCode"] if self.status and said else 0
        if (process.returncode, answered) != (-signal.SIGKILL if self.posts else 0, self.status):
            raise RuntimeError(f"{self.arguments[:2]}: exit {process.returncode}: {said[-2000:]}")
        return float(usage.ru_utime + usage.ru_stime) * 1000


class Answers(BaseHTTPRequestHandler):
    """AWS, by moto, and the endpoint.

    A signed request goes to the service that it is signed for. An unsigned one is a delivery to the
    endpoint, whose first byte has arrived, so `posted` is called.
    """

    posted: ClassVar[Callable[[], None] | None] = None
    recorded: ClassVar[dict[str, tuple[int, str, str]]] = {}
    """What AWS answered, for `bench.player`."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """One call."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        signed = re.search(r"/([a-z]+)/aws4_request", self.headers.get("Authorization", ""))
        if not signed:
            self.close_connection = True
            if Answers.posted:
                Answers.posted()
            return
        url = f"https://{signed[1]}.us-east-1.amazonaws.com{self.path}"
        headers = {name: self.headers[name] for name in self.headers if name != "Host"}
        answer = requests.request(
            self.command, url, data=body, headers=headers, timeout=PROCESS_SECONDS
        )
        kind = answer.headers.get("Content-Type", "application/json")
        for key in keys_of(self.command, self.path, self.headers.get("X-Amz-Target", ""), body):
            content = base64.b64encode(answer.content).decode()
            Answers.recorded[key] = (answer.status_code, kind, content)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
        self.wfile.flush()

    do_GET = do_PUT = do_DELETE = do_POST  # Lambda's control plane uses them all.

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class Server(ThreadingHTTPServer):
    """Keeps as many connections waiting as a function opens at once."""

    request_queue_size = 128


@contextlib.contextmanager
def serving(authority: trustme.CA) -> Iterator[str]:
    """The URL of `Answers` over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(("127.0.0.1", 0), Answers)
    server.socket = context.wrap_socket(
        server.socket,
        server_side=True,
        do_handshake_on_connect=False,  # but in each connection's own thread
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def floor(folder: Path) -> Variant:
    """The unit: unmodified packages of this environment, compiled for the functions' Python."""
    installed = Path(boto3.__file__).parents[1]
    for name in FLOOR_PACKAGES:
        copy = shutil.copy2 if name.endswith(".py") else shutil.copytree
        copy(installed / name, folder / name)
    subprocess.run([PYTHON, "-m", "compileall", "-q", "-j", "0", folder], check=True)
    return Variant(["-c", FLOOR], ENV | {"PYTHONPATH": str(folder)})


def function(name: str, env: Mapping[str, str], event: Any = None, **options: Any) -> Variant:
    """The cold start of a built function, and its first invocation when there is an event."""
    arguments = [str(ROOT / "bench/first.py"), str(BUILT / name), str(CORE)]
    return Variant(arguments + ([] if event is None else [json.dumps(event)]), env, **options)


def batch(connector: str) -> dict[str, Any]:
    """One message, as SQS hands it over."""
    now = str(int(time.time() * 1000))
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": now,
        "ApproximateFirstReceiveTimestamp": now,
    }
    record = {
        "messageId": "1",
        "receiptHandle": "handle",
        "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:queue",
        "body": Message(connector, 1, "d6e1b8t0h3q2v7k4m9ng", 0, BODY).to_text(),
        "attributes": attributes,
    }
    return {"Records": [record]}


def assertion(account: Mapping[str, str]) -> str:
    """What the vendor's SDK exchanges for a token, as a form."""
    now = int(time.time())
    claims = {"iat": now, "exp": now + 3600, "aud": TOKEN_ENDPOINT, "iss": account["email"]}
    signed = jwt.encode(claims, account["secret"], "HS256", headers={"kid": account["keyId"]})
    grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
    return f"assertion={signed}&grant_type={grant}"


def found_project() -> tuple[str, dict[str, str]]:
    """A new project and the service account of its administrator."""
    admin = importlib.import_module("functions.admin.app")
    founded = admin.lambda_handler({"displayName": "", "tokenEndpoint": ""}, LambdaContext())
    return founded["project"], founded["serviceAccount"]


def basic(account: Mapping[str, str]) -> str:
    """The Authorization header of a service account."""
    pair = base64.b64encode(f"{account['keyId']}:{account['secret']}".encode()).decode()
    return f"Basic {pair}"


def environment(url: str, folder: Path) -> dict[str, str]:
    """A function's environment variables, with AWS at `url`.

    `ca.pem` in `folder` is the certificate of its authority. The file also gets the authorities of
    AWS, as the functions have them, because they take time and memory, too.
    """
    trusted = (CORE / "dataconnectors/authorities/aws.pem").read_bytes()
    (folder / "aws.pem").write_bytes(trusted + (folder / "ca.pem").read_bytes())
    return ENV | {
        "AWS_ENDPOINT_URL": url,
        "AWS_CA_BUNDLE": str(folder / "aws.pem"),
        "TRUSTED_AUTHORITIES_FILE": str(folder / "ca.pem"),
    }


def variants(url: str, folder: Path) -> dict[str, Variant]:
    """All variants to measure, over a stack with a project and two connectors."""
    make_table()
    make_key()
    make_sender()
    make_dead_letter_queue()
    project, account = found_project()
    store = ConnectorStore(Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"]))
    vault = Vault(boto3.client("kms"), os.environ["KMS_KEY_ARN"])
    queue = boto3.client("sqs").create_queue(QueueName="dc-test-c-queue")["QueueUrl"]
    names = {}
    for name, sealed in (("plain", False), ("signed", True)):
        connector = a_connector(url=f"{url}/", project=project, id=name, queue_url=queue)
        names[name] = connector.name
        ciphertext = vault.seal(SECRETS.to_bytes(), connector.name) if sealed else None
        store.create_connector(replace(connector, sealed=ciphertext))

    env = environment(url, folder) | {"REQUEST_LIMIT": "25"}
    path = f"/v2/projects/{project}/dataconnectors"
    listing = request("GET", path, headers={"authorization": basic(account)})
    exchange = request("POST", "/v2/oauth2/token", assertion(account))
    event = {
        "eventId": "e1",
        "targetName": f"projects/{project}/devices/d1",
        "eventType": "touch",
        "data": {"touch": {"updateTime": "2026-01-01T00:00:00Z"}},
        "timestamp": times.to_text(time.time()),
    }
    publishing = request(
        "POST",
        f"/v2/projects/{project}/events",
        {"events": [event]},
        headers={"authorization": basic(account)},
    )
    return {
        "floor": floor(folder / "floor"),
        "sender, plain": function("SenderFunction", env, batch(names["plain"]), posts=True),
        "sender, signed": function("SenderFunction", env, batch(names["signed"]), posts=True),
        "ingest": function("IngestFunction", env),
        "ingest, event": function("IngestFunction", env, publishing, status=200),
        "API": function("ConfigApiFunction", env),
        "API, list": function("ConfigApiFunction", env, listing, status=200),
        "API, token": function("ConfigApiFunction", env, exchange, status=200),
    }


def measure() -> list[Figure]:
    """Build the stack in memory, run the variants in turns, and compare them."""
    memory = template()["Resources"]["ConfigApiFunction"]["Properties"]["MemorySize"]
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as name, mock_aws(), serving(authority) as url:
        folder = Path(name)
        (folder / "floor").mkdir()
        (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
        measured = variants(url, folder)
        for variant in measured.values():
            variant.cpu()  # once, so that the files are in the disk's cache
        order = list(measured)
        rounds = []
        for _ in range(ROUNDS):
            random.shuffle(order)
            rounds.append({name: measured[name].cpu() for name in order})

    def figure(name: str, variant: str, budget: float) -> Figure:
        ratios = [each[variant] / each["floor"] for each in rounds]
        return Figure(f"{name} / floor", ratios, budget)

    def first(name: str) -> Figure:
        milliseconds = [each[name] * WHOLE_CPU_MEMORY / float(memory) for each in rounds]
        return Figure(
            f"{name}, the first, at {memory} MB", milliseconds, FIRST_REQUEST_BUDGET, "ms"
        )

    return [
        Figure(
            "floor: boto3 with two clients, CPU", [each["floor"] for each in rounds], None, "ms"
        ),
        figure("sender to its first POST", "sender, plain", SENDER_BUDGET),
        figure("sender to its first signed POST", "sender, signed", SENDER_BUDGET),
        figure("ingest until ready", "ingest", INGEST_BUDGET),
        figure("ingest with its first event", "ingest, event", INGEST_EVENT_BUDGET),
        figure("API until ready", "API", API_BUDGET),
        first("API, list"),
        first("API, token"),
    ]
