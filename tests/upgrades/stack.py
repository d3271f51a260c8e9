"""A stack over moto whose functions are those of any release, and change while it lives.

Time stands still, so that a token that was recorded months ago is still valid, and moves only when
somebody calls `pass_time`.
"""

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import ModuleType
from typing import Any

import boto3
import time_machine
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.kms.models import kms_backends

from tests.support import moto_mappings
from tests.support.aws import make_dead_letter_queue, make_key, make_sender, make_table
from tests.support.http_api import LambdaContext, content, request
from tests.support.virtual_time import Clock
from tests.upgrades.release import Release

MOMENT = 1_790_000_000.0
"""Epoch seconds at which a new account begins."""

TOKEN_ENDPOINT = "https://api.example.com/v2/oauth2/token"

REGION, ACCOUNT = "us-east-1", "123456789012"

FUNCTIONS = ("admin", "config_api", "ingest", "reconciler", "sender")

Item = dict[str, Any]


class Empty:
    """The body of an answer that has none."""

    def stream(self) -> list[bytes]:
        return []


class Endpoints:
    """What customers' endpoints answer, and what they were sent, by host. Without an entry: 200."""

    def __init__(self, release: Release) -> None:
        self.statuses: dict[str, int] = {}
        self.received: dict[str, list[tuple[dict[str, str], bytes]]] = {}
        self._answer = release.module("endpoints.outcomes").Answer

    def post(self, destination: Any, headers: Any, body: bytes, timeout: float, /) -> Any:
        self.received.setdefault(destination.host, []).append((dict(headers), body))
        return self._answer(self.statuses.get(destination.host, 200))


class Stack:
    """The functions of one release over the account's table, queues and mappings.

    `deploy` replaces them. What the release before has left in the account stays.
    """

    def __init__(self, release: Release) -> None:
        self.headers: dict[str, str] = {}
        self.deploy(release)

    def deploy(self, release: Release) -> None:
        """Start all functions anew, with the code of a release."""
        self.release = release
        self.endpoints = Endpoints(release)
        self._apps: dict[str, ModuleType] = {}

    # --- functions -----------------------------------------------------------------------------

    def app(self, function: str) -> ModuleType:
        """A function, which is started when it is first needed."""
        if function not in self._apps:
            app: Any = self.release.app(function)
            self._apps[function] = app
            if function == "config_api":
                # Here a new queue and a disabled connector have settled at once.
                app.connector_service._sleep = lambda _: None
                app.connector_service._provision = partial(app.provision, sleep=lambda _: None)
                events = app.functions.meta.events
                events.register_first("before-send.lambda.Invoke", _accept_invocation)
            elif function == "reconciler":
                clock = Clock()
                app.reconciler = app.make_reconciler(clock=clock, sleep=clock.sleep)
        return self._apps[function]

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """A request to the function that the API's routes name for it."""
        below = path.split("/")[4:]
        publishes = method == "POST" and (
            below == ["events"] or (len(below) == 2 and below[0] == "devices")
        )
        bare, _, query = path.partition("?")
        event = request(method, bare, body, query=query, headers=self.headers)
        app: Any = self.app("ingest" if publishes else "config_api")
        answer = app.lambda_handler(event, LambdaContext())
        return answer["statusCode"], content(answer)

    def do(self, method: str, path: str, body: Any = None) -> Any:
        """As `call`, for a request that has to succeed."""
        status, answer = self.call(method, path, body)
        assert status == 200, (self.release.package, method, path, answer)
        return answer

    def reconcile(self) -> dict[str, Any]:
        """A run of the reconciler, with the drift check; its report."""
        app: Any = self.app("reconciler")
        report: dict[str, Any] = app.lambda_handler({"audit": True}, LambdaContext())
        return report

    def deliver(self, age: float = 0.0) -> list[str]:
        """Let the sender have everything that is visible in the queues; the ids of what stays.

        SQS says that each message is `age` seconds old.
        """
        app: Any = self.app("sender")
        workers = self.release.module("kernel.workers").Workers(10)
        app.sender = app.make_sender(self.endpoints, workers)
        sqs = boto3.client("sqs")
        stay = []
        for name, messages in messages_by_queue(visibility=180).items():
            records = []
            for message in messages:
                sent = str(int((time.time() - age) * 1000))
                times = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")
                records.append(
                    {
                        "messageId": message["MessageId"],
                        "receiptHandle": message["ReceiptHandle"],
                        "body": message["Body"],
                        "attributes": message["Attributes"] | dict.fromkeys(times, sent),
                        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}",
                    }
                )
            if not records:
                continue
            answer = app.lambda_handler({"Records": records}, LambdaContext())
            failed = {entry["itemIdentifier"] for entry in answer["batchItemFailures"]}
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            for record in records:
                if record["messageId"] in failed:
                    stay.append(json.loads(record["body"])["eventId"])
                else:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
        return sorted(stay)

    def log_in(self, account: dict[str, str]) -> str:
        """Exchange an assertion of an account's key for a token, and use that from now on."""
        import jwt

        now = int(time.time())
        claims = {"iat": now, "exp": now + 3600, "aud": TOKEN_ENDPOINT, "iss": account["email"]}
        key = {"kid": account["keyId"]}
        assertion = jwt.encode(claims, account["secret"], "HS256", headers=key)
        grant = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
        form = f"assertion={assertion}&grant_type={grant}"
        event = request("POST", "/v2/oauth2/token", form, encoded=True)
        app: Any = self.app("config_api")
        answer = content(app.lambda_handler(event, LambdaContext()))
        token: str = answer["access_token"]
        self.use_token(token)
        return token

    def use_token(self, token: str) -> None:
        """Send the next requests with this access token."""
        self.headers = {"authorization": f"Bearer {token}"}

    def use_key(self, account: dict[str, str]) -> None:
        """Send the next requests with Basic auth."""
        basic = base64.b64encode(f"{account['keyId']}:{account['secret']}".encode()).decode()
        self.headers = {"authorization": f"Basic {basic}"}


def _accept_invocation(request: Any, **_: Any) -> AWSResponse:
    """Lambda's answer to an asynchronous invocation. Nothing is run."""
    return AWSResponse(request.url, 202, HTTPHeaders(), Empty())


_clocks: list[time_machine.Traveller] = []


def pass_time(seconds: float) -> None:
    """Let time pass in the account."""
    _clocks[-1].shift(seconds)


@contextmanager
def account(moment: float = MOMENT) -> Iterator[None]:
    """An account with the stack's table, key and sender, inside the `with` block."""
    with (
        time_machine.travel(moment, tick=False) as clock,
        mock_aws(),
        moto_mappings.ignored_by_queues(),
    ):
        _clocks.append(clock)
        make_table()
        make_key()
        make_sender()
        make_dead_letter_queue()
        yield
        _clocks.pop()


# --- what is in the account ------------------------------------------------------------------


def dead_letters() -> str:
    """The name of the dead-letter queue."""
    return os.environ["DEAD_LETTER_QUEUE_ARN"].rpartition(":")[2]


def messages_by_queue(visibility: int = 0) -> dict[str, list[dict[str, Any]]]:
    """The messages in each queue, by its name. They stay there."""
    sqs = boto3.client("sqs")
    found: dict[str, list[dict[str, Any]]] = {}
    for url in sqs.list_queues().get("QueueUrls", []):
        name = url.rpartition("/")[2]
        found[name] = []
        if name == dead_letters():
            continue
        seen: set[str] = set()
        while messages := [
            message
            for message in sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=visibility,
                AttributeNames=["All"],
            ).get("Messages", [])
            if message["MessageId"] not in seen
        ]:
            seen |= {message["MessageId"] for message in messages}
            found[name] += messages
    return found


def items() -> list[Item]:
    """Everything in the table, in DynamoDB's JSON, with binary values in base64.

    It is read from moto's memory, because a scan takes a tenth of a test's time.
    """
    table = dynamodb_backends[ACCOUNT][REGION].tables[os.environ["TABLE_NAME"]]
    found = [
        item.to_json()["Attributes"] for each in table.items.values() for item in each.values()
    ]
    return [_texts(item) for item in found]


def _texts(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _texts(entry) for name, entry in value.items()}
    return [_texts(entry) for entry in value] if isinstance(value, list) else value


def _bytes(item: Item) -> Item:
    return {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value
        for name, value in item.items()
    }


def mappings() -> list[dict[str, Any]]:
    """All event source mappings, without times."""
    listed = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return sorted(
        ({name: each[name] for name in each if name != "LastModified"} for each in listed),
        key=lambda each: str(each["UUID"]),
    )


def queues() -> dict[str, dict[str, str]]:
    """The attributes of each connector's queue that the blueprint sets, by its name."""
    sqs = boto3.client("sqs")
    names = ["MessageRetentionPeriod", "SqsManagedSseEnabled", "VisibilityTimeout"]
    return {
        url.rpartition("/")[2]: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)[
            "Attributes"
        ]
        for url in sqs.list_queues().get("QueueUrls", [])
        if url.rpartition("/")[2] != dead_letters()
    }


def key_material() -> dict[str, str]:
    """The account's key: its id, and what it encrypts with. Only moto shows that."""
    (key,) = kms_backends[ACCOUNT][REGION].keys.values()
    return {"id": key.id, "material": base64.b64encode(key.key_material).decode()}


def saved() -> dict[str, Any]:
    """Everything that a stack has written into the account."""
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    tags = {}
    for name in queues():
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        tags[name] = sqs.list_queue_tags(QueueUrl=url)["Tags"]
    return {
        "moment": time.time(),
        "key": key_material(),
        "items": sorted(items(), key=lambda item: (item["pk"]["S"], item["sk"]["S"])),
        "queues": queues(),
        "tags": tags,
        "messages": {
            name: [message["Body"] for message in messages]
            for name, messages in messages_by_queue().items()
        },
        "mappings": mappings(),
        "mappingTags": {
            each["UUID"]: functions.list_tags(Resource=each["EventSourceMappingArn"])["Tags"]
            for each in mappings()
        },
    }


def restore(state: dict[str, Any]) -> None:
    """Put into a new account what `saved` has found in another one."""
    backend = kms_backends[ACCOUNT][REGION]
    (key,) = backend.keys.values()
    backend.delete_alias(os.environ["KMS_KEY_ARN"])
    del backend.keys[key.id]
    key.arn = key.arn.replace(key.id, state["key"]["id"])
    key.id = state["key"]["id"]
    key.key_material = base64.b64decode(state["key"]["material"])
    backend.keys[key.id] = key
    boto3.client("kms").create_alias(AliasName=os.environ["KMS_KEY_ARN"], TargetKeyId=key.id)
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    for name, attributes in state["queues"].items():
        sqs.create_queue(QueueName=name, Attributes=attributes, tags=state["tags"][name])
    ids = {}  # moto gives mappings new ids
    for mapping in state["mappings"]:
        settings = (
            "EventSourceArn",
            "BatchSize",
            "MaximumBatchingWindowInSeconds",
            "FunctionResponseTypes",
            "ScalingConfig",
        )
        made = functions.create_event_source_mapping(
            FunctionName=mapping["FunctionArn"],
            Enabled=mapping["State"] == "Enabled",
            Tags=state["mappingTags"][mapping["UUID"]],
            **{name: mapping[name] for name in settings if name in mapping},
        )
        ids[mapping["UUID"]] = made["UUID"]
    table, dynamodb = os.environ["TABLE_NAME"], boto3.client("dynamodb")
    for item in state["items"]:
        if item.get("mappingId", {}).get("S"):
            item = item | {"mappingId": {"S": ids[item["mappingId"]["S"]]}}
        dynamodb.put_item(TableName=table, Item=_bytes(item))
    for name, bodies in state["messages"].items():
        if bodies:
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            for body in bodies:
                sqs.send_message(QueueUrl=url, MessageBody=body)
