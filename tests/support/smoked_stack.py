"""A stack as a smoke test sees it, over the API and over AWS, with faults of its own."""

import base64
import hashlib
import json
import re
import time
from datetime import UTC, datetime
from typing import Any

import jwt
from botocore.exceptions import ClientError

from local.server import Answer, LoopbackServer, Request, json_answer
from ops.smoke.report import Report
from ops.smoke.run import Run
from ops.smoke.target import Target
from ops.smoke.timer import Timer

SENDER = "arn:aws:lambda:eu-north-1:123456789012:function:dc-sender:live"
WAITS = (0.0, 8.5, 25.0)
"""Seconds from an event's first attempt to each of its attempts."""


class SmokedStack:
    """A fake of a stack and of AWS, in virtual time. `faults` names what is wrong with it.

    `exists` are the paths of what a run has made and not deleted.
    """

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

    @property
    def target(self) -> Target:
        """This stack, deployed on AWS."""
        return Target("dc", self, self.api, f"{self.api}/oauth2/token", is_local=False)

    def timer(self) -> Timer:
        """The time of a run that begins now."""
        return Timer(lambda: self.now, self.sleep)

    def smoke(self, *faults: str, receiver: str = "") -> tuple[int, str]:
        """Make a run with these faults; its exit status, and its report."""
        self.faults = set(faults)
        lines: list[str] = []
        code = Run(self.target, receiver, Report(lines.append), self.timer()).run()
        return code, "\n".join(lines)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    # --- AWS: each client is this object ---------------------------------------------------------

    def client(self, _service: str) -> "SmokedStack":
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
        is_usual = action == "dynamodb:PutItem" and "nothing is allowed" not in self.faults
        is_allowed = is_usual or action in self.faults
        return {"EvaluationResults": [{"EvalDecision": "allowed" if is_allowed else "denied"}]}

    def describe_alarms(self, **given: Any) -> Any:
        names = given["AlarmNames"][1:] if "alarms" in self.faults else given["AlarmNames"]
        alarm = {
            "StateValue": "ALARM" if "ringing" in self.faults else "OK",
            "AlarmActions": [] if "no topic" in self.faults else ["topic"],
        }
        return {"MetricAlarms": [{"AlarmName": each} | alarm for each in names]}

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
        warm = "REPORT Duration: 12.50 ms Memory"
        cold = "REPORT Init Duration: 312.50 ms Memory"
        return {"events": [{"message": warm if "warm" in self.faults else cold}]}

    # --- the API -------------------------------------------------------------------------------

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v2"

    def respond(self, request: Request) -> Answer:
        path = request.target.removeprefix("/v2")
        if path == "/oauth2/token":
            return json_answer(200, {"access_token": "t", "expires_in": 3600})
        if path == "/oidc/token":
            nobody_signs_in = "no sign-in" in self.faults
            return json_answer(
                404 if nobody_signs_in else 200 if "forged" in self.faults else 401, {}
            )
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
                kept = [
                    each for each in self.exists if re.search("/(dataconnector|device)s/", each)
                ]
                if gone == "/projects/p" and kept:
                    return json_answer(400, {"error": f"projects/p has {kept}"})
                self.exists.discard(gone)
                return json_answer(200, {})
            case "GET", "/organizations/default":
                return json_answer(200 if "first" in self.faults else 403, {})
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
                is_shown = path in self.exists or "shown when deleted" in self.faults
                return json_answer(200 if is_shown else 404, {})
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
        is_refused = "refused" in self.faults
        return {
            "time": datetime.fromtimestamp(self._epoch + at, UTC).isoformat(),
            "eventId": "" if is_refused else event_id,
            "problem": "the event is of another project" if is_refused else "",
            "isSignatureValid": not is_refused,
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
    def __init__(self, stack: SmokedStack, operation: str) -> None:
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
