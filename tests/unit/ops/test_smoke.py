"""`make smoke` says what is wrong with a stack, and cleans up whatever happens."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError

from client.api import Api
from local.server import Answer, LoopbackServer, Request, json_answer
from ops.smoke import OUT_OF_REACH, UNTESTED, Smoke, Target, main

ROOT = Path(__file__).parents[3]
SENDER = "arn:aws:lambda:eu-north-1:123456789012:function:dc-sender:live"
WAITS = (0.0, 8.5, 25.0)


class Stack:
    """A fake of a stack and of AWS, in virtual time. `faults` names what is wrong with it."""

    region_name = "eu-north-1"

    def __init__(self) -> None:
        self.faults: set[str] = set()
        self.now = 0.0
        self.answer = "200"
        self.secret = ""
        self.status = "ACTIVE"
        self.exists: set[str] = set()
        self.published: list[tuple[str, float]] = []
        self._epoch = time.time()
        self.server = LoopbackServer("127.0.0.1", 0, self.respond, body_limit=100_000)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    # --- AWS: each client is this object ---------------------------------------------------------

    def client(self, _service: str) -> "Stack":
        return self

    def describe_stacks(self, **_: str) -> Any:
        found = {
            "AdminFunctionName": "dc-admin",
            "ApiUrl": self.api,
            "TokenEndpoint": f"{self.api}/oauth2/token",
            "SenderAliasArn": SENDER,
            "TableName": "t",
            "SecretsKeyArn": "arn:aws:kms:eu-north-1:123456789012:key/k",
        }
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in found.items()]
        return {"Stacks": [{"Outputs": listed}]}

    def invoke(self, **_: Any) -> Any:
        self.exists.add("/projects/p")
        account = {"keyId": "k", "secret": "s" * 32, "email": "a@b", "algorithm": "HS256"}
        made = {"project": "p", "serviceAccount": account}
        return {"Payload": _Payload(json.dumps(made))}

    def get_paginator(self, operation: str) -> Any:
        return _Pages(self, operation)

    def get_event_source_mapping(self, **_: str) -> Any:
        is_late = "mapping" in self.faults or self.now < 3
        if is_late:
            return {"State": "Creating"}
        return {"State": "Enabled"}

    def simulate_principal_policy(self, **given: Any) -> Any:
        (action,) = given["ActionNames"]
        is_allowed = action == "dynamodb:PutItem" or action in self.faults
        return {"EvaluationResults": [{"EvalDecision": "allowed" if is_allowed else "denied"}]}

    def describe_alarms(self, **given: Any) -> Any:
        names = given["AlarmNames"][1:] if "alarms" in self.faults else given["AlarmNames"]
        return {
            "MetricAlarms": [
                {"AlarmName": each, "StateValue": "OK", "AlarmActions": ["topic"]} for each in names
            ]
        }

    def get_topic_attributes(self, **_: str) -> Any:
        if "foreign topic" in self.faults:
            denied: Any = {"Error": {"Code": "AuthorizationError", "Message": "not authorized"}}
            raise ClientError(denied, "GetTopicAttributes")
        return {"Attributes": {"SubscriptionsConfirmed": "0" if "topic" in self.faults else "1"}}

    def get_function_concurrency(self, *, FunctionName: str) -> Any:
        if "stopped" in self.faults and FunctionName == "dc-SenderFunction":
            return {"ReservedConcurrentExecutions": 0}
        return {"ReservedConcurrentExecutions": 5} if FunctionName == "dc-IngestFunction" else {}

    def filter_log_events(self, **_: Any) -> Any:
        return {"events": [{"message": "REPORT Init Duration: 312.50 ms Memory"}]}

    # --- the API -------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v2"

    def respond(self, request: Request) -> Answer:
        path = request.target.removeprefix("/v2")
        if path == "/oauth2/token":
            return json_answer(200, {"access_token": "t", "expires_in": 3600})
        if path == "/oidc/token":
            return json_answer(200 if "forged" in self.faults else 401, {})
        authorization = request.headers.get("Authorization", "")
        if not authorization.startswith("Bearer"):
            key = base64.b64decode(authorization.removeprefix("Basic ") or "").decode()
            is_open = "open" in self.faults
            return json_answer(200 if is_open else 404 if key.startswith("s1:") else 401, {})
        value = json.loads(request.body or b"null")
        return self._serve(request.method, path, value)

    def _serve(self, method: str, path: str, value: Any) -> Answer:
        match method, path.partition("?")[0]:
            case "DELETE", gone:
                if f"stays {gone}" in self.faults:
                    return json_answer(503, {"error": "busy"})
                self.exists.discard(gone)
                return json_answer(200, {})
            case "GET", "/organizations/default":
                return json_answer(403, {})
            case "GET", "/projects/p":
                return json_answer(200, {"name": "projects/p"})
            case "POST", "/projects/p/serviceaccounts":
                return json_answer(200, {"name": "projects/p/serviceaccounts/s1"})
            case "POST", "/projects/p/serviceaccounts/s1/keys":
                return json_answer(200, {"key": {"id": "s1"}, "secret": "x"})
            case "POST", "/projects/p/tryouts":
                if "no try-out" in self.faults:
                    return json_answer(404, {"error": "TryOut=false"})
                self.exists.add("/projects/p/tryouts/t")
                made = {"name": "projects/p/tryouts/t", "url": "https://h/try/p.t"}
                return json_answer(200, made)
            case "PATCH", "/projects/p/tryouts/t":
                self.answer = value["answer"]
                return json_answer(200, {})
            case "GET", "/projects/p/tryouts/t":
                return json_answer(200, {"deliveries": self._deliveries()})
            case "POST", "/projects/p/dataconnectors":
                self.exists.add("/projects/p/dataconnectors/c")
                if "queue not ready" in self.faults:
                    return json_answer(503, {"error": "its queue is not ready yet"})
                self.secret = value["httpConfig"]["signatureSecret"]
                made = {"name": "projects/p/dataconnectors/c", "status": "ACTIVE"}
                return json_answer(200, made | {"httpConfig": value["httpConfig"]})
            case "GET", "/projects/p/dataconnectors":
                name = "/projects/p/dataconnectors/c"
                listed = [{"name": name[1:]}] if name in self.exists else []
                return json_answer(200, {"dataConnectors": listed})
            case "PATCH", "/projects/p/dataconnectors/c":
                self.status = value["status"]
                return json_answer(200, {})
            case "GET", "/projects/p/dataconnectors/c":
                return json_answer(200 if path in self.exists else 404, {})
            case "GET", "/projects/p/dataconnectors/c:health":
                last = {"message": "example.com answered 503"}
                return json_answer(200, {"state": "FAILING", "lastError": last})
            case "GET", "/projects/p/dataconnectors/c/attempts":
                attempt = {"attempt": 1, "status": 200, "message": "", "durations": {"queue": 12.0}}
                is_known = path.partition("=")[2] in dict(self.published)
                return json_answer(200, {"attempts": [attempt] if is_known else []})
            case "POST", "/projects/p/devices":
                self.exists.add("/projects/p/devices/d")
                return json_answer(200, {"name": "projects/p/devices/d"})
            case "POST", "/projects/p/events":
                if self.status == "ACTIVE" or "disabled gets events" in self.faults:
                    self.published.append((value["events"][0]["eventId"], self.now))
                return json_answer(200, {"accepted": 1})
        return json_answer(200, {})

    def _deliveries(self) -> list[Any]:
        if "nothing arrives" in self.faults:
            return []
        found = []
        for number, (event_id, at) in enumerate(self.published):
            is_failing = number == 1  # the one that is published while the endpoint answers 500
            waits: tuple[float, ...] = WAITS if is_failing else WAITS[:1]
            if "waits" in self.faults:
                waits = tuple(wait / 2 for wait in waits)
            for attempt, wait in enumerate(waits):
                if at + wait <= self.now:
                    status = 500 if is_failing and attempt < 2 else 200
                    found.append((at + wait, self._delivery(event_id, at + wait, status)))
        return [delivery for _, delivery in sorted(found, key=lambda each: each[0], reverse=True)]

    def _delivery(self, event_id: str, at: float, status: int) -> Any:
        body = json.dumps({"event": {"eventId": event_id}, "labels": {}})
        checksum = hashlib.sha1(body.encode(), usedforsecurity=False).hexdigest()
        secret = "another secret of thirty-two bytes" if "secret" in self.faults else self.secret
        token = jwt.encode({"checksum": checksum}, secret, "HS256")
        return {
            "time": datetime.fromtimestamp(self._epoch + at, UTC).isoformat(),
            "eventId": event_id,
            "problem": "",
            "isSignatureValid": True,
            "answered": status,
            "headers": {"x-dt-signature": token},
            "body": body,
        }


class _Payload:
    def __init__(self, text: str) -> None:
        self._text = text

    def read(self) -> bytes:
        return self._text.encode()


class _Pages:
    def __init__(self, stack: Stack, operation: str) -> None:
        self._stack = stack
        self._operation = operation

    def paginate(self, **_: str) -> list[Any]:
        if self._operation == "list_event_source_mappings":
            made = "/projects/p/dataconnectors/c" in self._stack.exists
            return [{"EventSourceMappings": [{"UUID": "m"}] if made else []}]
        kinds = {
            "AWS::CloudWatch::Alarm": ("Alarm1", "Alarm2"),
            "AWS::IAM::Role": tuple(
                f"{name}FunctionRole"
                for name in ("Sender", "Ingest", "ConfigApi", "Reconciler", "Admin")
            ),
            "AWS::Lambda::Function": ("SenderFunction", "IngestFunction"),
            "AWS::Logs::LogGroup": ("SenderLogGroup",),
        }
        return [
            {
                "StackResourceSummaries": [
                    {
                        "LogicalResourceId": name,
                        "PhysicalResourceId": f"dc-{name}",
                        "ResourceType": kind,
                    }
                    for kind, names in kinds.items()
                    for name in names
                ]
            }
        ]


@pytest.fixture
def stack() -> Iterator[Stack]:
    stack = Stack()
    stack.server.start()
    yield stack
    stack.server.stop()


Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(stack: Stack) -> Run:
    def run(*faults: str, receiver: str = "") -> tuple[int, str]:
        stack.faults = set(faults)
        lines: list[str] = []
        target = Target("dc", stack, stack.api, f"{stack.api}/oauth2/token", None)
        smoke = Smoke(target, receiver, lines.append, clock=lambda: stack.now, sleep=stack.sleep)
        return smoke.run(), "\n".join(lines)

    return run


def test_a_stack_that_works_is_proved_to_and_nothing_is_left(stack: Stack, run: Run) -> None:
    code, text = run()
    assert code == 0, text
    assert not re.search("^no ", text, re.MULTILINE)
    assert "8.5 s and 16.5 s" in text
    assert "median 12 ms" in text
    assert "Sender 312 ms" in text
    assert "smoke: dc works" in text
    assert stack.exists == set()


FAULTS = {
    "stopped": "no            its functions may run: SenderFunction has a reserved concurrency of",
    "open": "no            the API refuses who may not read: nobody 200",
    "forged": "no            API Gateway refuses a forged id token: answered 200",
    "sqs:DeleteQueue": "no            IAM denies what it should: ConfigApiFunctionRole may sqs:Del",
    "alarms": "no            its alarms exist: 1",
    "topic": "no            somebody hears of alarms: topic",
    "queue not ready": "no            the run: POST http",
    "mapping": "no            the connector's mapping is enabled: after 60 s: Creating",
    "nothing arrives": "its state is FAILING, its last error: example.com answered 503",
    "secret": "no            it is signed with the connector's secret: signature: Signature verif",
    "waits": "no            after a 500 it comes again after 8 and 16 s: 4.2 s and 8.2 s",
    "disabled gets events": "no            a disabled connector gets nothing",
    "stays /projects/p/dataconnectors/c": "no            the run: DELETE http",
}


@pytest.mark.parametrize(("fault", "line"), FAULTS.items(), ids=FAULTS)
def test_what_is_wrong_is_said_and_the_rest_is_cleaned_up(
    stack: Stack, run: Run, fault: str, line: str
) -> None:
    code, text = run(fault)
    assert code == 1, text
    assert line in text
    assert "smoke: dc FAILED" in text
    stays = fault.removeprefix("stays ")
    assert stack.exists == ({stays} if fault.startswith("stays") else set())


def test_what_cannot_be_cleaned_up_is_named(run: Run) -> None:
    code, text = run("stays /projects/p/devices/d")
    assert code == 1
    assert "no            everything is cleaned up: left: the device (DELETE http" in text


def test_a_topic_that_it_may_not_look_at_is_not_a_fault_of_the_stack(run: Run) -> None:
    code, text = run("foreign topic")
    assert code == 0, text
    assert "not reachable somebody hears of alarms: An error occurred (AuthorizationError)" in text


def test_without_an_endpoint_to_try_it_says_what_is_left_out_and_how_to_go_on(run: Run) -> None:
    code, text = run("no try-out")
    assert code == 2, text
    assert "Deploy it with TryOut=true for a while, or name an endpoint" in text
    assert "without seeing an event" in text


def test_a_receiver_of_ones_own_takes_its_place(stack: Stack, run: Run) -> None:
    code, text = run("no try-out", receiver="https://example.com/hook")
    assert code == 0, text
    assert "yes           an event arrives at the endpoint: answered 200" in text
    assert "not reachable it is signed with the connector's secret" in text
    assert stack.exists == set()


def test_an_interrupted_run_cleans_up(
    stack: Stack, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Api, *call: Any) -> Any:
        if call[:2] == ("POST", "/projects/p/events"):
            raise KeyboardInterrupt
        return expect(_, *call)

    expect = Api.expect
    monkeypatch.setattr(Api, "expect", interrupted)
    code, text = run()
    assert (code, stack.exists) == (1, set())
    assert "no            the run: interrupted" in text


def test_the_list_of_what_has_not_been_tested_is_that_of_the_documentation() -> None:
    listed = (ROOT / "docs/operations.md").read_text().partition("## What has not been tested")[2]
    assert re.findall(r"^- (.+?)[;.]$", listed, re.MULTILINE) == list(UNTESTED.values())
    assert OUT_OF_REACH.keys() < UNTESTED.keys()


def test_a_local_stack_that_does_not_run_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--stack", "local", "--state-dir", str(tmp_path)]) == 1
    assert "start `make run`, or name its directory" in capsys.readouterr().err
