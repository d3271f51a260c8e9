"""Brings a deployment back: rows of a restored table, then queues and mappings.

    python -m ops.restore --stack NAME [--region REGION] [--table RESTORED] [--replace] [--reseal]
        [--since TIME]
    python -m ops.restore --stack local [--state-dir DIRECTORY] …

DynamoDB restores a table to a point in time as another table, RESTORED. This copies from it what
the stack's own table lacks; with `--replace`, also what differs. With `--reseal`, KMS seals the
copied secrets with this stack's key, for a table of another stack. Then the reconciler makes the
queues and mappings that are missing. For each connector, standard output gets a line with the
replay that sends once more what was accepted between TIME and now. docs/restore.md has the steps.
`local` is the stack of a running `make run`.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ops.aws import explained
from ops.local_stack import LOCAL, LocalAws, running_in
from ops.stacks import StackError, outputs

LEFT_OUT = ("REQUESTS#", "METRICS#", "ACCOUNTED")
"""Beginnings of partition keys that are not copied: counts of seconds and hours that are over."""

VERSION_STEP = 1_000_000
"""Added to a project's configuration version. Processes remember what they have read by it, and a
version that is restored must not come up again with other content."""

WRITERS = 16
"""Threads that write. Each row is a call of its own, because a batch has no conditions."""

RECONCILER_DEADLINE = 900
RECONCILER_PAUSE = 15
"""Seconds until missing queues are an error, and between two runs. AWS: a queue's name stays
blocked for 60 s after its deletion."""

RECONCILER_TIMEOUT = 60
"""Seconds. The function's own timeout is shorter."""

Item = dict[str, Any]


def sealed_part(item: Item) -> tuple[str, str] | None:
    """The attribute of an item that KMS has sealed, and the name it was sealed under.

    None when it has no secret.
    """
    partition, sort = item["pk"]["S"], item["sk"]["S"]
    if partition.startswith("PROJECT#") and sort.startswith("CONNECTOR#") and "sealed" in item:
        project, connector = partition.removeprefix("PROJECT#"), sort.removeprefix("CONNECTOR#")
        return "sealed", f"projects/{project}/dataconnectors/{connector}"
    if partition.startswith("KEY#"):
        owner = f"projects/{item['project']['S']}/serviceaccounts/{item['account']['S']}"
        return "secret", f"{owner}/keys/{partition.removeprefix('KEY#')}"
    if partition == "TOKENKEYS":
        return "sealed", f"tokenkeys/{sort.removeprefix('TOKENKEY#')}"
    return None


class Restorer:
    """Copies rows into the stack's table, and has its reconciler make what they need."""

    def __init__(
        self,
        session: Any,
        stack: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`session` is boto3's. Raises `StackError` when there is no such stack."""
        stack_outputs = outputs(session.client("cloudformation"), stack)
        if not stack_outputs or not {"TableName", "SecretsKeyArn"} <= stack_outputs.keys():
            raise StackError(f"{stack} is not a stack of Data Connectors in this Region")
        self._stack = stack
        self._table = stack_outputs["TableName"]
        self._key = stack_outputs["SecretsKeyArn"]
        self._cloudformation = session.client("cloudformation")
        connections = Config(max_pool_connections=WRITERS)
        self._dynamodb = session.client("dynamodb", config=connections)
        self._kms = session.client("kms", config=connections)
        # A run that is repeated because its answer was late would wait for itself.
        once = Config(read_timeout=RECONCILER_TIMEOUT, retries={"total_max_attempts": 1})
        self._lambda = session.client("lambda", config=once)
        self._now = now
        self._sleep = sleep

    def copy(self, source: str, *, replace: bool = False, reseal: bool = False) -> tuple[int, int]:
        """Copy rows from the table `source`; how many were copied, and how many were there."""
        if source == self._table:
            raise StackError(f"{source} is the stack's own table: name the one restored from it")
        projects: set[str] = set()

        def put(item: Item) -> bool:
            if item["sk"]["S"] == "VERSION":
                projects.add(item["pk"]["S"])
            return self._put(item, replace=replace, reseal=reseal)

        copied = kept = 0
        with ThreadPoolExecutor(WRITERS) as writers:
            for rows in self._pages(source):
                done = list(writers.map(put, rows))
                copied += sum(done)
                kept += len(done) - sum(done)
        for project in projects:
            self._renew(project)
        return copied, kept

    def _pages(self, table: str) -> Iterator[list[Item]]:
        """The rows of a table that are worth keeping, in DynamoDB's JSON, page by page."""
        try:
            for page in self._dynamodb.get_paginator("scan").paginate(TableName=table):
                yield [item for item in page["Items"] if self._is_kept(item)]
        except self._dynamodb.exceptions.ResourceNotFoundException:
            raise StackError(f"there is no table {table} in this Region") from None

    def _is_kept(self, item: Item) -> bool:
        is_over = "expiresAt" in item and float(item["expiresAt"]["N"]) < self._now()
        return not is_over and not item["pk"]["S"].startswith(LEFT_OUT)

    def _put(self, item: Item, *, replace: bool, reseal: bool) -> bool:
        """Put a row; False when there is one with its key already that is not replaced."""
        queue = item["queueUrl"]["S"].rpartition("/")[2] if "queueUrl" in item else ""
        if queue and not queue.startswith(f"{self._stack}-c-"):
            # The row of another stack's connector: it gets a queue and a mapping of this one.
            empty = {name: {"S": ""} for name in ("queueUrl", "mappingId", "provisioned")}
            state = item["lifecycle"]["S"]
            item = (
                item | empty | {"lifecycle": {"S": "PROVISIONING" if state == "READY" else state}}
            )
        if reseal and (part := sealed_part(item)):
            item = item | {part[0]: {"B": self._resealed(item[part[0]]["B"], part[1])}}
        condition = {} if replace else {"ConditionExpression": "attribute_not_exists(pk)"}
        try:
            self._dynamodb.put_item(TableName=self._table, Item=item, **condition)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _resealed(self, ciphertext: bytes, name: str) -> bytes:
        """A secret under this stack's key. It does not leave KMS."""
        context = {"name": name}
        try:
            answer = self._kms.re_encrypt(
                CiphertextBlob=ciphertext,
                SourceEncryptionContext=context,
                DestinationKeyId=self._key,
                DestinationEncryptionContext=context,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise StackError(
                f"KMS did not reseal a secret of {name}: {code}. Its key has to exist (cancel its "
                "deletion, enable it), and you need kms:ReEncryptFrom and kms:ReEncryptTo"
            ) from error
        return bytes(answer["CiphertextBlob"])

    def _renew(self, project: str) -> None:
        """Count a project's connectors again, and have every process read them again."""
        connectors = 0
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :connectors)",
            ExpressionAttributeValues={":pk": {"S": project}, ":connectors": {"S": "CONNECTOR#"}},
        )
        for page in pages:
            connectors += sum(item["lifecycle"]["S"] != "DELETING" for item in page["Items"])
        self._dynamodb.update_item(
            TableName=self._table,
            Key={"pk": {"S": project}, "sk": {"S": "VERSION"}},
            UpdateExpression="SET connectorCount = :connectors ADD version :step",
            ExpressionAttributeValues={
                ":connectors": {"N": str(connectors)},
                ":step": {"N": str(VERSION_STEP)},
            },
        )

    def reconcile(self) -> int:
        """Run the reconciler until nothing is missing; how many repairs it made.

        Raises `StackError` when it does not get there.
        """
        function = self._cloudformation.describe_stack_resource(
            StackName=self._stack, LogicalResourceId="ReconcilerFunction"
        )["StackResourceDetail"]["PhysicalResourceId"]
        deadline = self._now() + RECONCILER_DEADLINE
        repairs = 0
        report: dict[str, Any]
        while True:
            answer = self._lambda.invoke(FunctionName=function, Payload=b'{"audit": true}')
            report = json.loads(answer["Payload"].read())
            if "FunctionError" in answer:
                raise StackError(f"{function} failed: {report.get('errorMessage', report)}")
            done = int(report["drift"] + report["updated"])
            repairs += done
            missing = report["waiting"] + report["not_repaired"] + report["not_done"]
            if report["finished"] and not done and not missing:
                return repairs
            if self._now() > deadline:
                raise StackError(
                    f"{missing} queues or mappings are still missing: the log of {function} says "
                    "why (reconciler.not_repaired). Run this again later"
                )
            self._sleep(RECONCILER_PAUSE)

    def replays(self, since: float) -> Iterator[dict[str, Any]]:
        """For each connector, the replay of what was accepted since a moment."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="byLifecycle",
            KeyConditionExpression="lifecycle = :ready",
            ExpressionAttributeValues={":ready": {"S": "READY"}},
        )
        for page in pages:
            for item in page["Items"]:
                project = item["pk"]["S"].removeprefix("PROJECT#")
                connector = item["sk"]["S"].removeprefix("CONNECTOR#")
                yield {
                    "connector": f"projects/{project}/dataconnectors/{connector}",
                    "replay": {"startTime": _text(since), "endTime": _text(self._now())},
                }


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment.timestamp()


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Returns 1 when it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.restore")
    parser.add_argument("--stack", required=True, help=f"its name, or {LOCAL}")
    parser.add_argument("--region", help="default: that of the AWS configuration")
    parser.add_argument("--state-dir", default=".local", help="that of the running `make run`")
    parser.add_argument("--table", help="the restored table; default: make queues only")
    parser.add_argument("--replace", action="store_true", help="also replace rows that differ")
    parser.add_argument("--reseal", action="store_true", help="it is of a stack with another key")
    parser.add_argument("--since", default="", metavar="TIME", help="such as 2026-11-28T10:00:00Z")
    options = parser.parse_args(arguments)
    try:
        since = _moment(options.since) if options.since else None
    except ValueError:
        print(
            f"restore: SINCE is '{options.since}', expected 2026-11-28T10:00:00Z", file=sys.stderr
        )
        return 1
    try:
        with explained():
            session: Any = boto3.Session(region_name=options.region)
            stack = options.stack
            if stack == LOCAL:
                running = running_in(Path(options.state_dir))
                session, stack = LocalAws(running), running["stack"]
            restorer = Restorer(session, stack)
            if options.table:
                copied, kept = restorer.copy(
                    options.table, replace=options.replace, reseal=options.reseal
                )
                print(f"copied {copied} rows; {kept} were there already", file=sys.stderr)
            repairs = restorer.reconcile()
            print(f"{repairs} repairs: every connector has its queue and mapping", file=sys.stderr)
            for line in restorer.replays(since) if since is not None else ():
                print(json.dumps(line))
    except StackError as error:
        print(f"restore: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
