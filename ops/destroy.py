"""Removes a deployment, including everything that it made at run time.

    python -m ops.destroy --stack NAME [--region REGION] [--yes] [--undelivered]

It deletes no undelivered event unless `--undelivered` says so. CloudFormation does not know the
connectors' queues and event source mappings, so they are deleted before the stack: first the
mappings, because a mapping whose queue is gone stays for ever, then the queues. What is gone
already is skipped, so the command can be repeated after an interruption.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from ops.aws import explained
from ops.stacks import StackError, outputs

SAM = Path(__file__).parents[1] / ".venv" / "sam" / "bin" / "sam"

CALLS_PER_SECOND = 5
"""AWS: Lambda's control plane takes 15 requests a second of an account in a Region, all operations
together. A third of that leaves room for other deployments."""

STACK_TAG = "dataconnectors:stack"
"""Tag of a connector's queue, whose value is the name of its stack."""

MAPPING_DEADLINE = 900
"""Seconds until mappings that are still there are an error. AWS deletes one within a minute."""

MAPPING_PAUSE = 5
"""Seconds between checks whether mappings are deleted."""

MAKERS = (
    "ReconcilerFunction",
    "ConfigApiFunction",
    "IngestFunction",
    "LabelsFunction",
    "ReplayFunction",
    "SyncFunction",
)
"""Functions that would make queues, or fill them, while existing ones are deleted."""


DEPTHS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
"""AWS: the three counts that add up to all messages of a queue. One that is being attempted, or
waits for its next attempt, is not visible."""

NAMED_QUEUES = 5
"""Queues that a refusal names, those with the most events first."""


class DestroyError(Exception):
    """Something could not be removed. The text says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many mappings and queues were removed."""

    mappings: int
    queues: int


class Remover:
    """Removes what one stack made at run time, and nothing that belongs to another stack."""

    def __init__(
        self,
        session: Any,
        stack: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`session` is boto3's; `clock` and `sleep` are in seconds."""
        self._stack = stack
        self._cloudformation = session.client("cloudformation")
        self._dynamodb = session.client("dynamodb")
        self._lambda = session.client("lambda")
        self._sqs = session.client("sqs")
        self._clock = clock
        self._sleep = sleep
        self._ours: set[str] = set()

    def undelivered(self) -> dict[str, int]:
        """How many events each queue still holds, by its name, without those that hold none.

        Besides the connectors' queues it looks at the one of events that ingest did not accept.
        SQS's counts lag by up to a minute, as it says itself.
        """
        urls = list(self._queues())
        stack_outputs = outputs(self._cloudformation, self._stack) or {}
        if failures := stack_outputs.get("IngestFailuresQueueUrl"):
            urls.append(failures)
        counts = {url.rpartition("/")[2]: self._depth(url) for url in urls}
        return {name: count for name, count in counts.items() if count}

    def _depth(self, url: str) -> int:
        try:
            answer = self._call(
                self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=list(DEPTHS)
            )
        except self._sqs.exceptions.QueueDoesNotExist:
            return 0
        return sum(int(answer["Attributes"][name]) for name in DEPTHS)

    def remove(self, *, with_undelivered: bool = False) -> Removed:
        """Stop the functions that make queues, then remove all mappings, then all queues.

        Raises `DestroyError`, before it stops anything, when the table is protected or events are
        undelivered; and after it has stopped ingest, when some came in between. `with_undelivered`
        deletes them.
        """
        stack_outputs = outputs(self._cloudformation, self._stack)
        if table := (stack_outputs or {}).get("TableName"):
            self._refuse_protected(table)
        sender = stack_outputs.get("SenderAliasArn") if stack_outputs else None
        if not with_undelivered:
            self._refuse_undelivered("Nothing was changed.")
        if sender:
            self._stop_makers()
            if not with_undelivered:
                self._refuse_undelivered(
                    "Publishing and the config API are stopped; the rest goes on delivering."
                )
        queues = list(self._queues())
        return Removed(
            mappings=self._remove_mappings(sender, queues), queues=self._remove_queues(queues)
        )

    def _refuse_protected(self, table: str) -> None:
        """CloudFormation would delete everything else, and only then fail at the table."""
        try:
            found = self._call(self._dynamodb.describe_table, TableName=table)["Table"]
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return
        if found.get("DeletionProtectionEnabled"):
            raise DestroyError(
                f"the table {table} is protected from deletion. Nothing was changed. Deploy with "
                "DeletionProtection=false, then run this again"
            )

    def _refuse_undelivered(self, state: str) -> None:
        found = self.undelivered()
        if not found:
            return
        most = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{name} ({count})" for name, count in most[:NAMED_QUEUES])
        more = f" and {len(most) - NAMED_QUEUES} more" if len(most) > NAMED_QUEUES else ""
        raise DestroyError(
            f"{sum(found.values())} undelivered events are in {named}{more}. {state} Run this "
            "again when they are delivered, or with UNDELIVERED=1 (--undelivered) to delete them"
        )

    def _stop_makers(self) -> None:
        """Set their reserved concurrency to 0, so that they are not invoked any more."""
        for logical_id in MAKERS:
            resource = self._cloudformation.describe_stack_resource(
                StackName=self._stack, LogicalResourceId=logical_id
            )["StackResourceDetail"]
            self._call(
                self._lambda.put_function_concurrency,
                FunctionName=resource["PhysicalResourceId"],
                ReservedConcurrentExecutions=0,
            )

    def _queues(self) -> Iterator[str]:
        """URLs of this stack's queues.

        The prefix alone would also find the queues of a stack whose name begins with ours and
        `-c-`. The whole name and the tag tell them apart.
        """
        prefix = f"{self._stack}-c-"
        name = re.compile(rf"{re.escape(prefix)}[0-9a-v]{{20}}")
        page: dict[str, Any] = {}
        while True:
            answer = self._call(
                self._sqs.list_queues, QueueNamePrefix=prefix, MaxResults=1000, **page
            )
            for url in answer.get("QueueUrls", []):
                if name.fullmatch(url.rpartition("/")[2]) and self._is_ours(url):
                    yield url
            if "NextToken" not in answer:
                return
            page = {"NextToken": answer["NextToken"]}

    def _is_ours(self, url: str) -> bool:
        """Whether the tag of a queue names this stack. It is read once: tags do not change."""
        if url in self._ours:
            return True
        try:
            tags = self._call(self._sqs.list_queue_tags, QueueUrl=url).get("Tags", {})
        except self._sqs.exceptions.QueueDoesNotExist:
            return False  # SQS may still list a queue that was deleted a minute ago
        if tags.get(STACK_TAG) != self._stack:
            return False
        self._ours.add(url)
        return True

    def _remove_mappings(self, sender: str | None, queues: list[str]) -> int:
        """Delete the mappings, and wait until they are gone. Returns how many there were."""
        deadline = self._clock() + MAPPING_DEADLINE
        seen: set[str] = set()
        while True:
            left = list(self._mappings(sender, queues))
            if not left:
                return len(seen)
            if self._clock() > deadline:
                raise DestroyError(
                    f"{len(left)} event source mappings are still there, {left[0]['UUID']} for "
                    f"one ({left[0].get('State')}): run this command again later"
                )
            for mapping in left:
                seen.add(mapping["UUID"])
                if mapping.get("State") != "Deleting":
                    self._delete_mapping(mapping["UUID"])
            self._sleep(MAPPING_PAUSE)

    def _delete_mapping(self, uuid: str) -> None:
        try:
            self._call(self._lambda.delete_event_source_mapping, UUID=uuid)
        except self._lambda.exceptions.ResourceNotFoundException:
            pass  # It is gone already
        except self._lambda.exceptions.ResourceInUseException:
            pass  # It is changing its state; the next check deletes it

    def _mappings(self, sender: str | None, queues: list[str]) -> Iterator[dict[str, Any]]:
        """The mappings of the sender's alias; without a stack, those of each remaining queue."""
        if sender:
            yield from self._listed(FunctionName=sender)
            return
        for url in queues:
            try:
                answer = self._call(
                    self._sqs.get_queue_attributes, QueueUrl=url, AttributeNames=["QueueArn"]
                )
            except self._sqs.exceptions.QueueDoesNotExist:
                continue
            yield from self._listed(EventSourceArn=answer["Attributes"]["QueueArn"])

    def _listed(self, **selection: str) -> Iterator[dict[str, Any]]:
        page: dict[str, str] = {}
        while True:
            answer = self._call(self._lambda.list_event_source_mappings, **selection, **page)
            yield from answer["EventSourceMappings"]
            if not answer.get("NextMarker"):
                return
            page = {"Marker": answer["NextMarker"]}

    def _remove_queues(self, queues: list[str]) -> int:
        for url in queues:
            with contextlib.suppress(self._sqs.exceptions.QueueDoesNotExist):
                self._call(self._sqs.delete_queue, QueueUrl=url)
        return len(queues)

    def _call(self, operation: Callable[..., dict[str, Any]], **parameters: Any) -> dict[str, Any]:
        """Call AWS, then wait, so that there are at most `CALLS_PER_SECOND`."""
        try:
            return operation(**parameters)
        finally:
            self._sleep(1 / CALLS_PER_SECOND)


def delete_stack(stack: str, region: str) -> None:
    """Run `sam delete`, which also removes the uploaded packages; raises CalledProcessError."""
    subprocess.run(
        [SAM, "delete", "--no-prompts", "--stack-name", stack, "--region", region],
        check=True,
        env=os.environ | {"SAM_CLI_TELEMETRY": "0"},
    )


def main() -> int:
    """Ask for confirmation, then remove everything. Returns 1 when it failed."""
    parser = argparse.ArgumentParser(prog="python -m ops.destroy")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="default: that of the AWS configuration")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument(
        "--undelivered", action="store_true", help="delete events that are not delivered yet, too"
    )
    options = parser.parse_args()
    try:
        with explained():
            session = boto3.Session(region_name=options.region)
            remover = Remover(session, options.stack)
            if not options.yes:
                waiting = sum(remover.undelivered().values()) if options.undelivered else 0
                print(f"This deletes {options.stack} in {session.region_name}: its connectors,")
                print(f"their queues and {waiting} undelivered events. This cannot be undone.")
                if input("Type the stack's name to go on: ") != options.stack:
                    print("nothing was deleted")
                    return 1
            removed = remover.remove(with_undelivered=options.undelivered)
            print(f"removed {removed.mappings} mappings and {removed.queues} queues")
            delete_stack(options.stack, session.region_name)
            # A reconciler that was running when it was stopped may have made one more queue.
            if late := remover.remove(with_undelivered=options.undelivered).queues:
                print(f"removed {late} queues that were made in the meantime")
    except (DestroyError, StackError, subprocess.CalledProcessError) as error:
        print(f"destroy: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
