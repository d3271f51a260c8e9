"""Received messages: what SQS tells about each, and what we put into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dataconnectors.events.message import Message
from dataconnectors.kernel.errors import MessageError


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A received message as SQS describes it. Times are epoch seconds."""

    message_id: str
    receipt_handle: str
    queue_arn: str
    receive_count: int
    sent_at: float
    first_received_at: float
    text: str

    @classmethod
    def from_event(cls, record: Mapping[str, Any]) -> Self:
        """Read one of the `Records` of the event that Lambda's poller makes."""
        attributes = record["attributes"]
        return cls(
            message_id=record["messageId"],
            receipt_handle=record["receiptHandle"],
            queue_arn=record["eventSourceARN"],
            receive_count=int(attributes["ApproximateReceiveCount"]),
            sent_at=int(attributes["SentTimestamp"]) / 1000,
            first_received_at=int(attributes["ApproximateFirstReceiveTimestamp"]) / 1000,
            text=record["body"],
        )


@dataclass(frozen=True, slots=True)
class QueuedEvent:
    """A message that was read, and the bytes to POST."""

    record: ReceivedMessage
    message: Message
    body: bytes

    @classmethod
    def of(cls, record: ReceivedMessage) -> Self:
        """Read the record's message; raises `MessageError`."""
        message = Message.from_text(record.text)
        try:
            return cls(record, message, message.body.encode())
        except UnicodeEncodeError:
            raise MessageError("the message's body is not Unicode text") from None


def oldest_age(records: Sequence[ReceivedMessage], now: float) -> float:
    """Seconds since the first of the messages was sent; 0 without any."""
    return max((max(0.0, now - record.sent_at) for record in records), default=0.0)
