"""Tells EventBridge of expired events: one event for each connector in five minutes, with a count.

From the reconciler and not from the sender, so that no delivery waits for it and that a burst of
ten thousand expired events is one event. A count may be off by what a process did not live to
note, or noted twice; the records themselves are exact.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel import times

INTERVAL_SECONDS = 300
"""A connector is announced once in this time at most."""

ENTRIES_PER_CALL = 10
"""AWS: PutEvents takes 10 entries."""

DETAIL_TYPE = "Data Connector Events Expired"

RESERVE_SECONDS = 10.0
"""Of a run's time: when no more is left, the rest waits for the next minute. A call takes three
tries of three seconds at most (see `aws`)."""


@dataclass(frozen=True, slots=True)
class PendingAnnouncement:
    """Expired events of a connector since the last announcement.

    `announced_at` is when one was begun, in epoch seconds; 0 when there was none in the last day.
    """

    connector: str
    count: int
    announced_at: float


class Notices(Protocol):
    """What `store.expired_events.ExpiredStore` offers here."""

    def notices(self) -> Sequence[PendingAnnouncement]:
        """Connectors with expired events in the last day, announced or not."""

    def claim(self, notice: PendingAnnouncement, now: float, /) -> bool:
        """Take it on oneself to announce what was counted; False when another run has done so."""

    def announced(self, notice: PendingAnnouncement, /) -> None:
        """What was counted by then is announced."""


@dataclass(frozen=True, slots=True)
class AnnouncementReport:
    """What a run did. `events` is how many have expired, of `connectors`; `error` is "" or why the
    rest is told another time."""

    connectors: int = 0
    events: int = 0
    error: str = ""


class Announcer:
    """Announces as `source`, on the account's default event bus. `bus` is a botocore client.

    Each connector is claimed for the next five minutes before it is told of, so that runs at the
    same time, or one after another that died, never tell of it twice meanwhile. What was told is
    taken off the count afterwards: an expired event may be counted in two announcements, when that
    is lost, but never in none.
    """

    def __init__(self, bus: Any, store: Notices, source: str) -> None:
        self._bus = bus
        self._store = store
        self._source = source

    def announce(self, now: float, remaining: Callable[[], float]) -> AnnouncementReport:
        """Announce what is due, within the `remaining()` seconds. Raises nothing for what AWS does.

        `now` is in epoch seconds.
        """
        connectors = events = refused = 0
        try:
            due = [notice for notice in self._store.notices() if _is_due(notice, now)]
            for start in range(0, len(due), ENTRIES_PER_CALL):
                if remaining() < RESERVE_SECONDS:
                    return AnnouncementReport(connectors, events, "no time left")
                part = due[start : start + ENTRIES_PER_CALL]
                claimed = [notice for notice in part if self._store.claim(notice, now)]
                taken = self._send(claimed, now) if claimed else []
                refused += len(claimed) - len(taken)
                for notice in taken:
                    self._store.announced(notice)
                    connectors += 1
                    events += notice.count
        except (ClientError, BotoCoreError) as error:
            return AnnouncementReport(connectors, events, f"{type(error).__name__}: {error}")
        return AnnouncementReport(
            connectors, events, f"EventBridge refused {refused} events" if refused else ""
        )

    def _send(
        self, notices: Sequence[PendingAnnouncement], now: float
    ) -> list[PendingAnnouncement]:
        """Those that EventBridge has taken: its answer names failures by place."""
        answer = self._bus.put_events(Entries=[self._entry(notice, now) for notice in notices])
        return [
            notice
            for notice, entry in zip(notices, answer["Entries"], strict=True)
            if "ErrorCode" not in entry
        ]

    def _entry(self, notice: PendingAnnouncement, now: float) -> dict[str, Any]:
        detail = {
            "connector": notice.connector,
            "count": notice.count,
            "until": times.to_text(now),
        }
        return {
            "Source": self._source,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "Resources": [],
        }


def _is_due(notice: PendingAnnouncement, now: float) -> bool:
    return notice.count > 0 and now - notice.announced_at >= INTERVAL_SECONDS
