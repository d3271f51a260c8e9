"""How many announcements of expired events are sent, how often, and what happens on failures."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.aws.event_bus import EventBus
from dataconnectors.expiry.announcements import AnnouncementReport, Announcer
from dataconnectors.expiry.pending_announcement import PendingAnnouncement

NOW = 1_790_000_000.0
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "PutEvents")


def name(number: int) -> str:
    return f"projects/p/dataconnectors/c{number:02d}"


class World:
    """Fakes of EventBridge and of the store. EventBridge refuses announcements of `refused`."""

    def __init__(self, *counts: int) -> None:
        self.rows = {name(number): [count, 0.0] for number, count in enumerate(counts)}
        self.events: list[dict[str, Any]] = []
        self.calls: list[int] = []
        self.refused: set[str] = set()
        self.event_bridge_error: Exception | None = None
        self.claim_error: Exception | None = None
        self.mark_error: Exception | None = None
        self.during_put: Callable[[], object] = lambda: None
        self.now = NOW
        self.announcer = Announcer(EventBus(self, "dc"), self)

    def run(self, seconds: float = 50.0) -> AnnouncementReport:
        return self.announcer.announce(self.now, lambda: seconds)

    def pending_announcements(self) -> list[PendingAnnouncement]:
        return [
            PendingAnnouncement(connector, int(row[0]), row[1])
            for connector, row in self.rows.items()
        ]

    def claim(self, pending: PendingAnnouncement, now: float) -> bool:
        if self.claim_error is not None:
            raise self.claim_error
        if self.rows[pending.connector][1] != pending.announced_at:
            return False
        self.rows[pending.connector][1] = now
        return True

    def mark_announced(self, pending: PendingAnnouncement) -> None:
        if self.mark_error is not None:
            raise self.mark_error
        self.rows[pending.connector][0] -= pending.count

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        assert 1 <= len(Entries) <= 10
        if self.event_bridge_error is not None:
            raise self.event_bridge_error
        self.calls.append(len(Entries))
        self.during_put()
        answer = []
        for entry in Entries:
            if json.loads(entry["Detail"])["connector"] in self.refused:
                answer.append({"ErrorCode": "InternalFailure", "ErrorMessage": "no"})
            else:
                self.events.append(entry)
                answer.append({"EventId": str(len(self.events))})
        return {"Entries": answer, "FailedEntryCount": 0}

    def announced(self) -> dict[str, int]:
        details = [json.loads(entry["Detail"]) for entry in self.events]
        return {detail["connector"]: detail["count"] for detail in details}


def test_a_connector_is_announced_with_its_count() -> None:
    world = World(3)
    assert world.run() == AnnouncementReport(connectors=1, events=3)
    (entry,) = world.events
    assert (entry["Source"], entry["DetailType"]) == ("dc", "Data Connector Events Expired")
    assert json.loads(entry["Detail"]) == {
        "connector": name(0),
        "count": 3,
        "until": "2026-09-21T14:13:20.000000Z",
    }


def test_connectors_without_expired_events_are_not_announced() -> None:
    world = World(0, 0)
    assert world.run() == AnnouncementReport()
    assert world.calls == []


def test_a_connector_has_one_announcement_in_five_minutes_with_all_events_since_the_last() -> None:
    world = World(3)
    world.run()
    for minute in range(1, 5):
        world.rows[name(0)][0] += 10
        world.now = NOW + minute * 60
        assert world.run() == AnnouncementReport()
    world.now = NOW + 300
    assert world.run() == AnnouncementReport(connectors=1, events=40)
    assert len(world.events) == 2


def test_one_call_announces_ten_connectors() -> None:
    world = World(*range(1, 24))
    assert world.run().connectors == 23
    assert world.calls == [10, 10, 3]


def test_an_announcement_that_eventbridge_refuses_is_sent_later() -> None:
    world = World(1, 2, 3)
    world.refused = {name(1)}
    assert world.run() == AnnouncementReport(2, 4, "EventBridge refused 1 events")
    assert world.announced() == {name(0): 1, name(2): 3}
    world.refused = set()
    world.now += 300
    assert world.run() == AnnouncementReport(1, 2)


def test_a_failed_announcement_is_reported_and_sent_again() -> None:
    """It is sent again after five minutes, because EventBridge may have accepted it unconfirmed."""
    world = World(2)
    world.event_bridge_error = THROTTLED
    assert "ThrottlingException" in world.run().error
    world.event_bridge_error = None
    world.now += 299
    assert world.run() == AnnouncementReport()
    world.now += 1
    assert world.run() == AnnouncementReport(1, 2)


def test_a_connector_that_cannot_be_claimed_is_not_announced() -> None:
    world = World(2)
    world.claim_error = THROTTLED
    assert "ThrottlingException" in world.run().error
    assert world.events == []
    world.claim_error = None
    assert world.run() == AnnouncementReport(1, 2)


def test_an_announcement_that_is_not_marked_is_sent_again_after_five_minutes() -> None:
    world = World(2)
    world.mark_error = THROTTLED
    assert world.run().connectors == 0
    world.mark_error = None
    for world.now in (NOW + 60, NOW + 299):
        assert world.run() == AnnouncementReport()
    world.now = NOW + 300
    assert world.run() == AnnouncementReport(1, 2)
    assert len(world.events) == 2


def test_concurrent_runs_announce_a_connector_once() -> None:
    """This holds whether the other run begins before or after the first run's claims."""
    world = World(2, 3)
    others: list[AnnouncementReport] = []

    def another_run() -> None:
        world.during_put = lambda: None
        others.append(world.run())

    world.during_put = another_run
    assert world.run() == AnnouncementReport(2, 5)
    assert others == [AnnouncementReport()]
    stale = world.pending_announcements()
    world.rows = {connector: [1, NOW - 300.0] for connector in world.rows}
    world.pending_announcements = lambda: stale  # type: ignore[method-assign]  # read before the other's claims
    world.now += 300
    assert world.run().connectors == 0
    assert len(world.events) == 2


def test_connectors_are_announced_by_a_later_run_when_no_time_is_left() -> None:
    world = World(1)
    assert world.run(seconds=9.9) == AnnouncementReport(error="no time left")
    assert world.calls == []
