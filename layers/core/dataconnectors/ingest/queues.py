"""Putting messages into connectors' queues: batched, in parallel, confirmed one by one."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

BATCH_ENTRIES = 10
"""AWS: SendMessageBatch takes 10 entries."""

BATCH_BYTES = 1024 * 1024
"""AWS: the messages of one SendMessageBatch have 1 MiB together."""

ROUNDS = 3
"""How often the entries that SQS reported as failed are sent, the first time included."""

PAUSE = 0.05
"""Seconds before the second round, doubled before each further one."""

MISSING_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
"""Error codes for a queue that is not there: the query protocol's and the JSON protocol's."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One message for one queue. `event` is the position of its event in the caller's list."""

    event: int
    text: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of the entries for one queue.

    `refused` holds the events that SQS did not confirm, with a reason; `missing` says that the
    queue is not there, and that none of them can have arrived.
    """

    refused: dict[int, str]
    missing: bool = False


class ConnectorQueues:
    """Sends to many queues at once. Safe to share between threads."""

    def __init__(
        self, sqs: Any, executor: Executor, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._sqs = sqs
        self._executor = executor
        self._sleep = sleep

    def send(self, entries: dict[str, list[QueueEntry]]) -> dict[str, SendResult]:
        """Send each queue's entries; the answer has the same keys, queue URLs.

        Returns only when SQS has confirmed or refused every entry, or did not answer in time.
        Never raises for what SQS does.
        """
        batches = [
            (url, batch) for url, queue_entries in entries.items() for batch in split(queue_entries)
        ]
        results = self._executor.map(lambda job: self._send_batch(*job), batches)
        answers = {url: SendResult({}) for url in entries}
        for (url, _), sent in zip(batches, results, strict=True):
            before = answers[url]
            answers[url] = SendResult(before.refused | sent.refused, before.missing or sent.missing)
        return answers

    def _send_batch(self, url: str, batch: Sequence[QueueEntry]) -> SendResult:
        remaining = dict(enumerate(batch))
        reasons: dict[int, str] = {}
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(PAUSE * 2 ** (round_number - 1))
            try:
                answer = self._sqs.send_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(number), "MessageBody": entry.text}
                        for number, entry in remaining.items()
                    ],
                )
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                # botocore has repeated the call already where that can help.
                return SendResult(
                    {entry.event: code for entry in remaining.values()}, code in MISSING_QUEUE
                )
            except BotoCoreError as error:
                return SendResult(
                    {entry.event: type(error).__name__ for entry in remaining.values()}
                )
            # Confirmed is what the answer names as successful: an entry that it does not name
            # at all was not accepted.
            for success in answer.get("Successful", []):
                remaining.pop(int(success["Id"]), None)
            reasons = {int(failed["Id"]): failed["Code"] for failed in answer.get("Failed", [])}
            if not remaining:
                break
        return SendResult(
            {entry.event: reasons.get(number, "unknown") for number, entry in remaining.items()}
        )


def split(entries: Sequence[QueueEntry]) -> Iterator[list[QueueEntry]]:
    """The entries in batches that one SendMessageBatch takes. Texts are ASCII."""
    batch: list[QueueEntry] = []
    size = 0
    for entry in entries:
        if batch and (len(batch) == BATCH_ENTRIES or size + len(entry.text) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += len(entry.text)
    if batch:
        yield batch
