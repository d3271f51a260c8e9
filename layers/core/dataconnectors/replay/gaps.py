"""Gaps: what of its events a connector's endpoint never got, and the replay that fills each gap.

A gap is made of records of expired events whose times of acceptance are close together. One of them
may stand for many events, which SQS deleted without anybody noticing (see `expiry.accounting`).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dataconnectors.events.event import MAXIMUM_SECONDS_AHEAD
from dataconnectors.events.history_query import NOT_IN_HISTORY, RETENTION_SECONDS
from dataconnectors.expiry.expired_event import RETENTION_SECONDS as QUEUE_RETENTION_SECONDS
from dataconnectors.expiry.expired_event import UNACCOUNTED, ExpiredEvent
from dataconnectors.expiry.queue_hours import LOOK_BACK
from dataconnectors.kernel import times
from dataconnectors.replay.replay import request_fields
from dataconnectors.replay.replay_request import MAXIMUM_DEVICES

LONGEST_PAUSE = 3600
"""Seconds between the acceptances of two events of one gap, at most. In an outage, a device that
reports every quarter of an hour makes one gap, and two outages on one day make two."""

TIME_TO_ASK = 3600
"""Seconds. A gap's replay begins no earlier than this after history does, so that it can still be
asked for an hour after the gap was read."""

MICROSECOND = 1e-6
"""A replay's end is not part of it: it ends this much after the last event."""


class GapReason(StrEnum):
    """Why events are missing.

    `EXPIRED`: they were not acknowledged within 12 hours. `UNACCOUNTED`: SQS deleted them after 12
    hours, and the sender never received them; about when is known, and about how many.
    """

    EXPIRED = "EXPIRED"
    UNACCOUNTED = "UNACCOUNTED"


@dataclass(slots=True)
class Gap:
    """Events of one connector that were accepted from `first` to `last`, in epoch seconds.

    `first_event` and `last_event` are the first and the last timestamps of the events themselves,
    `devices` their ids and `event_types` their types, as far as history has them.
    """

    connector: str
    reason: GapReason
    first: float
    last: float
    count: int = 0
    first_event: float | None = None
    last_event: float | None = None
    devices: set[str] = field(default_factory=set)
    event_types: set[str] = field(default_factory=set)
    is_any_device: bool = False

    def to_api(self, now: float) -> dict[str, Any]:
        """The gap as answers show it; its `replay` is null when history has none of its events."""
        return {
            "reason": self.reason.value,
            "startTime": times.to_text(self.first),
            "endTime": times.to_text(self.last),
            "count": self.count,
            "replay": self._replay(now),
        }

    def includes(self, event: ExpiredEvent) -> bool:
        """Whether the next older record belongs to this gap as well."""
        reason, first, last = _span(event)
        return reason is self.reason and last >= self.first - LONGEST_PAUSE and first <= self.last

    def add(self, event: ExpiredEvent) -> None:
        """Add a record to the gap."""
        _, first, last = _span(event)
        self.first, self.last = min(self.first, first), max(self.last, last)
        self.count += event.count
        if event.event_type in NOT_IN_HISTORY:
            return
        if self.reason is GapReason.UNACCOUNTED:
            low, high = first, last + MAXIMUM_SECONDS_AHEAD
        else:
            low = high = event.accepted_at if event.event_time is None else event.event_time
        self.first_event = low if self.first_event is None else min(self.first_event, low)
        self.last_event = high if self.last_event is None else max(self.last_event, high)
        device = event.target.rpartition("/devices/")[2]
        if device and event.event_type:
            self.event_types.add(event.event_type)
            self.devices.add(device)
        else:
            self.is_any_device = True

    def _replay(self, now: float) -> dict[str, Any] | None:
        """The fields of the request for the replay that fills this gap; None when none can."""
        earliest = now - RETENTION_SECONDS + TIME_TO_ASK
        if self.first_event is None or self.last_event is None or self.last_event < earliest:
            return None
        is_any = self.is_any_device
        all_devices = is_any or len(self.devices) > MAXIMUM_DEVICES
        return request_fields(
            self.connector,
            max(self.first_event, earliest),
            self.last_event + MICROSECOND,
            () if is_any else tuple(sorted(self.event_types)),
            () if all_devices else tuple(sorted(self.devices)),
        )


class Gaps:
    """At most `limit` gaps, made of records that come with the one accepted last first.

    Records of the two reasons may alternate, so one gap of each reason is open at a time.
    """

    def __init__(self, limit: int) -> None:
        self.found: list[Gap] = []
        self._limit = limit
        self._open: dict[GapReason, Gap] = {}

    def add(self, event: ExpiredEvent) -> bool:
        """Add a record; False when it begins a gap beyond the limit, and so was not added."""
        reason, first, last = _span(event)
        gap = self._open.get(reason)
        if gap is None or not gap.includes(event):
            if len(self.found) == self._limit:
                return False
            gap = self._open[reason] = Gap(event.connector, reason, first, last)
            self.found.append(gap)
        gap.add(event)
        return True


def _span(event: ExpiredEvent) -> tuple[GapReason, float, float]:
    """The reason of a record, and when its events were accepted: the first and the last.

    A record of unaccounted events names the hour in which SQS deleted them, which it does 12 hours
    after it accepted them. The samples of its metrics may be minutes old.
    """
    if event.kind == UNACCOUNTED:
        first = event.accepted_at - QUEUE_RETENTION_SECONDS - LOOK_BACK
        return (
            GapReason.UNACCOUNTED,
            first,
            event.expired_at - QUEUE_RETENTION_SECONDS + LOOK_BACK,
        )
    return GapReason.EXPIRED, event.accepted_at, event.accepted_at
