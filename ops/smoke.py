"""Proves in minutes that a stack works, with a project of its own that it deletes at the end.

    python -m ops.smoke --stack NAME [--region REGION] [--receiver URL]
    python -m ops.smoke --stack local [--state-dir DIRECTORY]

It takes the right to invoke the stack's admin function, and to read what the stack consists of.
`local` is the stack of a running `make run`. Each line of what it prints is a check, with `yes`,
`no` or `not reachable`. It ends with 0 when every check could be made and none is a `no`, with 1
when one is or something could not be cleaned up, and with 2 when events could not be seen to
arrive, because the stack has no endpoint to try connectors with.

It costs less than a cent on AWS: some 100 requests to the API, and a dozen events.
"""

import argparse
import itertools
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import boto3
import jwt
from botocore.exceptions import BotoCoreError, ClientError

from client.api import Api
from client.http import CallError, Http
from client.signature import Rejected, verify
from ops.admin import make_administrator
from ops.aws import explained
from ops.local_stack import LOCAL, LocalAws, running_in
from ops.stacks import StackError, outputs

RUN_S = 240.0
"""Seconds for all checks. Cleaning up takes less than the minute that is left of five."""

ARRIVAL_S = 60.0
"""Seconds until an event arrives. A new mapping takes half a minute on AWS to become enabled."""

POLL_S = 1.0
"""Seconds between two looks. A key may make 25 requests in 5 seconds."""

QUIET_S = 6.0
"""Seconds in which a disabled connector gets nothing."""

WAITS = (8.0, 16.0)
"""Seconds between the first attempts of an event, as the documentation promises."""

EARLY_S, LATE_S = 0.5, 4.0
"""How far a wait may be off: SQS counts whole seconds, and hands a message out a little later."""

WARM_EVENTS = 5
"""Events whose way from the queue to the POST is measured one after the other."""

INIT_WINDOW_S = 900
"""Seconds back in which cold starts of the stack's functions are looked for in their logs."""

SECRET_BYTES = 32

DENIED: Mapping[str, Sequence[tuple[str, str]]] = {
    "SenderFunctionRole": (
        ("sqs:SendMessage", "arn:{partition}:sqs:{region}:{account}:another-queue"),
        ("dynamodb:GetItem", "arn:{partition}:dynamodb:{region}:{account}:table/another"),
        ("logs:CreateLogGroup", "arn:{partition}:logs:{region}:{account}:log-group:another"),
        ("iam:CreateUser", "*"),
    ),
    "IngestFunctionRole": (
        ("sqs:ReceiveMessage", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("dynamodb:DeleteItem", "{table}"),
        ("lambda:CreateEventSourceMapping", "*"),
    ),
    "ConfigApiFunctionRole": (
        ("sqs:DeleteQueue", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("kms:ScheduleKeyDeletion", "{key}"),
        ("iam:PassRole", "*"),
    ),
    "ReconcilerFunctionRole": (
        ("sqs:ReceiveMessage", "arn:{partition}:sqs:{region}:{account}:{stack}-c-x"),
        ("kms:Decrypt", "{key}"),
    ),
    "AdminFunctionRole": (("kms:Decrypt", "{key}"), ("sqs:SendMessage", "*")),
}
"""What the roles of functions must not be allowed, by the role's name in template.yaml."""

ALLOWED = ("AdminFunctionRole", "dynamodb:PutItem", "{table}")
"""Something that a role is allowed: without it, refusals would prove nothing."""

UNTESTED: Mapping[str, str] = {
    "iam": "IAM as AWS itself evaluates it",
    "mappings": "how long mappings take to change their states",
    "cold-starts": "cold starts on Lambda's own machines",
    "alarms": "alarms, and that somebody hears of them",
    "authorizer": "API Gateway's JWT authorizer",
    "providers": "OpenID providers",
    "poller": "how Lambda's poller scales",
    "in-flight": "SQS's in-flight limit",
    "gateway": "API Gateway's own limits",
}
"""What has not been tested, as docs/operations.md lists it."""

OUT_OF_REACH: Mapping[str, str] = {
    "providers": "a person has to sign in",
    "poller": "it takes a load of thousands of events",
    "in-flight": "it takes 120,000 messages in flight",
    "gateway": "it takes thousands of requests a second",
}
"""Why a run of minutes that costs less than a cent cannot test the others."""

Outcome = Literal["yes", "no", "not reachable"]


class SmokeError(Exception):
    """A check has failed, and those after it make no sense. The text is one line."""


class Report:
    """The checks so far. Each is printed as soon as it is made."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.outcomes: list[tuple[str, Outcome]] = []

    def add(self, check: str, outcome: Outcome, details: str = "") -> None:
        """Record a check and what was seen."""
        self.outcomes.append((check, outcome))
        self._say(f"{outcome:<13} {check}{f': {details}' if details else ''}")

    def known(self, check: str) -> Outcome | None:
        """How a check that was made before has ended."""
        return next((outcome for name, outcome in self.outcomes if name == check), None)

    @property
    def has_failed(self) -> bool:
        """Whether a check has ended with `no`."""
        return any(outcome == "no" for _, outcome in self.outcomes)


class Target:
    """A stack to look at: its name, its API, and the calls that lead to AWS or the emulator."""

    def __init__(self, name: str, session: Any, api: str, token: str, ca: Path | None) -> None:
        """`ca` is the authority of a local stack; None on AWS."""
        self.name = name
        self.session = session
        self.api = api
        self.token = token
        self.ca = ca
        self.is_local = ca is not None

    @classmethod
    def on_aws(cls, stack: str, region: str | None) -> "Target":
        """The deployed stack; raises `StackError` when there is none."""
        session: Any = boto3.Session(region_name=region)
        found = outputs(session.client("cloudformation"), stack)
        if found is None:
            raise StackError(f"there is no stack {stack} in {session.region_name}: deploy it first")
        if not {"ApiUrl", "TokenEndpoint"} <= found.keys():
            raise StackError(f"the stack {stack} is not one of Data Connectors")
        return cls(stack, session, found["ApiUrl"], found["TokenEndpoint"], None)

    @classmethod
    def local(cls, state_dir: Path) -> "Target":
        """The stack of the `make run` with this state directory."""
        running = running_in(state_dir)
        aws = LocalAws(running)
        return cls(running["stack"], aws, running["api"], running["token"], Path(running["ca"]))

    def resources(self, kind: str) -> Mapping[str, str]:
        """The physical ids of the stack's resources of a type, by their names in the template."""
        pages = self.session.client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if each["ResourceType"] == kind and each.get("PhysicalResourceId")
        }


class Smoke:
    """One run. `clock` and `sleep` are in seconds."""

    def __init__(
        self,
        target: Target,
        receiver: str,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`receiver` is the URL of an endpoint that answers 200; "" uses the stack's own."""
        self._target = target
        self._receiver = receiver
        self._say = say
        self._clock = clock
        self._sleep = sleep
        self._ends = clock() + RUN_S
        self._secret = secrets.token_urlsafe(SECRET_BYTES)
        self.report = Report(say)
        self._http = Http()
        self._api: Api | None = None
        self._project = ""
        self._try_out: Mapping[str, Any] | None = None
        self._connector = ""
        self._device = ""
        self._published = 0
        self._cleanups: list[tuple[str, Callable[[], object]]] = []

    def run(self) -> int:
        """Make all checks and clean up; the exit status."""
        began = self._clock()
        try:
            self._checks()
        except (SmokeError, CallError, StackError, BotoCoreError, ClientError) as error:
            self.report.add("the run", "no", " ".join(str(error).split()))
        except (LookupError, TypeError, ValueError) as error:
            self.report.add("the run", "no", f"could not make sense of an answer: {error!r}")
        except KeyboardInterrupt:
            self.report.add("the run", "no", "interrupted")
        finally:
            self._clean_up()
        self._untested()
        failed = [check for check, outcome in self.report.outcomes if outcome == "no"]
        seconds = self._clock() - began
        if failed:
            self._say(f"smoke: {self._target.name} FAILED in {seconds:.0f} s: {'; '.join(failed)}")
            return 1
        if self.report.known(ARRIVES) != "yes":
            self._say(f"smoke: {self._target.name} in {seconds:.0f} s, without seeing an event")
            return 2
        self._say(f"smoke: {self._target.name} works ({seconds:.0f} s)")
        return 0

    def _checks(self) -> None:
        if not self._may_run():
            return
        self._account()
        self._who_may_not()
        self._forged_token()
        self._addresses()
        self._iam()
        self._alarms()
        if not self._url:
            return
        mappings = self._mappings()
        self._connect()
        self._mapping_enabled(mappings)
        self._first_event()
        if self._try_out is not None:
            self._retries()
        self._disabled()
        self._deleted()
        self._cold_starts()

    # --- the account and the API ---------------------------------------------------------------

    def _account(self) -> None:
        made = make_administrator(self._target.session, self._target.name, "Smoke test")
        self._project = f"/projects/{made['project']}"
        account = made["serviceAccount"]
        token = self._target.token
        self._api = Api(self._http, self._target.api, token, account)
        self._cleanup("the project", "DELETE", self._project)
        shown = self._call("GET", self._project)
        self.report.add("a project and an account by the admin function", "yes", shown["name"])
        if self._caller.call("GET", "/organizations/default").status == 200:
            self._say(
                "note: the stack had no administrator before, so this run's account administered "
                "the organization, and is deleted: ORGANIZATION=1 makes the next one do so"
            )

    def _who_may_not(self) -> None:
        """Calls that must be refused: without credentials, with a wrong secret, without a role."""
        path = f"{self._project}/dataconnectors"
        http, url = self._http, self._target.api + path
        seen = {
            "nobody": http.call("GET", url).status,
            "a wrong key": http.call("GET", url, auth=("nokey", "no-secret")).status,
        }
        made = self._call("POST", f"{self._project}/serviceaccounts", {"displayName": "No role"})
        account = "/" + made["name"]
        self._call("PATCH", account, {"enableBasicAuth": True})
        key = self._call("POST", f"{account}/keys", {})
        stranger = key["key"]["id"], key["secret"]
        seen["an account without a role"] = http.call("GET", url, auth=stranger).status
        expected = {"nobody": 401, "a wrong key": 401, "an account without a role": 404}
        self._judge("the API refuses who may not read", seen == expected, _listed(seen))

    def _forged_token(self) -> None:
        """API Gateway itself has to refuse the token of a provider that nobody knows."""
        claims = {"iss": "https://forged.example.com", "aud": "forged", "email": "a@example.com"}
        token = jwt.encode(claims, self._secret, "HS256")
        status = self._http.call(
            "POST", f"{self._target.api}/oidc/token", headers={"Authorization": f"Bearer {token}"}
        ).status
        if status == 404:
            self.report.add(AUTHORIZER, "not reachable", "people do not sign in: no OidcIssuer")
            return
        self._judge(AUTHORIZER, status == 401, f"answered {status}")

    def _addresses(self) -> None:
        """Find out where events can go: to the stack's own endpoint, to RECEIVER, or nowhere."""
        if self._receiver:
            self.report.add(TRY_OUT, "not reachable", f"events go to {self._receiver} instead")
            return
        reply = self._caller.call("POST", f"{self._project}/tryouts", {})
        if reply.status == 200:
            self._try_out = reply.json()
            self._cleanup("the address", "DELETE", "/" + reply.json()["name"])
            self.report.add(TRY_OUT, "yes", "it made an address")
            return
        if reply.status != 404:
            raise SmokeError(f"POST tryouts answered {reply.status}: {reply.beginning()}")
        self.report.add(
            TRY_OUT,
            "not reachable",
            "the stack has TryOut=false. Deploy it with TryOut=true for a while, or name an "
            "endpoint that answers 200 with RECEIVER=https://...: until then no event can be seen "
            "to arrive, nor a signature, nor a retry",
        )

    @property
    def _url(self) -> str:
        """Where the connector delivers to, "" for nowhere."""
        return self._receiver or (str(self._try_out["url"]) if self._try_out else "")

    def _connect(self) -> None:
        config = {"url": self._url, "signatureSecret": self._secret, "headers": {}}
        body = {"type": "HTTP_PUSH", "displayName": "Smoke test", "httpConfig": config}
        # One whose queue is not ready yet is answered with 503, and is there all the same.
        self._cleanups.append(("the connector", self._delete_connectors))
        made = self._call("POST", f"{self._project}/dataconnectors", body)
        self._connector = "/" + made["name"]
        self._device = self._call(
            "POST", f"{self._project}/devices", {"type": "temperature", "labels": {"name": "Smoke"}}
        )["name"]
        self._cleanup("the device", "DELETE", f"/{self._device}")
        same = made["httpConfig"]["signatureSecret"] == self._secret
        details = made["name"] if same else "the answer has another signature secret"
        self._judge("a connector is made", same and made["status"] == "ACTIVE", details)

    def _delete_connectors(self) -> None:
        for each in self._caller.expect("GET", f"{self._project}/dataconnectors")["dataConnectors"]:
            self._caller.expect("DELETE", "/" + each["name"])

    # --- events --------------------------------------------------------------------------------

    def _publish(self) -> tuple[str, float]:
        """Publish an event; its id, and when the call began, in epoch seconds."""
        self._published += 1
        event_id = f"smoke-{secrets.token_hex(8)}"
        began = time.time()
        event = {
            "eventId": event_id,
            "targetName": self._device,
            "eventType": "temperature",
            "data": {"temperature": {"value": 20.0 + self._published}},
            "timestamp": _text(began),
        }
        answer = self._call("POST", f"{self._project}/events", {"events": [event]})
        if answer["accepted"] != 1:
            raise SmokeError(f"the event was not accepted: {answer}")
        return event_id, began

    def _first_event(self) -> None:
        event_id, began = self._publish()
        if self._try_out is None:
            attempt = self._attempt(event_id, 1)
            is_right = attempt["status"] == 200
            self._judge(ARRIVES, is_right, f"{attempt['message'] or 'answered 200'}")
            self.report.add(SIGNED, "not reachable", "only the receiver sees it")
            return
        delivery = self._deliveries(event_id, 1)[0]
        seconds = _epoch(delivery["time"]) - began
        self.report.add(
            ARRIVES, "yes", f"{seconds * 1000:.0f} ms after the call began, cold starts included"
        )
        found = verify(delivery["headers"], delivery["body"].encode(), self._secret)
        problem = found.reason if isinstance(found, Rejected) else ""
        is_valid = delivery["isSignatureValid"] is True and not problem
        details = delivery["problem"] or problem or "verified here and by the stack"
        self._judge(SIGNED, is_valid, details)
        if not is_valid:
            raise SmokeError("what arrives has no signature by the connector's secret")

    def _retries(self) -> None:
        """An endpoint that answers 500 gets the event again after 8 and then 16 seconds."""
        try_out = self._try_out
        if try_out is None:
            return
        path = "/" + try_out["name"]
        self._call("PATCH", path, {"answer": "500"})
        event_id, _ = self._publish()
        self._deliveries(event_id, 2)
        self._call("PATCH", path, {"answer": "200"})
        self._warm()
        tried = sorted(_epoch(each["time"]) for each in self._deliveries(event_id, 3))
        waits = [later - earlier for earlier, later in itertools.pairwise(tried)]
        is_right = len(waits) == len(WAITS) and all(
            promised - EARLY_S <= wait <= promised + LATE_S
            for promised, wait in zip(WAITS, waits, strict=True)
        )
        details = " and ".join(f"{wait:.1f} s" for wait in waits)
        self._judge("after a 500 it comes again after 8 and 16 s", is_right, details)
        last = self._deliveries(event_id, 3)[0]["answered"]
        self._judge("and then it is acknowledged", last == 200, f"answered {last}")

    def _warm(self) -> None:
        """Measure the way from the queue to the POST by the stack's own clock."""
        durations = []
        for _ in range(WARM_EVENTS):
            event_id, _ = self._publish()
            durations.append(float(self._attempt(event_id, 1)["durations"]["queue"]))
        durations.sort()
        details = f"median {durations[len(durations) // 2]:.0f} ms, worst {durations[-1]:.0f} ms"
        self.report.add(f"queue to POST of {WARM_EVENTS} events, warm", "yes", details)

    def _disabled(self) -> None:
        self._call("PATCH", self._connector, {"status": "USER_DISABLED"})
        event_id, _ = self._publish()
        self._sleep(QUIET_S)
        came = len(self._seen(event_id)) if self._try_out else len(self._attempts(event_id))
        self._judge("a disabled connector gets nothing", came == 0, f"for {QUIET_S:g} s")

    def _deleted(self) -> None:
        self._call("DELETE", self._connector)
        self._drop_cleanup("the connector")
        status = self._caller.call("GET", self._connector).status
        self._judge("a deleted connector is gone", status == 404, f"GET answers {status}")

    def _seen(self, event_id: str) -> list[Mapping[str, Any]]:
        """The deliveries of an event so far. One that was refused has no event id, and counts."""
        if self._try_out is None:
            return []
        shown = self._call("GET", "/" + self._try_out["name"])["deliveries"]
        return [each for each in shown if each["eventId"] == event_id or each["problem"]]

    def _deliveries(self, event_id: str, wanted: int) -> list[Mapping[str, Any]]:
        """So many deliveries of an event, the newest first."""
        return self._wait(
            lambda: self._seen(event_id), wanted, f"delivery {wanted} of the event {event_id}"
        )

    def _attempts(self, event_id: str) -> list[Mapping[str, Any]]:
        query = f"?eventId={event_id}"
        listed: list[Mapping[str, Any]] = self._call("GET", f"{self._connector}/attempts{query}")[
            "attempts"
        ]
        return listed

    def _attempt(self, event_id: str, number: int) -> Mapping[str, Any]:
        """An attempt of an event, as the attempt log has it. New connectors are logged whole."""
        found = self._wait(
            lambda: self._attempts(event_id), number, f"attempt {number} of the event {event_id}"
        )
        return next(each for each in found if each["attempt"] == number)

    def _wait(
        self, look: Callable[[], list[Mapping[str, Any]]], wanted: int, what: str
    ) -> list[Mapping[str, Any]]:
        deadline = min(self._clock() + ARRIVAL_S, self._ends)
        while True:
            found = look()
            if len(found) >= wanted:
                return found
            if self._clock() > deadline:
                raise SmokeError(f"no {what} within {ARRIVAL_S:g} s: {self._why()}")
            self._sleep(POLL_S)

    def _why(self) -> str:
        """What the API says about a connector whose events do not arrive."""
        try:
            health = self._call("GET", f"{self._connector}:health")
        except (CallError, SmokeError) as error:
            return f"and its health is not known ({error})"
        last = health["lastError"] or {}
        return f"its state is {health['state']}, its last error: {last.get('message', 'none')}"

    # --- AWS -----------------------------------------------------------------------------------

    def _may_run(self) -> bool:
        """Whether nobody has stopped a function: nothing else would say why nothing happens.

        `make destroy` stops some, and leaves them so when it refuses late or is interrupted;
        docs/restore.md has the reconciler stopped.
        """
        functions = self._target.session.client("lambda")
        try:
            stopped = sorted(
                name
                for name, function in self._target.resources("AWS::Lambda::Function").items()
                if functions.get_function_concurrency(FunctionName=function).get(
                    "ReservedConcurrentExecutions"
                )
                == 0
            )
        except (ClientError, BotoCoreError) as error:
            self.report.add(MAY_RUN, "not reachable", " ".join(str(error).split()))
            return True
        if not stopped:
            self.report.add(MAY_RUN, "yes")
            return True
        have = "has" if len(stopped) == 1 else "have"
        self.report.add(
            MAY_RUN,
            "no",
            f"{', '.join(stopped)} {have} a reserved concurrency of 0: "
            "`aws lambda delete-function-concurrency --function-name ...` lets it run again",
        )
        return False

    def _iam(self) -> None:
        """Ask IAM itself what the functions' roles are allowed."""
        roles = self._target.resources("AWS::IAM::Role")
        names = self._names()
        iam = self._target.session.client("iam")
        account = names["account"]

        def is_allowed(role: str, action: str, resource: str) -> bool:
            arn = f"arn:{names['partition']}:iam::{account}:role/{roles[role]}"
            answer = iam.simulate_principal_policy(
                PolicySourceArn=arn,
                ActionNames=[action],
                ResourceArns=[resource.format_map(names)],
            )
            return any(each["EvalDecision"] == "allowed" for each in answer["EvaluationResults"])

        try:
            role, action, resource = ALLOWED
            if not is_allowed(role, action, resource):
                self.report.add(IAM, "not reachable", f"it does not even allow {action}")
                return
            wrong = [
                f"{role} may {action}"
                for role, denied in DENIED.items()
                for action, resource in denied
                if is_allowed(role, action, resource)
            ]
        except (ClientError, BotoCoreError) as error:
            self.report.add(IAM, "not reachable", " ".join(str(error).split()))
            return
        checked = sum(map(len, DENIED.values()))
        self._judge(IAM, not wrong, "; ".join(wrong) or f"{checked} refusals by simulation")

    def _names(self) -> Mapping[str, str]:
        """The values of the placeholders in `DENIED`."""
        found = outputs(self._target.session.client("cloudformation"), self._target.name) or {}
        _, partition, _, region, account, *_ = found["SenderAliasArn"].split(":")
        table = f"arn:{partition}:dynamodb:{region}:{account}:table/{found['TableName']}"
        return {
            "partition": partition,
            "region": region,
            "account": account,
            "stack": self._target.name,
            "table": table,
            "key": found["SecretsKeyArn"],
        }

    def _alarms(self) -> None:
        expected = self._target.resources("AWS::CloudWatch::Alarm")
        cloudwatch = self._target.session.client("cloudwatch")
        names = list(expected.values())
        found = [
            alarm
            for start in range(0, len(names), 100)  # AWS: a call takes 100 names
            for alarm in cloudwatch.describe_alarms(AlarmNames=names[start : start + 100])[
                "MetricAlarms"
            ]
        ]
        self._judge("its alarms exist", bool(names) and len(found) == len(names), str(len(found)))
        ringing = sorted(each["AlarmName"] for each in found if each["StateValue"] == "ALARM")
        if ringing:
            self._say(f"note: in alarm now: {', '.join(ringing)}")
        topics = sorted({action for each in found for action in each.get("AlarmActions", ())})
        if not topics:
            self.report.add(
                HEARD, "not reachable", "AlarmTopicArn is empty: they change state only"
            )
            return
        sns = self._target.session.client("sns")
        try:
            attributes = [sns.get_topic_attributes(TopicArn=each)["Attributes"] for each in topics]
        except (ClientError, BotoCoreError) as error:  # for one, the topic of another account
            self.report.add(HEARD, "not reachable", " ".join(str(error).split()))
            return
        heard = all(int(each.get("SubscriptionsConfirmed", 0)) > 0 for each in attributes)
        self._judge(HEARD, heard, f"{', '.join(topics)}")

    def _mappings(self) -> set[str]:
        """The ids of the stack's event source mappings."""
        found = outputs(self._target.session.client("cloudformation"), self._target.name) or {}
        pages = self._target.session.client("lambda").get_paginator("list_event_source_mappings")
        return {
            each["UUID"]
            for page in pages.paginate(FunctionName=found["SenderAliasArn"])
            for each in page["EventSourceMappings"]
        }

    def _mapping_enabled(self, before: set[str]) -> None:
        """Measure how long the new connector's mapping takes to become enabled."""
        began = self._clock()
        deadline = min(began + ARRIVAL_S, self._ends)
        functions = self._target.session.client("lambda")
        made: set[str] = set()
        while True:
            # Others may make connectors at the same time: the last of the new ones counts.
            made = made or self._mappings() - before
            states = [functions.get_event_source_mapping(UUID=each)["State"] for each in made]
            if states and all(state == "Enabled" for state in states):
                details = f"{self._clock() - began:.1f} s after the connector was made"
                self.report.add(ENABLED, "yes", details)
                return
            if self._clock() > deadline:
                self.report.add(ENABLED, "no", f"after {ARRIVAL_S:g} s: {', '.join(states)}")
                return
            self._sleep(POLL_S)

    def _cold_starts(self) -> None:
        """Read from Lambda's reports how long the functions' inits took."""
        logs = self._target.session.client("logs")
        since = int((time.time() - INIT_WINDOW_S) * 1000)
        found: dict[str, float] = {}
        try:
            for name, group in self._target.resources("AWS::Logs::LogGroup").items():
                answer = logs.filter_log_events(
                    logGroupName=group, startTime=since, filterPattern='"Init Duration"', limit=100
                )
                durations = [
                    float(event["message"].split("Init Duration: ")[1].split()[0])
                    for event in answer["events"]
                    if "Init Duration: " in event["message"]
                ]
                if durations:
                    found[name.removesuffix("LogGroup")] = max(durations)
        except (ClientError, BotoCoreError, ValueError) as error:
            self.report.add(COLD, "not reachable", " ".join(str(error).split()))
            return
        if not found:
            self.report.add(COLD, "not reachable", "the logs report no cold start of late")
            return
        self.report.add(COLD, "yes", _listed({name: f"{ms:.0f} ms" for name, ms in found.items()}))

    def _untested(self) -> None:
        """Go down the list of what has not been tested, and say what this run says of each."""
        self._say("what has not been tested:")
        where = "this is the local stack, not AWS" if self._target.is_local else ""
        seen = {"iam": IAM, "mappings": ENABLED, "cold-starts": COLD, "alarms": HEARD}
        seen["authorizer"] = AUTHORIZER
        for key, text in UNTESTED.items():
            if key in OUT_OF_REACH:
                self._say(f"  not reachable {text}: {OUT_OF_REACH[key]}")
            elif where:
                self._say(f"  not reachable {text}: {where}")
            else:
                self._say(f"  {self.report.known(seen[key]) or 'not reachable':<13} {text}")

    # --- helpers -------------------------------------------------------------------------------

    @property
    def _caller(self) -> Api:
        if self._api is None:
            raise SmokeError("there is no account yet")
        return self._api

    def _call(self, method: str, path: str, value: object = None) -> Any:
        if self._clock() > self._ends:
            raise SmokeError(f"the checks have not ended within {RUN_S:g} s")
        return self._caller.expect(method, path, value)

    def _judge(self, check: str, is_right: bool, details: str = "") -> None:
        self.report.add(check, "yes" if is_right else "no", details)

    def _cleanup(self, what: str, method: str, path: str) -> None:
        self._cleanups.append((what, lambda: self._caller.expect(method, path)))

    def _drop_cleanup(self, what: str) -> None:
        self._cleanups = [each for each in self._cleanups if each[0] != what]

    def _clean_up(self) -> None:
        """Delete what was made, in the opposite order, whatever has happened."""
        left = []
        for what, remove in reversed(self._cleanups):
            try:
                remove()
            except CallError as error:
                left.append(f"{what} ({error})")
        if left:
            self.report.add("everything is cleaned up", "no", f"left: {'; '.join(left)}")
        elif self._cleanups:
            self.report.add("everything is cleaned up", "yes")


MAY_RUN = "its functions may run"
AUTHORIZER = "API Gateway refuses a forged id token"
ARRIVES = "an event arrives at the endpoint"
SIGNED = "it is signed with the connector's secret"
TRY_OUT = "the stack's endpoint to try connectors with"
IAM = "IAM denies what it should"
HEARD = "somebody hears of alarms"
ENABLED = "the connector's mapping is enabled"
COLD = "cold starts of the functions"


def _listed(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _text(moment: float) -> str:
    """An epoch second as RFC 3339."""
    return f"{datetime.fromtimestamp(moment).astimezone().isoformat()}"


def _epoch(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that it cleans up."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run against the stack; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ops.smoke")
    parser.add_argument("--stack", required=True, help=f"its name, or {LOCAL}")
    parser.add_argument("--region", help="default: that of the AWS configuration")
    parser.add_argument("--state-dir", default=".local", help="that of the running `make run`")
    parser.add_argument("--receiver", default="", help="an HTTPS endpoint that answers 200")
    options = parser.parse_args(arguments)
    try:
        with explained():
            if options.stack == LOCAL:
                target = Target.local(Path(options.state_dir))
            else:
                target = Target.on_aws(options.stack, options.region)
        with _interrupted_by_sigterm():
            return Smoke(target, options.receiver, lambda line: print(line, flush=True)).run()
    except StackError as error:
        print(f"smoke: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
