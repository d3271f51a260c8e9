"""Measures the CPU time of built functions per event, request or row, once they are warm.

    python -m bench handlers        after `make build`

The unit of each is its own calls of AWS, made bare: another process of the functions' Python makes
the same calls with boto3's clients, with their defaults, one after another. moto answers each call
once, and a process of its own repeats its answers over TLS. Both take turns, and the median of the
rounds' ratios counts.
"""

import contextlib
import importlib
import json
import os
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import boto3
import trustme
from moto import mock_aws

from bench.child import line_of
from bench.cold_start import (
    BUILT,
    CORE,
    PROCESS_SECONDS,
    PYTHON,
    ROOT,
    Answers,
    basic,
    environment,
    floor,
    found_project,
    serving,
)
from bench.report import Figure
from dataconnectors.kernel import times
from dataconnectors.store import keys
from tests.support import moto_mappings
from tests.support.aws import make_dead_letter_queue, make_key, make_sender, make_table
from tests.support.http_api import LambdaContext, content, request

ROUNDS = 9
CPU_SECONDS = 0.15
"""Of a function in one round: enough to measure, and short enough for many turns."""

NO_LIMIT = "0"
"""As deployed, an account may make fewer requests a second than this makes."""

TRIES = 3

CONNECTORS = (1, 3, 10)
EVENTS = (1, 100)
DEVICES = 100
"""Of the project that is synced and whose labels change."""

BUDGETS = {
    "ingest": 1.60,
    "API": 2.00,
    "labels": 2.50,
    "sync": 2.50,
    "reconciler": 1.50,
}
"""Multiples of the calls made bare. Where one call of AWS has many events, their own work shows."""


class Load(NamedTuple):
    """An invocation to measure, with so many `units` in it."""

    name: str
    function: str
    event: dict[str, Any]
    unit: str
    units: int
    budget: float
    is_request: bool = True
    before: dict[str, Any] | None = None
    """Another invocation, which comes before the one that is recorded."""


class Worker:
    """A process of bench/worker.py. Ends with its `with` block."""

    def __init__(self, env: Mapping[str, str], *arguments: Path | str) -> None:
        self._process = subprocess.Popen(
            [PYTHON, ROOT / "bench/worker.py", *arguments],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._stuck = threading.Timer(PROCESS_SECONDS * ROUNDS, self._process.kill)
        self._stuck.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stuck.cancel()
        self._process.communicate()

    def do(self, times: int, **line: Any) -> dict[str, Any]:
        """Work so many times."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(line | {"times": times}) + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError(f"a worker ended: {self._process.wait()}")
        answer: dict[str, Any] = json.loads(said)
        return answer


class Project:
    """A project with an administrator, made by the functions' own code."""

    def __init__(self) -> None:
        self.id, account = found_project()
        self._headers = {"authorization": basic(account)}
        self._api = importlib.import_module("functions.config_api.app")
        self._ingest = importlib.import_module("functions.ingest.app")

    def request(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A request of this project's administrator."""
        return request(method, f"/v2/projects/{self.id}{path}", body, headers=self._headers)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request here and now."""
        app = self._ingest if path == "/events" else self._api
        answer = app.lambda_handler(self.request(method, path, body), LambdaContext())
        if answer["statusCode"] != 200:
            raise RuntimeError(f"{method} {path}: {answer}")
        return content(answer)

    def connect(self, count: int) -> str:
        """Make connectors; the path of the last."""
        body = {"httpConfig": {"url": "https://example.com/hook"}, "labels": ["name", "room"]}
        made = [
            self.call("POST", "/dataconnectors", body | {"displayName": str(number)})
            for number in range(count)
        ]
        return str(made[-1]["name"]).removeprefix(f"projects/{self.id}")

    def publishing(self, devices: list[str]) -> dict[str, Any]:
        """The request that publishes an event of each device."""
        now = times.to_text(time.time())
        events = [
            {
                "eventId": f"e{number}",
                "targetName": f"projects/{self.id}/devices/{device}",
                "eventType": "temperature",
                "data": {"temperature": {"value": 21.5, "updateTime": now}},
                "timestamp": now,
            }
            for number, device in enumerate(devices)
        ]
        return self.request("POST", "/events", {"events": events})

    def devices(self, count: int) -> list[str]:
        """Make devices with labels; their ids."""
        body = {"type": "temperature", "labels": {"name": "Fridge", "room": "1"}}
        made = [self.call("POST", "/devices", body)["name"] for _ in range(count)]
        return [name.rpartition("/")[2] for name in made]

    def change_labels(self, devices: list[str]) -> list[dict[str, Any]]:
        """The stream's records of changed labels, as Lambda's poller passes them on."""
        before = [self._row(device) for device in devices]
        names = [f"projects/{self.id}/devices/{device}" for device in devices]
        self.call("POST", "/devices:batchUpdate", {"devices": names, "addLabels": {"room": "2"}})
        return [
            {
                "eventID": f"{number:032x}",
                "eventName": "MODIFY",
                "dynamodb": {
                    "OldImage": old,
                    "NewImage": self._row(device),
                    "SequenceNumber": str(1000 + number),
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            }
            for number, (device, old) in enumerate(zip(devices, before, strict=True))
        ]

    def _row(self, device: str) -> dict[str, Any]:
        key = keys.device_key(self.id, device)
        dynamodb = boto3.client("dynamodb")
        return dict(dynamodb.get_item(TableName=os.environ["TABLE_NAME"], Key=key)["Item"])


def loads() -> Iterator[Load]:
    """Make what the invocations need, and the invocations."""
    for connectors in CONNECTORS:
        project = Project()
        path = project.connect(connectors)
        for events in EVENTS:
            name = f"ingest, {events} events to {connectors} connectors"
            event = project.publishing([f"d{number}" for number in range(events)])
            yield Load(name, "Ingest", event, "event", events, BUDGETS["ingest"])
    for name, method, place, body in (
        ("get", "GET", path, None),
        ("list of 10", "GET", "/dataconnectors", None),
        ("patch", "PATCH", path, {"displayName": "changed"}),
    ):
        event = project.request(method, place, body)
        before = project.request(method, place, body and {"displayName": "another"})
        yield Load(f"API, {name}", "ConfigApi", event, "request", 1, BUDGETS["API"], before=before)

    project = Project()
    path = project.connect(1)
    devices = project.devices(DEVICES)
    importlib.import_module("functions.ingest.app").lambda_handler(
        project.publishing(devices), LambdaContext()
    )
    changes = {"Records": project.change_labels(devices)}
    yield Load("labels", "Labels", changes, "change", DEVICES, BUDGETS["labels"], is_request=False)
    event = {"connector": f"projects/{project.id}{path}"}
    yield Load("sync", "Sync", event, "device", DEVICES, BUDGETS["sync"], is_request=False)
    connectors = sum(CONNECTORS) + 1
    yield Load(
        "reconciler's drift check",
        "Reconciler",
        {"audit": True},
        "connector",
        connectors,
        BUDGETS["reconciler"],
        is_request=False,
    )


def check(load: Load, answer: Any) -> None:
    """Raise when an invocation did not succeed."""
    if load.is_request and answer["statusCode"] != 200:
        raise RuntimeError(f"{load.name}: {answer}")


def calls_of(load: Load, env: Mapping[str, str], invocations: int) -> str:
    """The calls that a warm invocation makes, as `Worker` takes them."""
    with Worker(env, "record", BUILT / f"{load.function}Function", CORE) as recording:
        for _ in range(invocations - 1):
            recording.do(1, event=load.before or load.event)
        found = recording.do(1, event=load.event)
    check(load, found["answer"])
    return str(found["calls"])


class Measured:
    """An invocation, and the same calls of AWS made bare."""

    def __init__(self, load: Load, calls: str, bare: Worker, own: Worker) -> None:
        self.load = load
        self._bare, self._own, self._calls = bare, own, calls
        once = min(self._own.do(1, event=load.event)["cpu"] for _ in range(3))
        self._times = max(1, round(CPU_SECONDS / once))
        self._bare.do(2, calls=self._calls)
        self.rounds: list[tuple[float, float]] = []

    def measure(self) -> None:
        """One round."""
        own = self._own.do(self._times, event=self.load.event)
        check(self.load, own["answer"])
        bare = self._bare.do(self._times, calls=self._calls)
        self.rounds.append((own["cpu"] / self._times, bare["cpu"] / self._times))

    def figures(self) -> Iterator[Figure]:
        """The ratio, and milliseconds for one unit."""
        name, unit = self.load.name, self.load.unit
        each = [own / self.load.units * 1e3 for own, _ in self.rounds]
        ratios = [own / bare for own, bare in self.rounds]
        yield Figure(f"{name}: CPU / its AWS calls bare", ratios, self.load.budget)
        yield Figure(f"{name}: CPU per {unit}", each, None, "ms")


@contextlib.contextmanager
def playing(folder: Path, authority: trustme.CA) -> Iterator[str]:
    """The URL of an AWS that repeats what was recorded."""
    certificate, answers = folder / "player.pem", folder / "answers.json"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    answers.write_text(json.dumps(Answers.recorded))
    with line_of("bench.player", str(certificate), str(answers)) as port:
        yield f"https://127.0.0.1:{port}"


def record_answers(folder: Path, authority: trustme.CA) -> list[Load]:
    """The invocations. What moto answers them is recorded."""
    Answers.recorded.clear()
    with mock_aws(), moto_mappings.ignored_by_queues(), serving(authority) as url:
        for make in (make_table, make_key, make_sender, make_dead_letter_queue):
            make()
        env = environment(url, folder) | {"REQUEST_LIMIT": NO_LIMIT}
        made = []
        for load in loads():
            made.append(load)
            # moto is slow and the function's deadlines are AWS's, so an invocation may fail here.
            with contextlib.suppress(RuntimeError):
                calls_of(load, env, TRIES)
        return made


def measure() -> list[Figure]:
    """Record what the invocations call, and measure them in turns."""
    moto_mappings.install()
    authority = trustme.CA()
    with contextlib.ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        (folder / "floor").mkdir()
        (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
        unit = floor(folder / "floor")
        made = record_answers(folder, authority)
        url = ends.enter_context(playing(folder, authority))
        env = environment(url, folder) | {"REQUEST_LIMIT": NO_LIMIT}
        bare = ends.enter_context(Worker(env, "bare", unit.env["PYTHONPATH"]))
        own = {
            name: ends.enter_context(Worker(env, "run", BUILT / f"{name}Function", CORE))
            for name in sorted({load.function for load in made})
        }
        measured = [
            Measured(load, calls_of(load, env, 2), bare, own[load.function]) for load in made
        ]
        for _ in range(ROUNDS):
            for each in random.sample(measured, len(measured)):
                each.measure()
    return [figure for each in measured for figure in each.figures()]
