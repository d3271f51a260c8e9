"""Why an event was delivered to a connector, or was not: from what is known of both.

Nothing records a first attempt that succeeds and is not among those that are logged, so some
verdicts are conclusions: they say `is_certain` False, and why in their sentence.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.logged_attempt import LoggedAttempt
from dataconnectors.expiry.expired_event import RETENTION_SECONDS, ExpiredEvent
from dataconnectors.kernel import times

SOON = 60.0
"""Seconds after an event was accepted, within which its first attempt may not be in the log yet: an
attempt takes 10 s, or 20 with a long `AttemptTimeout`, and a queue may be behind for a moment."""


class Verdict(StrEnum):
    """What became of an event at one connector."""

    DELIVERED = "DELIVERED"
    WAITING = "WAITING"
    EXPIRED = "EXPIRED"
    DROPPED = "DROPPED"
    UNWANTED = "UNWANTED"
    NOT_ACTIVE = "NOT_ACTIVE"
    UNKNOWN = "UNKNOWN"


class Changed(StrEnum):
    """What a change of a connector was about, as far as it decides what is sent."""

    STATUS = "the connector was enabled or disabled"
    EVENTS = "its choice of event types was changed"
    PAUSED = "the connector was paused"
    RESUMED = "the connector was resumed"


class Change(NamedTuple):
    """A change of the connector, in epoch seconds."""

    time: float
    what: Changed
    by: str


class Known(NamedTuple):
    """What is known of an event and of a connector. Times are in epoch seconds.

    `accepted_at` is when the event was accepted; its own timestamp stands for it, with
    `is_accepted_known` False, where that was not recorded. `attempts` are those of the log, the
    newest first, and `logs_from` is since when they are kept. `changes` since the event came are in
    the order of their times; not all of them unless `knows_all_changes`.
    """

    connector: Connector
    event_type: str
    accepted_at: float
    is_accepted_known: bool
    attempts: Sequence[LoggedAttempt]
    expired: ExpiredEvent | None
    changes: Sequence[Change]
    knows_all_changes: bool
    mode: LogMode
    logs_from: float
    now: float


class Explanation(NamedTuple):
    """A verdict, and one or two sentences that say why."""

    verdict: Verdict
    is_certain: bool
    text: str


def explain(known: Known) -> Explanation:
    """What became of the event. The first rule that applies decides."""
    return (
        _by_success(known)
        or _by_test(known)
        or _by_record(known)
        or _by_creation(known)
        or _by_status(known)
        or _by_type(known)
        or _by_waiting(known)
        or _by_log(known)
    )


def facts(known: Known) -> list[tuple[float, str]]:
    """What happened, in the order of time: sentences with their epoch seconds."""
    found = [(times.from_text(known.connector.create_time), "the connector was created")]
    if known.is_accepted_known:
        found.append((known.accepted_at, "the event was accepted"))
    found += [(change.time, f"{change.what} by {change.by}") for change in known.changes]
    for attempt in known.attempts:
        text = f"attempt {attempt.number}: {attempt.message}"
        if attempt.next_at is not None:
            text += f"; the next one is due at {times.to_text(attempt.next_at)}"
        found.append((attempt.started_at, text))
    if known.expired is not None:
        found.append((known.expired.expired_at, f"the event expired: {known.expired.message}"))
    return sorted(found)


def _by_success(known: Known) -> Explanation | None:
    for attempt in known.attempts:
        if not attempt.error:
            when = times.to_text(attempt.started_at)
            text = f"Delivered at attempt {attempt.number}, {when}: {attempt.message}."
            return Explanation(Verdict.DELIVERED, True, text)
    return None


def _by_test(known: Known) -> Explanation | None:
    if known.attempts and known.attempts[0].is_test:
        text = f"A test is attempted once, and this one failed: {known.attempts[0].message}."
        return Explanation(Verdict.DROPPED, True, text)
    return None


def _by_record(known: Known) -> Explanation | None:
    if known.expired is None:
        return None
    text = (
        f"Expired: the endpoint did not answer 200 within 12 hours. After "
        f"{known.expired.attempts} attempts the last error was: {known.expired.message}."
    )
    return Explanation(Verdict.EXPIRED, True, text)


def _by_creation(known: Known) -> Explanation | None:
    created = times.from_text(known.connector.create_time)
    if known.attempts or known.accepted_at >= created:
        return None
    text = (
        "The connector was created after the event came. A replay or :resend sends it what was "
        "there before."
    )
    return Explanation(Verdict.NOT_ACTIVE, known.is_accepted_known, text)


def _by_status(known: Known) -> Explanation | None:
    """Each change of the status ends the deliveries of all events that came before it."""
    changed = [change for change in known.changes if change.what is Changed.STATUS]
    # Each change turns the connector on or off.
    was_active = known.connector.is_active is (len(changed) % 2 == 0)
    if not was_active and not known.attempts:
        text = "The connector was disabled when the event came: such events are never sent."
        is_certain = known.knows_all_changes and known.is_accepted_known
        return Explanation(Verdict.NOT_ACTIVE, is_certain, text)
    if not changed:
        return None
    when = times.to_text(changed[0].time)
    if known.attempts:
        text = (
            f"The connector was disabled at {when}, before an attempt succeeded: what was "
            "undelivered then is never sent."
        )
        return Explanation(Verdict.DROPPED, True, text)
    if changed[0].time - known.accepted_at > SOON and _keeps_failures(known):
        return None  # It failed at no attempt before.
    text = (
        f"The connector was disabled at {when}. No attempt before is in the log: either the first "
        "one succeeded, or there was none, and the event is never sent."
    )
    return Explanation(Verdict.DROPPED, False, text)


def _by_type(known: Known) -> Explanation | None:
    wanted = known.connector.event_types
    if known.attempts or not wanted or known.event_type in wanted:
        return None
    text = (
        f"The connector does not push {known.event_type}: its choice of event types is "
        f"{', '.join(wanted)}."
    )
    changed = any(change.what is Changed.EVENTS for change in known.changes)
    if changed:
        text += " That choice was changed after the event came."
    return Explanation(Verdict.UNWANTED, known.knows_all_changes and not changed, text)


def _by_waiting(known: Known) -> Explanation | None:
    """In the queue still, as far as one can tell."""
    age = known.now - known.accepted_at
    if age >= RETENTION_SECONDS or not known.connector.is_active:
        return None
    held = known.connector.held_since
    why = ""
    if held is not None:
        why = (
            "The connector is paused: its events are held until it is resumed."
            if known.connector.is_paused
            else "The endpoint is in an outage: its events are held until an attempt succeeds."
        )
    if known.attempts:
        last = known.attempts[0]
        text = f"Attempt {last.number} failed: {last.message}."
        if last.next_at is not None:
            text += f" The next one is due at {times.to_text(last.next_at)}."
        return Explanation(Verdict.WAITING, True, f"{text} {why}".strip())
    if held is not None and (held <= known.accepted_at + SOON):
        return Explanation(Verdict.WAITING, True, why)
    if age < SOON:
        text = "It came a moment ago, and no attempt is in the log yet: ask again in a minute."
        return Explanation(Verdict.WAITING, False, text)
    return None


def _by_log(known: Known) -> Explanation:
    """What is left: no success is in the log, and nothing else explains it."""
    if known.attempts:
        text = (
            "Its last attempt in the log failed, and neither a success nor its expiry is recorded. "
            "Its later attempts may have been left out of the log, or SQS has deleted it in an "
            "outage: see the connector's gaps."
        )
        return Explanation(Verdict.UNKNOWN, False, text)
    if known.mode is LogMode.OFF:
        text = (
            "This deployment keeps no log of attempts (AttemptLog=off), and the event is not among "
            "those that expired: it was delivered, or is waiting still."
        )
        return Explanation(Verdict.UNKNOWN, False, text)
    if known.mode is LogMode.ALL and known.accepted_at >= known.logs_from:
        text = (
            "No attempt is in the log, which has all of them unless it was under load. The event "
            "is waiting in the queue, or its attempt was left out."
        )
        return Explanation(Verdict.UNKNOWN, False, text)
    if not _keeps_failures(known):
        text = (
            "It is older than the log of attempts, and not among the events that expired: it was "
            "delivered."
        )
        return Explanation(Verdict.DELIVERED, False, text)
    text = (
        "Failures are logged, and none of this event is: it was delivered at its first attempt, "
        "of which not every one is logged."
    )
    return Explanation(Verdict.DELIVERED, False, text)


def _keeps_failures(known: Known) -> bool:
    """Whether failed attempts of this event would be in the log."""
    return known.mode is not LogMode.OFF and known.accepted_at >= known.logs_from
