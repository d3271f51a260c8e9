"""What became of each message of a batch, and when SQS may hand it out again."""

from enum import StrEnum
from typing import NamedTuple

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.dead_letters import DeadLetter
from dataconnectors.delivery.deadlines import Clocks
from dataconnectors.delivery.expiring import record_of
from dataconnectors.delivery.holding import hold_seconds
from dataconnectors.delivery.received import QueuedEvent, ReceivedMessage
from dataconnectors.delivery.retry import wait_after
from dataconnectors.endpoints.exchange import Exchange
from dataconnectors.endpoints.outcomes import Failed, FailureKind, Outcome
from dataconnectors.expiry.expired_event import ExpiredEvent, attempt_fits, wait_to_save_again

UNDELIVERABLE_WAIT = 3600
"""Seconds until a message that nothing can be done with is tried again, when SQS did not take it
as a dead letter. Until then it must not take a place in batches."""

UNTRIED_REASON = "no attempt could be made at the last"
"""What the record of an event says that was not attempted at its last receive."""


class Verdict(StrEnum):
    """What became of a message. The values are fields of the log line `delivery.batch`."""

    DELIVERED = "delivered"
    DROPPED = "dropped"  # its connector is deleted or was disabled since, or a test is too old
    EXPIRED = "expired"  # no attempt fits within its 12 hours, and a record of it is saved
    DEAD_LETTERED = "dead_lettered"  # nothing can be done with it, and it is a dead letter now
    TESTED = "tested"  # the endpoint did not acknowledge it, and a test is attempted once
    FAILED = "failed"  # the endpoint did not acknowledge it
    HELD = "held"  # not attempted: its connector is in an outage, or paused
    POSTPONED = "postponed"  # not attempted: no configuration, or no secret to sign with
    UNDELIVERABLE = "undeliverable"  # nothing can be done with it, and it is no dead letter yet
    NOT_STARTED = "not_started"  # not attempted: the batch had no time left


LEAVES_QUEUE = frozenset(
    {
        Verdict.DELIVERED,
        Verdict.DROPPED,
        Verdict.EXPIRED,
        Verdict.DEAD_LETTERED,
        Verdict.TESTED,
    }
)
"""SQS deletes messages with these verdicts. All others come again."""


class Attempted(NamedTuple):
    """What the attempt log needs of an attempt besides its outcome.

    `connector` is the row that it was made on, and `ended_at` is in epoch seconds. `exchange` is
    None when the attempt's thread has not returned.
    """

    event: QueuedEvent
    connector: Connector
    ended_at: float
    exchange: Exchange | None


class Result(NamedTuple):
    """A message, its verdict, and what is still to be done about it.

    `due` is when SQS may hand the message out again, in seconds of the monotonic clock; None when
    it leaves the queue. The message may leave only after `dead_letter` is in its queue, or
    `expired` is saved. `outcome` is that of an attempt, and counts for the connector with the
    resource name `connector`; `attempted` has the rest of it. `gone` is the row that the attempt
    was made on, if the endpoint has answered that it is gone.
    """

    message: ReceivedMessage
    verdict: Verdict
    due: float | None = None
    dead_letter: DeadLetter | None = None
    expired: ExpiredEvent | None = None
    connector: str = ""
    outcome: Outcome | None = None
    gone: Connector | None = None
    attempted: Attempted | None = None


def undeliverable(message: ReceivedMessage, reason: str, clocks: Clocks) -> Result:
    """Nothing can be done with the message; `reason` is for an operator."""
    return Result(
        message,
        Verdict.UNDELIVERABLE,
        due=clocks.monotonic() + UNDELIVERABLE_WAIT,
        dead_letter=DeadLetter(message, reason),
    )


def postponed(event: QueuedEvent, clocks: Clocks) -> Result:
    """The event could not be attempted for a reason of ours. It waits as after a failed attempt."""
    age = event.age(clocks.wall())
    wait = wait_after(event.message.receive_count, 0, age)
    if not attempt_fits(age + wait):
        return overdue(event, clocks)
    return Result(event.message, Verdict.POSTPONED, due=clocks.monotonic() + wait)


def not_started(event: QueuedEvent, clocks: Clocks) -> Result:
    """The batch had no time for the event. It was due, so SQS may hand it out again at once."""
    return Result(event.message, Verdict.NOT_STARTED, due=clocks.monotonic())


def held(
    event: QueuedEvent, connector: Connector, share: float, spread: float, clocks: Clocks
) -> Result:
    """The event goes back without an attempt, because its connector is in an outage or paused.

    `share` and `spread` are those of `holding.hold_seconds`.
    """
    now = clocks.wall()
    age = event.age(now)
    wait = hold_seconds(event.message.receive_count, age, share, spread, now)
    if wait <= 0:
        result = overdue(event, clocks, failure_while_held(connector))
        return result._replace(verdict=Verdict.HELD)
    return Result(event.message, Verdict.HELD, due=clocks.monotonic() + wait)


def overdue(event: QueuedEvent, clocks: Clocks, failure: Failed | str = UNTRIED_REASON) -> Result:
    """No attempt fits within the event's 12 hours any more, and this receive made none.

    `failure` is what its record says: that of an earlier attempt, or why there was none.
    """
    now = clocks.wall()
    return Result(
        event.message,
        Verdict.POSTPONED,
        due=clocks.monotonic() + wait_to_save_again(event.age(now)),
        expired=record_of(event, failure, now),
    )


def failure_while_held(connector: Connector) -> Failed | str:
    """Why events of this connector are held until they expire: a pause, or what its last canary
    has met."""
    failing = connector.failing
    if connector.is_paused:
        return "the connector was paused until the event's 12 hours were over"
    if failing is None or not failing.is_outage:
        return UNTRIED_REASON
    return Failed(
        FailureKind(failing.kind),
        f"not attempted at the last, because the endpoint failed for long: {failing.message}",
        response_time=0.0,
        status=failing.status,
    )
