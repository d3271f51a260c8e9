"""Connectors' queues: sending messages in batches and in parallel, and which SQS has confirmed."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.queue_depth import MISSING_QUEUE

BATCH_ENTRIES = 10
"""Messages of one SendMessageBatch at most: a limit of AWS."""

BATCH_BYTES = 1024 * 1024
"""Bytes of all messages of one SendMessageBatch at most: a limit of AWS."""

ROUNDS = 3
"""How often an entry is sent while SQS reports it as failed, the first time included."""

FIRST_PAUSE_SECONDS = 0.05
"""The pause before the second round. It is doubled before each further one."""


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """One message for one queue. `event_index` is its event's position in the caller's list."""

    event_index: int
    text: str


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of the entries for one queue.

    `unconfirmed` maps the index of each event that SQS did not confirm to the reason. With
    `queue_missing` the queue is not there, and none of those events can have arrived.
    """

    unconfirmed: dict[int, str]
    queue_missing: bool = False


class ConnectorQueues:
    """Sends to many queues at once. Safe to share between threads."""

    def __init__(
        self, sqs: Any, executor: Executor, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._sqs = sqs
        self._executor = executor
        self._sleep = sleep

    def send(self, entries: dict[str, list[QueueEntry]]) -> dict[str, SendResult]:
        """Send the entries of each queue, by its URL, and return the result of each queue.

        Returns only when SQS has confirmed or refused every entry, or did not answer in time.
        Never raises for what SQS does.
        """
        batches = [
            (queue_url, batch)
            for queue_url, queue_entries in entries.items()
            for batch in split_into_batches(queue_entries)
        ]
        batch_results = self._executor.map(lambda job: self._send_batch(*job), batches)
        results = {queue_url: SendResult({}) for queue_url in entries}
        for (queue_url, _), of_batch in zip(batches, batch_results, strict=True):
            so_far = results[queue_url]
            results[queue_url] = SendResult(
                so_far.unconfirmed | of_batch.unconfirmed,
                so_far.queue_missing or of_batch.queue_missing,
            )
        return results

    def _send_batch(self, queue_url: str, batch: Sequence[QueueEntry]) -> SendResult:
        remaining = dict(enumerate(batch))
        reasons: dict[int, str] = {}
        for round_number in range(ROUNDS):
            if round_number:
                self._sleep(FIRST_PAUSE_SECONDS * 2 ** (round_number - 1))
            try:
                answer = self._sqs.send_message_batch(
                    QueueUrl=queue_url,
                    Entries=[
                        {"Id": str(number), "MessageBody": entry.text}
                        for number, entry in remaining.items()
                    ],
                )
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", ""))
                # botocore has already repeated the call where that can help.
                return SendResult(
                    {entry.event_index: code for entry in remaining.values()}, code in MISSING_QUEUE
                )
            except BotoCoreError as error:
                return SendResult(
                    {entry.event_index: type(error).__name__ for entry in remaining.values()}
                )
            # Only what the answer names as successful is confirmed. An entry that it does not
            # name at all was not accepted.
            for success in answer.get("Successful", []):
                remaining.pop(int(success["Id"]), None)
            reasons = {int(failed["Id"]): failed["Code"] for failed in answer.get("Failed", [])}
            if not remaining:
                break
        return SendResult(
            {
                entry.event_index: reasons.get(number, "unknown")
                for number, entry in remaining.items()
            }
        )


def split_into_batches(entries: Sequence[QueueEntry]) -> Iterator[list[QueueEntry]]:
    """Yield the entries in batches that one SendMessageBatch takes.

    Texts are ASCII, so their length is their size in bytes.
    """
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
