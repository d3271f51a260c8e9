"""Events that are not delivered within their 12 hours: when that is certain, and what is told.

SQS drops what it has kept for 12 hours without a word. So whoever sees that no further attempt
fits says so, keeps a record of the event, and only then lets go of its message.
"""

from dataclasses import dataclass
from typing import Any

from dataconnectors.kernel import times

RETENTION_SECONDS = 43_200
"""12 hours, as the contract promises and connectors' queues are made with."""

MARGIN_SECONDS = 120
"""Before the end: for the last receive, its attempt, and several tries at keeping the record."""

LAST_AGE = RETENTION_SECONDS - MARGIN_SECONDS
"""Seconds since the event was queued. No attempt begins at this age."""

KEPT_SECONDS = 31 * 24 * 3600
"""How long a record can be read: as long as the event itself, in its device's history."""

KEEP_AGAIN = 20.0
"""Seconds until a record that could not be kept is tried again."""


@dataclass(frozen=True, slots=True)
class ExpiredEvent:
    """An event that its connector's endpoint has not acknowledged in time.

    `attempts` is how often SQS has handed it out, hence at least the number of attempts. `kind`
    (see `outcomes`, or `UNTRIED`), `message` and `status` are of the last failure. `accepted_at`
    and `expired_at` are epoch seconds. `event_type` and `target` are "" where the body has none.
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

    def to_api(self) -> dict[str, Any]:
        """The record as answers show it."""
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


UNTRIED = "untried"
"""The kind of a failure that was not an attempt: ours, not the endpoint's."""

UNACCOUNTED = "unaccounted"
"""The kind of a record that stands for several events that nobody has seen go: see `balance`."""


def fits(age: float) -> bool:
    """Whether an attempt may begin when its event is `age` seconds old."""
    return age < LAST_AGE


def keep_again_in(age: float) -> float:
    """Seconds to wait when the record of an event of this age could not be kept.

    Until no attempt may begin: then the next receive only keeps the record, and the endpoint is
    never called earlier than the retry clock allows.
    """
    return max(LAST_AGE - age, KEEP_AGAIN)
