"""SQS's standard queues, with messages that are visible, in flight, or too old."""

import heapq
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.faults.models.errors import refusal

BATCH_ENTRIES = 10
MAXIMUM_BYTES = 1024 * 1024
LONGEST_TIMEOUT = 43_200
IN_FLIGHT = 120_000
NAME_BLOCKED_SECONDS = 60
"""AWS: entries of a batch; bytes of a message and of a batch; seconds of invisibility, counted
from a message's first receive; messages in flight; seconds for which a deleted queue's name is
blocked."""

COUNTED_MINUTES = 240
"""Minutes of counts that are kept of each queue. The hourly accounting looks back less far."""

_DEFAULTS = {"DelaySeconds": "0", "VisibilityTimeout": "30", "MessageRetentionPeriod": "345600"}
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTES = re.compile(
    "DelaySeconds|MessageRetentionPeriod|RedrivePolicy|SqsManagedSseEnabled|VisibilityTimeout"
)


def oldest(_count: int) -> int:
    """The position of the visible message to receive next: the one that was visible longest."""
    return 0


class Message:
    """A message in its queue. Times are in epoch seconds; `note` belongs to the ledger.

    A message is in flight until `visible_at`, and visible afterwards. `handle` belongs to the
    latest receive.
    """

    __slots__ = (
        "body",
        "first_received_at",
        "handle",
        "id",
        "in_flight",
        "note",
        "receives",
        "sent_at",
        "visible_at",
    )

    def __init__(self, message_id: str, body: str, now: float) -> None:
        self.id = message_id
        self.body = body
        self.sent_at = now
        self.visible_at = now
        self.first_received_at = 0.0
        self.receives = 0
        self.handle = ""
        self.in_flight = False
        self.note: Any = None


@dataclass(eq=False, slots=True)
class Minute:
    """The counts of a queue in a minute. `present` are the messages in it at the minute's end."""

    sent: int = 0
    deleted: int = 0
    present: int = 0


@dataclass(eq=False)
class Queue:
    """A queue. `sent` is called with each message that arrives, `expired` with each that is too
    old.

    `minutes` has the latest minutes in which anything was counted, by the epoch's minute.
    """

    name: str
    url: str
    arn: str
    attributes: dict[str, str]
    tags: dict[str, str]
    made_at: float
    clock: Callable[[], float]
    in_flight_limit: int = IN_FLIGHT
    messages: dict[str, Message] = field(default_factory=dict)
    visible: list[Message] = field(default_factory=list)
    timers: list[tuple[float, int, Message]] = field(default_factory=list)
    in_flight: int = 0
    minutes: dict[int, Minute] = field(default_factory=dict)
    sent: Callable[["Queue", Message], None] = lambda queue, message: None
    expired: Callable[["Queue", Message], None] = lambda queue, message: None
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def visibility_timeout(self) -> int:
        return int(self.attributes["VisibilityTimeout"])

    def put(self, body: str) -> Message:
        """Add a new message, which is visible at once."""
        number = next(self._numbers)
        message = Message(f"{self.name[-20:]}-{number:08d}", body, self.clock())
        self.messages[message.id] = message
        self.visible.append(message)
        self._this_minute().sent += 1
        self.sent(self, message)
        return message

    def receive(
        self, maximum: int, timeout: int, pick: Callable[[int], int] = oldest
    ) -> list[Message]:
        """Receive up to `maximum` messages, which are in flight from now on.

        `pick` chooses the position of each among the visible ones. At the limit of messages in
        flight none is received, as with a long poll.
        """
        self.refresh()
        now = self.clock()
        received: list[Message] = []
        while self.visible and len(received) < maximum and self.in_flight < self.in_flight_limit:
            message = self.visible.pop(pick(len(self.visible)))
            if self._is_too_old(message, now):
                del self.messages[message.id]
                self._this_minute()
                self.expired(self, message)
                continue
            message.receives += 1
            if message.receives == 1:
                message.first_received_at = now
            message.handle = f"{message.id}#{message.receives}"
            self._hide(message, now + timeout)
            received.append(message)
        return received

    def refresh(self) -> None:
        """Make the messages visible whose timeout is over."""
        now = self.clock()
        while self.timers and self.timers[0][0] <= now:
            visible_at, _, message = heapq.heappop(self.timers)
            if message.in_flight and message.visible_at == visible_at:
                self._show(message)

    def expire(self) -> None:
        """Drop the visible messages that are too old."""
        now = self.clock()
        for message in [entry for entry in self.visible if self._is_too_old(entry, now)]:
            self._take_out(message)
            self.expired(self, message)

    def _is_too_old(self, message: Message, now: float) -> bool:
        return now - message.sent_at >= int(self.attributes["MessageRetentionPeriod"])

    def change(self, message: Message, seconds: float) -> None:
        """Make a message in flight visible so many seconds from now."""
        if seconds <= 0:
            self._show(message)
        else:
            self._hide(message, self.clock() + seconds)

    def hide(self, message: Message, seconds: float) -> None:
        """Keep a visible message from being received for a while."""
        self.visible.remove(message)
        self._hide(message, self.clock() + seconds)

    def remove(self, message: Message) -> None:
        """Delete a message."""
        self._take_out(message)
        self._this_minute().deleted += 1

    def _take_out(self, message: Message) -> None:
        del self.messages[message.id]
        self._this_minute()
        if message.in_flight:
            message.in_flight = False
            self.in_flight -= 1
        else:
            self.visible.remove(message)

    def next_timer(self) -> float | None:
        """When the next message in flight becomes visible; None if none is in flight."""
        while self.timers:
            visible_at, _, message = self.timers[0]
            if message.in_flight and message.visible_at == visible_at:
                return visible_at
            heapq.heappop(self.timers)
        return None

    def _this_minute(self) -> Minute:
        """The counts of the current minute, with the messages that are present now."""
        number = int(self.clock() // 60)
        minute = self.minutes.get(number)
        if minute is None:
            minute = self.minutes[number] = Minute()
            if len(self.minutes) > COUNTED_MINUTES:
                del self.minutes[next(iter(self.minutes))]
        minute.present = len(self.messages)
        return minute

    def _hide(self, message: Message, until: float) -> None:
        message.visible_at = until
        if not message.in_flight:
            message.in_flight = True
            self.in_flight += 1
        heapq.heappush(self.timers, (until, next(self._numbers), message))

    def _show(self, message: Message) -> None:
        message.visible_at = min(message.visible_at, self.clock())
        message.in_flight = False
        self.in_flight -= 1
        self.visible.append(message)


class Sqs:
    """An account's queues. `clock` gives epoch seconds. `made` and `deleted` are called with a
    queue."""

    name = "sqs"

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        made: Callable[[Queue], None] = lambda queue: None,
        deleted: Callable[[Queue], None] = lambda queue: None,
    ) -> None:
        self.meta = SimpleNamespace(endpoint_url=f"https://sqs.{region}.amazonaws.com")
        self.queues: dict[str, Queue] = {}
        self._clock = clock
        self._region, self._account = region, account
        self._made, self._deleted = made, deleted
        self._deleted_at: dict[str, float] = {}

    # --- queues --------------------------------------------------------------------------------

    def create_queue(
        self,
        *,
        QueueName: str,
        Attributes: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Create a queue. It may exist already if its attributes are the same."""
        attributes = _checked(Attributes or {}, "CreateQueue")
        queue = self.queues.get(QueueName)
        if queue is not None:
            if any(queue.attributes.get(name) != value for name, value in attributes.items()):
                raise refusal("QueueNameExists", "CreateQueue", QueueName)
            return {"QueueUrl": queue.url}
        if (
            self._clock() - self._deleted_at.get(QueueName, -NAME_BLOCKED_SECONDS)
            < NAME_BLOCKED_SECONDS
        ):
            raise refusal("QueueDeletedRecently", "CreateQueue", QueueName)
        queue = self.queues[QueueName] = Queue(
            QueueName,
            f"{self.meta.endpoint_url}/{self._account}/{QueueName}",
            f"arn:aws:sqs:{self._region}:{self._account}:{QueueName}",
            _DEFAULTS | attributes,
            dict(tags or {}),
            self._clock(),
            self._clock,
        )
        self._made(queue)
        return {"QueueUrl": queue.url}

    def get_queue_url(self, *, QueueName: str) -> dict[str, Any]:
        """A queue's URL."""
        return {"QueueUrl": self._queue(QueueName, "GetQueueUrl").url}

    def set_queue_attributes(self, *, QueueUrl: str, Attributes: Mapping[str, str]) -> None:
        """Change attributes at once. AWS takes up to a minute."""
        queue = self._queue(QueueUrl, "SetQueueAttributes")
        queue.attributes |= _checked(Attributes, "SetQueueAttributes")
        if not queue.attributes.get("RedrivePolicy", "given"):  # An empty text removes it
            del queue.attributes["RedrivePolicy"]

    def get_queue_attributes(
        self, *, QueueUrl: str, AttributeNames: Sequence[str] = ()
    ) -> dict[str, Any]:
        """A queue's attributes, including the counts of its messages. What it lacks is left out."""
        queue = self._queue(QueueUrl, "GetQueueAttributes")
        queue.refresh()
        queue.expire()
        everything = queue.attributes | {
            "QueueArn": queue.arn,
            "CreatedTimestamp": str(int(queue.made_at)),
            "ApproximateNumberOfMessages": str(len(queue.visible)),
            "ApproximateNumberOfMessagesNotVisible": str(queue.in_flight),
        }
        wanted = everything if "All" in AttributeNames else AttributeNames
        shown = {name: everything[name] for name in wanted if name in everything}
        return {"Attributes": shown}

    def list_queues(self, *, QueueNamePrefix: str, MaxResults: int) -> dict[str, Any]:
        """List queues by the beginning of their names, on one page. AWS is behind by seconds."""
        urls = [
            queue.url for name, queue in self.queues.items() if name.startswith(QueueNamePrefix)
        ]
        assert len(urls) <= MaxResults, "the model has no second page"
        return {"QueueUrls": urls} if urls else {}

    def list_queue_tags(self, *, QueueUrl: str) -> dict[str, Any]:
        """A queue's tags."""
        return {"Tags": dict(self._queue(QueueUrl, "ListQueueTags").tags)}

    def delete_queue(self, *, QueueUrl: str) -> None:
        """Delete a queue with everything in it."""
        queue = self._queue(QueueUrl, "DeleteQueue")
        del self.queues[queue.name]
        self._deleted_at[queue.name] = self._clock()
        self._deleted(queue)
        queue.messages.clear()

    # --- messages ------------------------------------------------------------------------------

    def send_message(self, *, QueueUrl: str, MessageBody: str) -> dict[str, Any]:
        """Send one message."""
        queue = self._queue(QueueUrl, "SendMessage")
        code = _refused(MessageBody)
        if code:
            raise refusal(code, "SendMessage")
        return {"MessageId": queue.put(MessageBody).id}

    def send_message_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Send up to ten; each entry succeeds or fails by itself."""
        queue = self._queue(QueueUrl, "SendMessageBatch")
        _check_entries(Entries, "SendMessageBatch")
        total = sum(len(entry["MessageBody"].encode(errors="replace")) for entry in Entries)
        if total > MAXIMUM_BYTES:
            raise refusal("BatchRequestTooLong", "SendMessageBatch", f"{total} bytes")
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in Entries:
            code = _refused(entry["MessageBody"])
            if code:
                answer["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": True})
            else:
                message = queue.put(entry["MessageBody"])
                answer["Successful"].append({"Id": entry["Id"], "MessageId": message.id})
        return _without_empty(answer)

    def receive_message(
        self,
        *,
        QueueUrl: str,
        MaxNumberOfMessages: int = 1,
        VisibilityTimeout: int | None = None,
        WaitTimeSeconds: int = 0,
        AttributeNames: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Receive up to ten messages, which are invisible from now on. It never waits."""
        queue = self._queue(QueueUrl, "ReceiveMessage")
        if not 1 <= MaxNumberOfMessages <= BATCH_ENTRIES:
            raise refusal("InvalidParameterValue", "ReceiveMessage", str(MaxNumberOfMessages))
        timeout = queue.visibility_timeout if VisibilityTimeout is None else VisibilityTimeout
        if queue.in_flight >= queue.in_flight_limit and not WaitTimeSeconds:
            raise refusal("OverLimit", "ReceiveMessage")
        received = [
            {
                "MessageId": message.id,
                "ReceiptHandle": message.handle,
                "Body": message.body,
                "Attributes": attributes(message),
            }
            for message in queue.receive(MaxNumberOfMessages, timeout)
        ]
        return {"Messages": received} if received else {}

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> None:
        """Change one message's timeout, counted from now."""
        operation = "ChangeMessageVisibility"
        code = self._change(self._queue(QueueUrl, operation), ReceiptHandle, VisibilityTimeout)
        if code:
            raise refusal(code, operation)

    def change_message_visibility_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Change up to ten; each entry succeeds or fails by itself."""
        queue = self._queue(QueueUrl, "ChangeMessageVisibilityBatch")
        _check_entries(Entries, "ChangeMessageVisibilityBatch")
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in Entries:
            code = self._change(queue, entry["ReceiptHandle"], entry["VisibilityTimeout"])
            if code:
                answer["Failed"].append({"Id": entry["Id"], "Code": code, "SenderFault": True})
            else:
                answer["Successful"].append({"Id": entry["Id"]})
        return _without_empty(answer)

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> None:
        """Delete a message. The handle of an older receive succeeds and deletes nothing."""
        queue = self._queue(QueueUrl, "DeleteMessage")
        message = queue.messages.get(ReceiptHandle.rpartition("#")[0])
        if message is not None and message.handle == ReceiptHandle:
            queue.remove(message)

    def delete_message_batch(
        self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Delete up to ten."""
        _check_entries(Entries, "DeleteMessageBatch")
        for entry in Entries:
            self.delete_message(QueueUrl=QueueUrl, ReceiptHandle=entry["ReceiptHandle"])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def _change(self, queue: Queue, handle: str, seconds: int) -> str:
        """Change a message's timeout; the error code if that is refused, "" if not."""
        queue.refresh()
        if not 0 <= seconds <= LONGEST_TIMEOUT:
            return "InvalidParameterValue"
        message = queue.messages.get(handle.rpartition("#")[0])
        if message is None or message.handle != handle:
            return "InvalidParameterValue"
        if not message.in_flight:
            return "MessageNotInflight"
        if self._clock() + seconds > message.first_received_at + LONGEST_TIMEOUT:
            return "InvalidParameterValue"
        queue.change(message, seconds)
        return ""

    def _queue(self, url_or_name: str, operation: str) -> Queue:
        queue = self.queues.get(url_or_name.rpartition("/")[2])
        if queue is None:
            raise refusal("QueueDoesNotExist", operation, url_or_name)
        return queue


def attributes(message: Message) -> dict[str, str]:
    """The attributes of a received message. Times are in milliseconds."""
    return {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
    }


def _checked(attributes: Mapping[str, str], operation: str) -> dict[str, str]:
    for name, value in attributes.items():
        if not _ATTRIBUTES.fullmatch(name):
            raise refusal("InvalidAttributeName", operation, name)
        low, high = {
            "VisibilityTimeout": (0, LONGEST_TIMEOUT),
            "MessageRetentionPeriod": (60, 1_209_600),
        }.get(name, (0, 0))
        if high and not low <= int(value) <= high:
            raise refusal("InvalidAttributeValue", operation, f"{name} {value}")
    return dict(attributes)


def _check_entries(entries: Sequence[Mapping[str, Any]], operation: str) -> None:
    if not entries:
        raise refusal("EmptyBatchRequest", operation)
    if len(entries) > BATCH_ENTRIES:
        raise refusal("TooManyEntriesInBatchRequest", operation, f"{len(entries)} entries")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise refusal("BatchEntryIdsNotDistinct", operation)


def _refused(body: str) -> str:
    """The error code with which SQS refuses a message; "" for a valid one."""
    if not (body.isascii() and body.isprintable()) and _FORBIDDEN.search(body):
        return "InvalidMessageContents"
    return "InvalidParameterValue" if len(body.encode()) > MAXIMUM_BYTES else ""


def _without_empty(answer: dict[str, Any]) -> dict[str, Any]:
    """SQS leaves empty lists out."""
    return {name: entries for name, entries in answer.items() if entries}
