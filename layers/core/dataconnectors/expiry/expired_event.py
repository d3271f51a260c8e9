"""An event that was not acknowledged within 12 hours: its record, and when its time is up.

SQS deletes a message 12 hours after it was accepted, and says nothing. So the sender is earlier:
when no further attempt fits, it saves a record of the event, and only then lets its message go.
"""

from dataclasses import dataclass
from typing import Any

from dataconnectors.kernel import times

RETENTION_SECONDS = 43_200
"""How long SQS keeps a message of a connector's queue, counted from when SQS accepted it: the 12
hours that the contract promises."""

MARGIN_SECONDS = 120
"""What is left of these 12 hours when the last attempt may begin: time for the last receive, for
its attempt, and for several tries to save the record."""

LAST_ATTEMPT_AGE = RETENTION_SECONDS - MARGIN_SECONDS
"""Seconds after SQS accepted the event. No attempt begins at this age or later."""

RECORD_RETENTION_SECONDS = 31 * 24 * 3600
"""How long a record can be read: as long as the event itself in its device's history."""

SAVE_RETRY_SECONDS = 20.0
"""The shortest wait before a record that could not be saved is tried again."""

UNTRIED = "untried"
"""The `kind` of a failure without an attempt: the fault is ours, not the endpoint's."""

UNACCOUNTED = "unaccounted"
"""The `kind` of a record that stands for several events, which SQS deleted without anybody noticing
(see `accounting`)."""


@dataclass(frozen=True, slots=True)
class ExpiredEvent:
    """The record of an event that its connector's endpoint did not acknowledge in time.

    `attempts` is how often SQS handed the message out, which is at least the number of attempts.
    `kind` (a `FailureKind` of `endpoints.outcomes`, `UNTRIED` or `UNACCOUNTED`), `message` and the
    HTTP `status` describe the last failure. `event_type` and `target` are "" where the event's body
    has none. `accepted_at` and `expired_at` are in epoch seconds. `event_time` is the event's own
    timestamp, in epoch seconds, or None when it is not known. `count` is how many events the record
    stands for: more than one only when it is `UNACCOUNTED`, and then about so many.
    """

    connector: str
    event_id: str
    event_type: str
    target: str
    attempts: int
    kind: str
    message: str
    status: int | None
    accepted_at: float
    expired_at: float
    event_time: float | None = None
    count: int = 1

    def to_api(self) -> dict[str, Any]:
        """The record as the API answers it."""
        error = {"kind": self.kind, "message": self.message, "status": self.status}
        return {
            "eventId": self.event_id,
            "eventType": self.event_type,
            "targetName": self.target,
            "attempts": self.attempts,
            "lastError": {name: value for name, value in error.items() if value is not None},
            "acceptedTime": times.to_text(self.accepted_at),
            "expiredTime": times.to_text(self.expired_at),
        }


def attempt_fits(age: float) -> bool:
    """Whether an attempt may begin when SQS has had its event for `age` seconds."""
    return age < LAST_ATTEMPT_AGE


def wait_to_save_again(age: float) -> float:
    """Seconds to wait after the record of an event of this age could not be saved.

    The wait lasts until no attempt may begin any more. So the next receive only saves the record,
    and the endpoint is never called earlier than its back-off allows.
    """
    return max(LAST_ATTEMPT_AGE - age, SAVE_RETRY_SECONDS)
