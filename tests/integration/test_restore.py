"""A project comes back: its rows from a restored table, its queues, and its events by replay."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.store.connectors import ConnectorStore
from functions.ingest import app as ingest
from functions.reconciler import app as reconciler
from ops.restore import VERSION_STEP, Restorer, main, sealed_part
from ops.stacks import StackError
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, envelope, messages
from tests.integration.test_replay import Runs, runs  # noqa: F401  # a fixture
from tests.integration.test_sync import invocations  # noqa: F401  # a fixture
from tests.support.http_api import LambdaContext
from tests.support.virtual_time import Clock

SECRETS = {"signatureSecret": "a signature secret of mine", "headers": {"X-Key": "a key of mine"}}
RESTORED = "restored"
LONG_AGO = "2026-01-01T00:00:00.000000Z"


class Session:
    """boto3's session, with CloudFormation and Lambda of this stack. `invoked` runs for Lambda."""

    def __init__(self, key: str = "", invoked: Callable[[], Any] | None = None) -> None:
        self._outputs = {
            "TableName": os.environ["TABLE_NAME"],
            "SecretsKeyArn": key or os.environ["KMS_KEY_ARN"],
        }
        self._invoked = invoked or self._reconcile
        self.region_name = "us-east-1"

    def client(self, service: str, **options: Any) -> Any:
        if service == "cloudformation":
            outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self._outputs.items()]
            detail = {"StackResourceDetail": {"PhysicalResourceId": "reconciler"}}
            return SimpleNamespace(
                describe_stacks=lambda StackName: {"Stacks": [{"Outputs": outputs}]},
                describe_stack_resource=lambda **_: detail,
            )
        if service == "lambda":
            return SimpleNamespace(invoke=self._invoke)
        made: Any = boto3.client  # whose types know each service's name
        return made(service, **options)

    def _invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert (FunctionName, json.loads(Payload)) == ("reconciler", {"audit": True})
        return {"Payload": io.BytesIO(json.dumps(self._invoked()).encode())}

    @staticmethod
    def _reconcile() -> Any:
        clock = Clock()
        kept, reconciler.reconciler = (
            reconciler.reconciler,
            reconciler.make_reconciler(clock=clock, sleep=clock.sleep),
        )
        try:
            return reconciler.lambda_handler({"audit": True}, LambdaContext())
        finally:
            reconciler.reconciler = kept


def restorer(session: Session | None = None) -> Restorer:
    clock = Clock()
    return Restorer(session or Session(), os.environ["STACK_NAME"], sleep=clock.sleep)


@pytest.fixture
def restored() -> Any:
    """Makes a copy of the table, as DynamoDB does with point-in-time recovery."""
    dynamodb = boto3.client("dynamodb")

    def restore() -> str:
        dynamodb.update_continuous_backups(
            TableName=os.environ["TABLE_NAME"],
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
        )
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=os.environ["TABLE_NAME"],
            TargetTableName=RESTORED,
            UseLatestRestorableTime=True,
        )
        return RESTORED

    yield restore
    dynamodb.delete_table(TableName=RESTORED)


def lose_rows() -> None:
    """Delete everything in the table."""
    dynamodb = boto3.client("dynamodb")
    name = os.environ["TABLE_NAME"]
    for page in dynamodb.get_paginator("scan").paginate(TableName=name):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=name, Key={k: item[k] for k in ("pk", "sk")})


def lose_queues(client: Client) -> None:
    """Delete the queues and mappings of a project's connectors."""
    sqs, functions = boto3.client("sqs"), boto3.client("lambda")
    for connector in ConnectorStore(ingest.table).connectors(client.project):
        sqs.delete_queue(QueueUrl=connector.queue_url)
        functions.delete_event_source_mapping(UUID=connector.mapping_id)


def publish(client: Client, *ids: str) -> None:
    events = [envelope(client, event_id) for event_id in ids]
    status, answer = client.call("POST", "/events", {"events": events})
    assert (status, answer["errors"]) == (200, [])


def shown(client: Client) -> Any:
    status, answer = client.call("GET", "/dataconnectors")
    assert status == 200, answer
    return answer["dataConnectors"]


def test_a_lost_table_and_lost_queues_come_back_with_secrets_accounts_and_events(
    client: Client,
    runs: Runs,  # noqa: F811  # the fixture
    restored: Callable[[], str],
) -> None:
    path = connect(client, displayName="Mine", httpConfig={"url": "https://a.example"} | SECRETS)
    publish(client, "e1", "e2")
    before = shown(client)
    table = restored()
    lose_queues(client)
    lose_rows()
    restoring = restorer()
    copied, kept = restoring.copy(table)
    assert (copied > 10, kept) == (True, 0)
    assert restoring.reconcile() > 0
    assert shown(client) == before
    assert before[0]["httpConfig"]["signatureSecret"] == SECRETS["signatureSecret"]
    client.log_in()  # with the account's key
    publish(client, "e3")
    assert [message["eventId"] for message in messages(client)] == ["e3"]
    (line,) = (
        line
        for line in restoring.replays(restoring._now() - 12 * 3600)
        if line["connector"].startswith(f"projects/{client.project}/")
    )
    assert line["connector"] == f"projects/{client.project}{path}"
    assert client.call("POST", f"{path}:replay", line["replay"])[0] == 200
    runs.once()
    assert {"e1", "e2"} <= runs.arrived().keys()


def test_lost_queues_come_back_without_a_restored_table(client: Client) -> None:
    connect(client)
    lose_queues(client)
    assert restorer().reconcile() > 0
    publish(client, "e1")
    assert [message["eventId"] for message in messages(client)] == ["e1"]
    assert restorer().reconcile() == 0


def test_what_is_there_is_kept_unless_it_is_to_be_replaced(
    client: Client, restored: Callable[[], str]
) -> None:
    path = connect(client, displayName="Before")
    table = restored()
    assert client.call("PATCH", path, {"displayName": "Since"})[0] == 200
    assert restorer().copy(table)[0] == 0
    assert [each["displayName"] for each in shown(client)] == ["Since"]
    restorer().copy(table, replace=True)
    assert [each["displayName"] for each in shown(client)] == ["Before"]


def test_every_process_reads_a_restored_configuration_again(
    client: Client, restored: Callable[[], str]
) -> None:
    """A version that comes up a second time would let ingest use what it remembers."""
    path = connect(client)
    table = restored()
    client.call("PATCH", path, {"events": ["motion"]})
    publish(client, "e1")  # ingest remembers this version, in which the event is not wanted
    restorer().copy(table, replace=True)
    client.call("PATCH", path, {"labels": ["room"]})
    publish(client, "e2")
    assert [message["eventId"] for message in messages(client)] == ["e2"]
    assert ingest.table.query(f"PROJECT#{client.project}", "VERSION")
    item = ingest.table.get({"pk": {"S": f"PROJECT#{client.project}"}, "sk": {"S": "VERSION"}})
    assert item is not None
    assert int(item["version"]["N"]) > VERSION_STEP
    assert item["connectorCount"] == {"N": "1"}


def test_rows_of_another_stack_get_queues_of_this_one_and_secrets_under_its_key(
    client: Client, restored: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(client, httpConfig={"url": "https://a.example"} | SECRETS)
    before = shown(client)
    dynamodb = boto3.client("dynamodb")
    table = restored()
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            if "queueUrl" in item:
                foreign = item["queueUrl"]["S"].replace("/dc-test-c-", "/other-c-")
                # The reconciler leaves a connector alone that was made a moment ago.
                old = {"queueUrl": {"S": foreign}, "createTime": {"S": LONG_AGO}}
                dynamodb.put_item(TableName=table, Item=item | old)
    lose_queues(client)
    lose_rows()
    kms = boto3.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    restoring = restorer(Session(key))
    restoring.copy(table, reseal=True)
    (row,) = ConnectorStore(ingest.table).connectors(client.project)
    assert (row.lifecycle, row.queue_url, row.mapping_id) == (Lifecycle.PROVISIONING, "", "")
    assert row.sealed is not None
    opened = kms.decrypt(CiphertextBlob=row.sealed, EncryptionContext={"name": row.name})
    assert opened["KeyId"] == key
    restoring.reconcile()
    assert shown(client) == before
    client.log_in()
    publish(client, "e1")
    assert [message["eventId"] for message in messages(client)] == ["e1"]


def test_every_secret_in_the_table_is_resealed(client: Client) -> None:
    connect(client, httpConfig={"url": "https://a.example"} | SECRETS)
    dynamodb, kms = boto3.client("dynamodb"), boto3.client("kms")
    found = []
    pages = dynamodb.get_paginator("scan").paginate(TableName=os.environ["TABLE_NAME"])
    for item in (item for page in pages for item in page["Items"]):
        binary = {name for name, value in item.items() if "B" in value}
        part = sealed_part(item)
        assert binary == ({part[0]} if part else set()), item["pk"]
        if part:
            context = {"name": part[1]}
            kms.decrypt(CiphertextBlob=item[part[0]]["B"], EncryptionContext=context)
            found.append(part[1].split("/")[-2])
    assert set(found) == {"dataconnectors", "keys", "tokenkeys"}


@pytest.mark.parametrize("table", ["nothing-of-this-name", os.environ["TABLE_NAME"]])
def test_a_table_that_cannot_be_the_restored_one_is_refused(table: str) -> None:
    with pytest.raises(StackError, match=r"restored from it|there is no table"):
        restorer().copy(table)


def test_queues_that_do_not_come_back_are_said() -> None:
    clean = dict.fromkeys(("drift", "updated", "not_done", "waiting"), 0)
    stuck = Session(invoked=lambda: clean | {"not_repaired": 2, "finished": True})
    clock = Clock()
    restoring = Restorer(stuck, "dc-test", now=clock, sleep=clock.sleep)
    with pytest.raises(StackError, match="2 queues or mappings are still missing"):
        restoring.reconcile()


@pytest.mark.parametrize("content", [None, "[]", "{", '{"stack": "s"}'])
def test_a_local_stack_that_does_not_run_is_named(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "stack.json").write_text(content)
    assert main(["--stack", "local", "--state-dir", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"restore: there is no running stack in {tmp_path}")
    assert error.count("\n") == 1
