"""Announces expired events on EventBridge: at most one event for each connector in five minutes.

The reconciler does this and not the sender, so that no delivery waits for it and a burst of ten
thousand expired events becomes one announcement with a count. The count may be off: a process may
die before it has counted, or count twice. The records themselves are exact.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.expiry.pending_announcement import PendingAnnouncement
from dataconnectors.kernel import times

INTERVAL_SECONDS = 300
"""The shortest time between two announcements of a connector."""

ENTRIES_PER_CALL = 10
"""AWS: PutEvents takes 10 entries."""

DETAIL_TYPE = "Data Connector Events Expired"
"""EventBridge's `detail-type` of an announcement. Customers' rules match it."""

RESERVE_SECONDS = 10.0
"""No call begins when the run has less time left; the next minute's run goes on. A call takes three
tries of three seconds at most (see `aws.clients`)."""


class PendingAnnouncements(Protocol):
    """What the announcer needs of `store.expired_events.ExpiredEventStore`."""

    def pending_announcements(self) -> Sequence[PendingAnnouncement]:
        """All connectors with expired events in the last day; a `count` may be 0."""

    def claim(self, pending: PendingAnnouncement, now: float, /) -> bool:
        """Reserve an announcement for this run; False when another run has claimed it."""

    def mark_announced(self, pending: PendingAnnouncement, /) -> None:
        """Subtract what was announced from the connector's count."""


@dataclass(frozen=True, slots=True)
class AnnouncementReport:
    """What a run announced: `events` expired events of `connectors` connectors.

    `error` says why the rest has to wait for a later run, or is "".
    """

    connectors: int = 0
    events: int = 0
    error: str = ""


class Announcer:
    """Announces expired events on the account's default event bus.

    `event_bridge` is a botocore client, and `source` is the `source` of each event.

    A run claims each connector for five minutes before it announces it. So two runs at once, or a
    run after one that died, never announce a connector twice in that time. The announced number is
    subtracted from the count afterwards. When that fails, an expired event is part of two
    announcements, but never of none.
    """

    def __init__(self, event_bridge: Any, store: PendingAnnouncements, source: str) -> None:
        self._event_bridge = event_bridge
        self._store = store
        self._source = source

    def announce(self, now: float, remaining: Callable[[], float]) -> AnnouncementReport:
        """Announce what is due at `now`, in epoch seconds, within the `remaining()` seconds.

        Raises nothing when AWS fails: the report's `error` says so.
        """
        connectors = events = refused = 0
        try:
            due = [
                pending for pending in self._store.pending_announcements() if _is_due(pending, now)
            ]
            for start in range(0, len(due), ENTRIES_PER_CALL):
                if remaining() < RESERVE_SECONDS:
                    return AnnouncementReport(connectors, events, "no time left")
                part = due[start : start + ENTRIES_PER_CALL]
                claimed = [pending for pending in part if self._store.claim(pending, now)]
                accepted = self._send(claimed, now) if claimed else []
                refused += len(claimed) - len(accepted)
                for pending in accepted:
                    self._store.mark_announced(pending)
                    connectors += 1
                    events += pending.count
        except (ClientError, BotoCoreError) as error:
            return AnnouncementReport(connectors, events, f"{type(error).__name__}: {error}")
        return AnnouncementReport(
            connectors, events, f"EventBridge refused {refused} events" if refused else ""
        )

    def _send(
        self, claimed: Sequence[PendingAnnouncement], now: float
    ) -> list[PendingAnnouncement]:
        """Send the announcements, and return those that EventBridge accepted."""
        answer = self._event_bridge.put_events(
            Entries=[self._entry(pending, now) for pending in claimed]
        )
        # The answer has one entry for each one sent, in the same order.
        return [
            pending
            for pending, entry in zip(claimed, answer["Entries"], strict=True)
            if "ErrorCode" not in entry
        ]

    def _entry(self, pending: PendingAnnouncement, now: float) -> dict[str, Any]:
        detail = {
            "connector": pending.connector,
            "count": pending.count,
            "until": times.to_text(now),
        }
        return {
            "Source": self._source,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "Resources": [],
        }


def _is_due(pending: PendingAnnouncement, now: float) -> bool:
    return pending.count > 0 and now - pending.announced_at >= INTERVAL_SECONDS
