"""Messages that are a fault of ours: kept in a queue of their own, with why and where from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.visibility import queue_url

ENTRIES_PER_CALL = 10
"""AWS: SendMessageBatch takes 10 entries."""

MAXIMUM_BYTES = 1024 * 1024
"""AWS: a message, its attributes included, has 1 MiB at most, and so has a whole batch."""

LONGEST_REASON = 300
"""Characters. Ours are shorter; a name of a stranger's choice may be in it."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that nothing can be done with. `reason` is for an operator, in ASCII."""

    record: ReceivedMessage
    reason: str


class DeadLetterQueue:
    """The queue of our faults. `sqs` is a botocore client.

    A stray keeps its body as it was. Attributes say the reason, and where it was: `queue` (an
    ARN), `messageId`, `receiveCount` and `sentAt` (epoch milliseconds); `bytes` says how long a
    body was that had to be cut to make room for them. Attributes of the original are not kept:
    messages of ours have none.
    """

    def __init__(self, sqs: Any, queue_arn: str) -> None:
        self._sqs = sqs
        self._arn = queue_arn

    def put(self, strays: Sequence[DeadLetter]) -> set[str]:
        """Put strays, and return the ids of the messages that SQS has confirmed.

        Raises botocore's `ClientError` or `BotoCoreError`: then some may be there, and come
        another time.
        """
        confirmed = set()
        for batch in _batches([(stray, _entry(stray)) for stray in strays]):
            answer = self._sqs.send_message_batch(
                QueueUrl=queue_url(self._sqs.meta.endpoint_url, self._arn),
                Entries=[{"Id": str(number), **entry} for number, (_, entry) in enumerate(batch)],
            )
            # An entry that the answer does not name at all was not accepted.
            for success in answer.get("Successful", ()):
                confirmed.add(batch[int(success["Id"])][0].record.message_id)
        return confirmed


def _entry(stray: DeadLetter) -> dict[str, Any]:
    record = stray.record
    attributes = {
        "reason": ("String", stray.reason[:LONGEST_REASON]),
        "queue": ("String", record.queue_arn),
        "messageId": ("String", record.message_id),
        "receiveCount": ("Number", str(record.receive_count)),
        "sentAt": ("Number", str(round(record.sent_at * 1000))),
    }
    raw = record.text.encode(errors="replace")
    # As if the attribute that tells of a cut were always there: a few bytes are not worth a case.
    cut = ("Number", str(len(raw)))
    room = MAXIMUM_BYTES - _size(attributes | {"bytes": cut})
    if len(raw) > room:
        raw = raw[:room]
        attributes["bytes"] = cut
    return {
        "MessageBody": raw.decode(errors="ignore"),
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": value}
            for name, (kind, value) in attributes.items()
        },
    }


def _size(attributes: dict[str, tuple[str, str]]) -> int:
    """AWS counts names, types and values."""
    return sum(
        len(name) + len(kind) + len(value.encode()) for name, (kind, value) in attributes.items()
    )


def _batches(
    entries: Sequence[tuple[DeadLetter, dict[str, Any]]],
) -> Iterator[list[tuple[DeadLetter, dict[str, Any]]]]:
    batch: list[tuple[DeadLetter, dict[str, Any]]] = []
    total = 0
    for stray, entry in entries:
        size = len(entry["MessageBody"].encode()) + _size(
            {
                name: (attribute["DataType"], attribute["StringValue"])
                for name, attribute in entry["MessageAttributes"].items()
            }
        )
        if batch and (len(batch) == ENTRIES_PER_CALL or total + size > MAXIMUM_BYTES):
            yield batch
            batch, total = [], 0
        batch.append((stray, entry))
        total += size
    if batch:
        yield batch
