"""Queue messages as SQS hands them out, and the events in them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from dataconnectors.events.message import TEST, Message
from dataconnectors.kernel.errors import MessageError


class ReceivedMessage(NamedTuple):
    """A message as SQS describes it at one receive. Times are in epoch seconds.

    `receive_count` is 1 at the first receive, and also counts receives without an attempt.
    """

    message_id: str
    receipt_handle: str
    queue_arn: str
    receive_count: int
    sent_at: float
    first_received_at: float
    text: str

    @classmethod
    def from_event(cls, record: Mapping[str, Any]) -> Self:
        """Read one of the `Records` in the event that an event source mapping invokes us with."""
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


class QueuedEvent(NamedTuple):
    """The event in a message, and the bytes to POST.

    `connector` is a resource name, `epoch` the connector's when the event was accepted. `origin` is
    that of `events.message.Message`.
    """

    message: ReceivedMessage
    connector: str
    epoch: int
    event_id: str
    body: bytes
    origin: str = ""

    @property
    def is_test(self) -> bool:
        """Whether it was made by a call that tests the connector."""
        return self.origin == TEST

    @classmethod
    def of(cls, message: ReceivedMessage) -> Self:
        """Read a message; raises `MessageError` for one that is not ours."""
        content = Message.from_text(message.text)
        try:
            body = content.body.encode()
        except UnicodeEncodeError:
            raise MessageError("the message's body is not Unicode text") from None
        return cls(
            message, content.connector, content.epoch, content.event_id, body, content.origin
        )

    def age(self, now: float) -> float:
        """Seconds since the event was queued. `now` is in epoch seconds."""
        return now - self.message.sent_at


def oldest_age(messages: Sequence[ReceivedMessage], now: float) -> float:
    """Seconds since the first of the messages was sent; 0 when there are none."""
    return max((max(0.0, now - message.sent_at) for message in messages), default=0.0)
