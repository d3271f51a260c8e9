"""Destroying a deployment deletes everything of it, and nothing of other deployments."""

import re
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops.destroy import CALLS_PER_SECOND, MAKERS, DestroyError, Remover
from tests.support.virtual_time import Clock

SENDER = "arn:aws:lambda:us-east-1:123456789012:function:dc-sender:live"
STACK_TAG = "dataconnectors:stack"
TABLE = "dc-Table-1"
FAILURES = "https://sqs.us-east-1.amazonaws.com/123456789012/dc-ingest-failures"


def queue_name(stack: str, number: int) -> str:
    return f"{stack}-c-{number:020d}"


class GoneError(Exception):
    """ResourceNotFoundException and QueueDoesNotExist in one."""


class InUseError(Exception):
    """ResourceInUseException."""


class ValidationError(Exception):
    """CloudFormation's answer for a stack that does not exist."""

    response = {"Error": {"Code": "ValidationError"}}  # noqa: RUF012  # as botocore's


class FakeLambda:
    """A fake of Lambda, whose deleted mappings stay listed for some calls."""

    class exceptions:  # As a boto3 client's
        ResourceNotFoundException = GoneError
        ResourceInUseException = InUseError

    def __init__(self, mappings: dict[str, str], looks_to_delete: int = 1) -> None:
        """`mappings` are states by UUID. A deleted one is gone after `looks_to_delete` listings."""
        self.mappings = mappings
        self.looks_to_delete = looks_to_delete
        self.stopped: list[str] = []
        self.selections: list[dict[str, str]] = []

    def put_function_concurrency(
        self, *, FunctionName: str, ReservedConcurrentExecutions: int
    ) -> dict[str, Any]:
        assert ReservedConcurrentExecutions == 0
        self.stopped.append(FunctionName)
        return {}

    def list_event_source_mappings(self, *, Marker: str = "", **selection: str) -> dict[str, Any]:
        self.selections.append(selection)
        uuids = [uuid for uuid in sorted(self.mappings) if uuid > Marker]
        page = [{"UUID": uuid, "State": self.mappings[uuid]} for uuid in uuids[:2]]
        if not Marker:
            self._time_passes()
        more = {"NextMarker": page[-1]["UUID"]} if len(uuids) > 2 else {}
        return {"EventSourceMappings": page, **more}

    def delete_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        if UUID not in self.mappings:
            raise GoneError
        if self.mappings[UUID] == "Updating":
            raise InUseError
        self.mappings[UUID] = "Deleting"
        return {}

    def _time_passes(self) -> None:
        self.looks_to_delete -= 1
        for uuid, state in list(self.mappings.items()):
            if state == "Updating":
                self.mappings[uuid] = "Enabled"
            elif state == "Deleting" and self.looks_to_delete < 0:
                del self.mappings[uuid]


class FakeCloudFormation:
    """A fake of CloudFormation with one stack, or none."""

    class exceptions:  # As a boto3 client's
        ClientError = ValidationError

    def __init__(self, stack: str | None) -> None:
        self.stack = stack

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName != self.stack:
            raise ValidationError
        outputs = [
            {"OutputKey": "SenderAliasArn", "OutputValue": SENDER},
            {"OutputKey": "IngestFailuresQueueUrl", "OutputValue": FAILURES},
            {"OutputKey": "TableName", "OutputValue": TABLE},
        ]
        return {"Stacks": [{"Outputs": outputs}]}

    def describe_stack_resource(self, *, StackName: str, LogicalResourceId: str) -> dict[str, Any]:
        return {"StackResourceDetail": {"PhysicalResourceId": f"{StackName}-{LogicalResourceId}"}}


class Session:
    """boto3's session, with moto's SQS and DynamoDB."""

    def __init__(self, sqs: Any, functions: FakeLambda, stack: str | None) -> None:
        self._clients = {
            "sqs": sqs,
            "dynamodb": boto3.client("dynamodb", region_name="us-east-1"),
            "lambda": functions,
            "cloudformation": FakeCloudFormation(stack),
        }

    def client(self, service: str) -> Any:
        return self._clients[service]


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", region_name="us-east-1")


def names(sqs: Any) -> list[str]:
    return sorted(url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", []))


def remover(
    sqs: Any, functions: FakeLambda, stack: str | None = "dc", clock: Clock | None = None
) -> Remover:
    clock = clock or Clock()
    return Remover(Session(sqs, functions, stack), "dc", clock=clock, sleep=clock.sleep)


def make_queues(sqs: Any, stack: str, count: int) -> None:
    for number in range(count):
        sqs.create_queue(QueueName=queue_name(stack, number), tags={STACK_TAG: stack})


def test_mappings_and_queues_are_deleted_and_counted(sqs: Any) -> None:
    make_queues(sqs, "dc", 3)
    functions = FakeLambda({"a": "Enabled", "b": "Updating", "c": "Disabled", "d": "Deleting"})
    removed = remover(sqs, functions).remove()
    assert (removed.mappings, removed.queues) == (4, 3)
    assert functions.mappings == {}
    assert names(sqs) == []


class TestUndeliveredEvents:
    """Events that no endpoint has acknowledged."""

    def send(self, sqs: Any, name: str, count: int) -> None:
        url = sqs.create_queue(QueueName=name, tags={STACK_TAG: "dc"})["QueueUrl"]
        for _ in range(count):
            sqs.send_message(QueueUrl=url, MessageBody="an event")

    def test_are_not_deleted_and_the_refusal_says_how_many_there_are(self, sqs: Any) -> None:
        make_queues(sqs, "dc", 1)
        self.send(sqs, queue_name("dc", 1), 2)
        self.send(sqs, queue_name("dc", 2), 3)
        self.send(sqs, "dc-ingest-failures", 1)
        # Attempted, and so not visible.
        sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName=queue_name("dc", 2))["QueueUrl"])
        functions = FakeLambda({"a": "Enabled"})
        named = f"{queue_name('dc', 2)} (3), {queue_name('dc', 1)} (2), dc-ingest-failures (1)"
        with pytest.raises(DestroyError, match=re.escape(f"6 undelivered events are in {named}.")):
            remover(sqs, functions).remove()
        assert functions.stopped == []
        assert functions.mappings == {"a": "Enabled"}
        assert len(names(sqs)) == 4

    def test_that_come_while_ingest_is_being_stopped_are_kept_too(self, sqs: Any) -> None:
        make_queues(sqs, "dc", 1)
        functions = FakeLambda({"a": "Enabled"})
        stop = functions.put_function_concurrency

        def stop_late(**request: Any) -> dict[str, Any]:
            if len(functions.stopped) == 2:
                self.send(sqs, queue_name("dc", 0), 1)
            return stop(**request)

        functions.put_function_concurrency = stop_late  # type: ignore[method-assign]
        with pytest.raises(DestroyError, match=r"1 undelivered events are in .* are stopped"):
            remover(sqs, functions).remove()
        assert names(sqs) == [queue_name("dc", 0)]

    def test_are_deleted_when_the_deployer_says_so(self, sqs: Any) -> None:
        self.send(sqs, queue_name("dc", 1), 2)
        assert remover(sqs, FakeLambda({})).remove(with_undelivered=True).queues == 1
        assert names(sqs) == []


@pytest.mark.parametrize("protects", [True, False])
def test_a_protected_table_is_found_before_anything_is_deleted(sqs: Any, protects: bool) -> None:
    make_queues(sqs, "dc", 1)
    boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=protects,
    )
    functions = FakeLambda({"a": "Enabled"})
    if protects:
        with pytest.raises(DestroyError, match=f"{TABLE} is protected"):
            remover(sqs, functions).remove(with_undelivered=True)
        assert (functions.stopped, functions.mappings) == ([], {"a": "Enabled"})
        assert names(sqs) == [queue_name("dc", 0)]
    else:
        assert remover(sqs, functions).remove().queues == 1


def test_the_functions_that_create_queues_are_stopped_first(sqs: Any) -> None:
    functions = FakeLambda({})
    remover(sqs, functions).remove()
    assert functions.stopped == [f"dc-{name}" for name in MAKERS]


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        (queue_name("dc-c", 1), {STACK_TAG: "dc-c"}),
        (queue_name("dc-eu", 1), {STACK_TAG: "dc-eu"}),
        (queue_name("dc", 1), {STACK_TAG: "another"}),
        (queue_name("dc", 1), {}),
        ("dc-c-orders", {STACK_TAG: "dc"}),
        (f"{queue_name('dc', 1)}-copy", {STACK_TAG: "dc"}),
        ("dc-c-" + "z" * 20, {STACK_TAG: "dc"}),
    ],
)
def test_a_queue_that_may_belong_to_others_is_kept(
    sqs: Any, name: str, tags: dict[str, str]
) -> None:
    sqs.create_queue(QueueName=name, tags=tags)
    assert remover(sqs, FakeLambda({})).remove().queues == 0
    assert names(sqs) == [name]


def test_a_second_run_has_nothing_left_to_do(sqs: Any) -> None:
    make_queues(sqs, "dc", 2)
    functions = FakeLambda({"a": "Enabled"})
    remover(sqs, functions).remove()
    removed = remover(sqs, functions).remove()
    assert (removed.mappings, removed.queues) == (0, 0)


def test_mappings_are_found_by_their_queues_when_the_stack_is_gone(sqs: Any) -> None:
    make_queues(sqs, "dc", 1)
    functions = FakeLambda({"a": "Enabled"})
    removed = remover(sqs, functions, stack=None).remove()
    assert (removed.mappings, removed.queues) == (1, 1)
    arn = f"arn:aws:sqs:us-east-1:123456789012:{queue_name('dc', 0)}"
    assert {"EventSourceArn": arn} in functions.selections
    assert functions.stopped == []


def test_queues_are_kept_until_their_mappings_are_gone(sqs: Any) -> None:
    """A mapping whose queue is gone looks like a working one, so it would never be deleted."""
    make_queues(sqs, "dc", 1)
    functions = FakeLambda({"a": "Enabled"}, looks_to_delete=10**6)
    with pytest.raises(DestroyError, match="1 event source mappings are still there, a for one"):
        remover(sqs, functions).remove()
    assert names(sqs) == [queue_name("dc", 0)]


def test_calls_are_spaced_so_that_others_can_deploy(sqs: Any) -> None:
    make_queues(sqs, "dc", 20)
    clock = Clock()
    remover(sqs, FakeLambda({}), clock=clock).remove()
    calls = 20 + 20  # Reading the tags of each queue and deleting it; a few other calls come on top
    assert clock.now >= calls / CALLS_PER_SECOND
