"""Dead letters: messages that nothing can be done with, in a queue of their own with the reason.

A failing endpoint never makes one. They are not our messages, or of a version that this code does
not know, or of a connector that never existed.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from dataconnectors.delivery.received import ReceivedMessage
from dataconnectors.delivery.visibility import queue_url

ENTRIES_PER_CALL = 10
"""AWS: SendMessageBatch takes 10 entries."""

MAXIMUM_BYTES = 1024 * 1024
"""AWS: a message with its attributes has 1 MiB at most, and so has a whole batch."""

LONGEST_REASON = 300
"""Characters. Our reasons are shorter, but a stranger's message may put a long name into one."""

Entry = dict[str, Any]
"""A message as SendMessageBatch takes it, without its `Id`."""


class DeadLetter(NamedTuple):
    """A message that nothing can be done with. `reason` is for an operator, in ASCII."""

    message: ReceivedMessage
    reason: str


class DeadLetterQueue:
    """The queue of dead letters. `sqs` is a botocore client.

    A dead letter keeps its body. Its attributes say the reason and where the message was: `queue`
    (an ARN), `messageId`, `receiveCount` and `sentAt` (epoch milliseconds). `bytes` is the length
    of a body that had to be cut to make room for them. Attributes of the original message are
    lost; our messages have none.
    """

    def __init__(self, sqs: Any, queue_arn: str) -> None:
        self._sqs = sqs
        self._arn = queue_arn

    def put(self, dead_letters: Sequence[DeadLetter]) -> set[str]:
        """Put dead letters, and return the ids of the messages that SQS has confirmed.

        Raises botocore's `ClientError` or `BotoCoreError`. Some may have arrived all the same, and
        are put a second time later.
        """
        confirmed = set()
        for batch in _batches([(letter, _entry(letter)) for letter in dead_letters]):
            answer = self._sqs.send_message_batch(
                QueueUrl=queue_url(self._sqs.meta.endpoint_url, self._arn),
                Entries=[{"Id": str(number), **entry} for number, (_, entry) in enumerate(batch)],
            )
            # An entry that the answer does not name at all was not accepted.
            for success in answer.get("Successful", ()):
                confirmed.add(batch[int(success["Id"])][0].message.message_id)
        return confirmed


def _entry(letter: DeadLetter) -> Entry:
    message = letter.message
    attributes = {
        "reason": ("String", letter.reason[:LONGEST_REASON]),
        "queue": ("String", message.queue_arn),
        "messageId": ("String", message.message_id),
        "receiveCount": ("Number", str(message.receive_count)),
        "sentAt": ("Number", str(round(message.sent_at * 1000))),
    }
    body = message.text.encode(errors="replace")
    full_length = ("Number", str(len(body)))
    # Room for `bytes` is always set aside: a few bytes are not worth a second case.
    room = MAXIMUM_BYTES - _size(attributes | {"bytes": full_length})
    if len(body) > room:
        body = body[:room]
        attributes["bytes"] = full_length
    return {
        "MessageBody": body.decode(errors="ignore"),
        "MessageAttributes": {
            name: {"DataType": data_type, "StringValue": value}
            for name, (data_type, value) in attributes.items()
        },
    }


def _size(attributes: dict[str, tuple[str, str]]) -> int:
    """Bytes, as AWS counts them: names, types and values."""
    return sum(
        len(name) + len(data_type) + len(value.encode())
        for name, (data_type, value) in attributes.items()
    )


def _batches(
    entries: Sequence[tuple[DeadLetter, Entry]],
) -> Iterator[list[tuple[DeadLetter, Entry]]]:
    batch: list[tuple[DeadLetter, Entry]] = []
    total = 0
    for letter, entry in entries:
        size = len(entry["MessageBody"].encode()) + _size(
            {
                name: (attribute["DataType"], attribute["StringValue"])
                for name, attribute in entry["MessageAttributes"].items()
            }
        )
        if batch and (len(batch) == ENTRIES_PER_CALL or total + size > MAXIMUM_BYTES):
            yield batch
            batch, total = [], 0
        batch.append((letter, entry))
        total += size
    if batch:
        yield batch
