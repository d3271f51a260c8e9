"""A failing connector: what was told about it, and what is to be told now."""

from enum import StrEnum
from typing import Any, NamedTuple

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.connectors.failing import Failing
from dataconnectors.connectors.health import State, state_of
from dataconnectors.kernel import times

DAY = 86_400.0

WARNED_AFTER_DAYS = (1, 3)
"""Days without a success after which somebody is warned that the connector will be disabled."""


class Kind(StrEnum):
    """EventBridge's `detail-type` of a notice. Customers' rules match it."""

    OUTAGE_BEGAN = "Data Connector Outage Began"
    OUTAGE_CONTINUES = "Data Connector Outage Continues"  # once a day
    OUTAGE_ENDED = "Data Connector Outage Ended"
    WITHOUT_SUCCESS = "Data Connector Without Success"  # a warning
    DISABLED = "Data Connector Disabled"


class Watched(NamedTuple):
    """An entry of the list of failing connectors, with what was told. Times are in epoch seconds.

    `since` is when the connector began to fail. `outage` is when the outage began that was told, 0
    without one; `days` of it were told, and `version` was the row's then. `warned` is the number of
    days of the last warning.
    """

    connector: str
    since: float
    outage: float = 0.0
    days: int = 0
    version: int = 0
    warned: int = 0


class Notice(NamedTuple):
    """What is told: `detail` for programs, `sentence` for people."""

    kind: Kind
    detail: dict[str, Any]
    sentence: str


class Findings(NamedTuple):
    """What is to be told now, and the entry after that; None when it leaves the list."""

    notices: list[Notice]
    entry: Watched | None


def is_due_to_be_disabled(connector: Connector | None, now: float, after_days: int) -> bool:
    """Whether it has failed for `after_days` days without one success. Never when they are 0.

    `delivery.evidence` begins anew after a day without an attempt. So there were attempts on each
    of these days, and the last one is not older than a day.
    """
    failing = _failing(connector)
    return (
        after_days > 0
        and failing is not None
        and now - failing.since >= after_days * DAY
        and now - failing.failed_at <= DAY
    )


def look(entry: Watched, connector: Connector | None, now: float, after_days: int) -> Findings:
    """What is to be told of a connector, whose row is None when it is gone.

    A connector is disabled after `after_days` days without a success; 0 for never.
    """
    if connector is not None and connector.lifecycle is Lifecycle.DELETING:
        connector = None
    failing = _failing(connector)
    notices = []
    outage = failing.window if failing is not None and failing.is_outage else 0.0
    if entry.outage and outage != entry.outage:
        notices.append(_outage_ended(entry, connector, now))
        entry = entry._replace(outage=0.0, days=0)
    if connector is not None and connector.status is Status.SYSTEM_DISABLED:
        notices.append(_disabled(entry, connector, now))
    if failing is None or connector is None:
        return Findings(notices, None)
    if failing.since != entry.since:
        entry = entry._replace(since=failing.since, warned=0)
    if outage and not entry.outage:
        notices.append(_outage_began(connector.name, failing))
        entry = entry._replace(outage=outage, days=0, version=connector.version)
    days = int((now - entry.outage) / DAY) if entry.outage else 0
    if days > entry.days:
        notices.append(_outage_continues(connector.name, failing, days))
        entry = entry._replace(days=days)
    due = [day for day in WARNED_AFTER_DAYS if now - failing.since >= day * DAY]
    if due and due[-1] > entry.warned:
        notices.append(_without_success(connector.name, failing, due[-1], after_days))
        entry = entry._replace(warned=due[-1])
    return Findings(notices, entry)


def _failing(connector: Connector | None) -> Failing | None:
    """What is known of a connector that attempts its events in vain; None for any other."""
    if connector is None or state_of(connector) not in (State.FAILING, State.OUTAGE):
        return None
    return connector.failing


def _detail(name: str, since: float, **more: Any) -> dict[str, Any]:
    return {"connector": name, "since": times.to_text(since), **more}


def _last_error(failing: Failing) -> dict[str, Any]:
    error = {"kind": failing.kind, "message": failing.message, "status": failing.status}
    return {name: value for name, value in error.items() if value is not None}


def _outage_began(name: str, failing: Failing) -> Notice:
    detail = _detail(name, failing.window, lastError=_last_error(failing))
    return Notice(
        Kind.OUTAGE_BEGAN,
        detail,
        f"{name}: its endpoint has failed since {detail['since']} ({failing.message}). One event "
        "at a time is attempted until one succeeds. The others wait, for 12 hours at most.",
    )


def _outage_continues(name: str, failing: Failing, days: int) -> Notice:
    detail = _detail(name, failing.window, days=days, lastError=_last_error(failing))
    return Notice(
        Kind.OUTAGE_CONTINUES,
        detail,
        f"{name}: its endpoint has failed for {_days(days)}, since {detail['since']} "
        f"({failing.message}). Events expire 12 hours after they came.",
    )


def _outage_ended(entry: Watched, connector: Connector | None, now: float) -> Notice:
    state = None if connector is None else state_of(connector)
    if connector is None or state is None:
        why, words = "deleted", "the connector was deleted"
    elif state in (State.DISABLED, State.PAUSED):
        why, words = state.value.lower(), f"the connector was {state.value.lower()}"
    elif connector.version != entry.version:
        why, words = "changed", "the connector was changed, and all events are attempted again"
    else:
        why, words = "recovered", "its endpoint works again, and what has waited is sent now"
    detail = _detail(entry.connector, entry.outage, ended=times.to_text(now), reason=why)
    return Notice(
        Kind.OUTAGE_ENDED,
        detail,
        f"{entry.connector}: the outage that began at {detail['since']} is over: {words}.",
    )


def _without_success(name: str, failing: Failing, days: int, after_days: int) -> Notice:
    more = {"disabledAfterDays": after_days} if after_days else {}
    detail = _detail(name, failing.since, days=days, lastError=_last_error(failing), **more)
    then = f" It will be disabled after {_days(after_days)}." if after_days else ""
    return Notice(
        Kind.WITHOUT_SUCCESS,
        detail,
        f"{name}: no attempt has succeeded for {_days(days)}, since {detail['since']} "
        f"({failing.message}).{then}",
    )


def _disabled(entry: Watched, connector: Connector, now: float) -> Notice:
    time = connector.disable_time or times.to_text(now)
    return Notice(
        Kind.DISABLED,
        _detail(entry.connector, entry.since, disabled=time),
        f"{entry.connector} was disabled by the service at {time}; the audit log says why. Its "
        "events are dropped until somebody enables it.",
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
