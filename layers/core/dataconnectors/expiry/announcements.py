"""Announces expired events on EventBridge: at most one event for each connector in five minutes.

The reconciler does this and not the sender, so that no delivery waits for it and a burst of ten
thousand expired events becomes one announcement with a count. The count may be off: a process may
die before it has counted, or count twice. The records themselves are exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.event_bus import ENTRIES_PER_CALL, EventBus
from dataconnectors.expiry.pending_announcement import PendingAnnouncement
from dataconnectors.kernel import times

INTERVAL_SECONDS = 300
"""The shortest time between two announcements of a connector."""

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

    A run claims each connector for five minutes before it announces it. So two runs at once, or a
    run after one that died, never announce a connector twice in that time. The announced number is
    subtracted from the count afterwards. When that fails, an expired event is part of two
    announcements, but never of none.
    """

    def __init__(self, bus: EventBus, store: PendingAnnouncements) -> None:
        self._bus = bus
        self._store = store

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
        until = times.to_text(now)
        accepted = self._bus.put(
            [
                (
                    DETAIL_TYPE,
                    {"connector": pending.connector, "count": pending.count, "until": until},
                )
                for pending in claimed
            ]
        )
        return [pending for pending, is_sent in zip(claimed, accepted, strict=True) if is_sent]


def _is_due(pending: PendingAnnouncement, now: float) -> bool:
    return pending.count > 0 and now - pending.announced_at >= INTERVAL_SECONDS
