"""Queue messages: one event's final body, addressed to one connector.

A message's text is ASCII JSON, so that no character in a body can be one that SQS refuses:

    {"v": 1, "connector": "projects/p/dataconnectors/c", "epoch": 3, "eventId": "…",
     "acceptedAt": 1790000000000, "body": "{\"event\":…}"}

`epoch` is the connector's epoch when the event was accepted. A message of an older epoch dates from
before the connector was disabled, and is never sent. `acceptedAt` is in epoch milliseconds. A
message that somebody asked for also has `origin`.

Old and new code run side by side during a deployment, so this code also reads the version before
its own and the one after it. A new version may add fields, but has to keep these.
"""

import json
import re
from dataclasses import dataclass
from typing import Self, TypeVar

from dataconnectors.kernel.errors import MessageError

VERSION = 1
OLDEST_READABLE = 1
NEWEST_READABLE = VERSION + 1

LONGEST_NAME = 300
"""Characters of a connector's name or an event's id; ours have 170 at most. Both become parts of
keys in DynamoDB. A foreign message with a name that DynamoDB refuses as a key would also keep the
records of its neighbours from being written."""

TEST = "test"
"""The `origin` of a test event: it is attempted once, and marked so that receivers can tell."""

TEST_SECONDS = 900.0
"""How old a test event may be when it is attempted. Nobody waits any longer for the outcome, and a
test must not come as a surprise hours later."""

RESEND = "resend"
"""The `origin` of an event of history that somebody has sent once more. It is delivered like any
other."""

_NAME = re.compile(rf"[\x21-\x7e]{{1,{LONGEST_NAME}}}", re.ASCII)

MAXIMUM_BYTES = 64 * 1024
"""Bytes of a message's text. SQS bills each started 64 KiB as a request, and ten messages of this
size fit one SendMessageBatch."""

T = TypeVar("T", str, int)


@dataclass(frozen=True, slots=True)
class Message:
    """One event for one connector. `body` is POSTed; `accepted_at` is in epoch milliseconds.

    `origin` is `TEST` or `RESEND` when somebody asked for this one message, else "".
    """

    connector: str
    epoch: int
    event_id: str
    accepted_at: int
    body: str
    origin: str = ""

    def to_text(self) -> str:
        """Return the message as ASCII JSON, whose length is its size in bytes."""
        fields = {
            "v": VERSION,
            "connector": self.connector,
            "epoch": self.epoch,
            "eventId": self.event_id,
            "acceptedAt": self.accepted_at,
            "body": self.body,
        }
        if self.origin:
            fields["origin"] = self.origin
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a message; raises `MessageError` that says what is wrong, without the body."""
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError):
            raise MessageError("the message is not JSON") from None
        if not isinstance(fields, dict):
            raise MessageError("the message is not a JSON object")
        version = fields.get("v")
        if type(version) is not int or not OLDEST_READABLE <= version <= NEWEST_READABLE:
            raise MessageError(
                f"message version {version!r:.20}: this code reads "
                f"{OLDEST_READABLE} to {NEWEST_READABLE}"
            )
        return cls(
            connector=_name(fields, "connector"),
            epoch=_field(fields, "epoch", int),
            event_id=_name(fields, "eventId"),
            accepted_at=_field(fields, "acceptedAt", int),
            body=_field(fields, "body", str),
            origin=_origin(fields.get("origin")),
        )


def _origin(value: object) -> str:
    """The origin; one that this code does not know, of a later release, is like none."""
    return value if isinstance(value, str) and value in (TEST, RESEND) else ""


def _name(fields: dict[str, object], name: str) -> str:
    value = _field(fields, name, str)
    if not _NAME.fullmatch(value):
        raise MessageError(f"the message's {name} is not 1 to {LONGEST_NAME} ASCII characters")
    return value


def _field(fields: dict[str, object], name: str, kind: type[T]) -> T:
    value = fields.get(name)
    if type(value) is not kind:
        raise MessageError(f"the message's {name} is missing or not of type {kind.__name__}")
    return value
