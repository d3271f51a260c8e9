"""Which gaps records of expired events make, and which replay fills each."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.events.history_query import RETENTION_SECONDS
from dataconnectors.expiry.expired_event import UNACCOUNTED, ExpiredEvent
from dataconnectors.kernel import times
from dataconnectors.replay.gaps import LONGEST_PAUSE, MICROSECOND, TIME_TO_ASK, Gaps
from dataconnectors.replay.replay_request import MAXIMUM_DEVICES, parse_replay
from tests.support.rows import an_expired

HOUR = 3600
NOW = 1_790_000_000.0 // HOUR * HOUR
CONNECTOR = "projects/p/dataconnectors/c"


def expired(ago: float, device: str = "d1", **fields: Any) -> ExpiredEvent:
    """The record of an event that was accepted `ago` seconds ago, a second after it happened."""
    accepted = NOW - ago
    plain = {
        "accepted_at": accepted,
        "event_time": accepted - 1,
        "target": f"projects/p/devices/{device}",
    }
    return an_expired(CONNECTOR, NOW, **plain | fields)


def unaccounted(ago: float, count: int) -> ExpiredEvent:
    """The record of an hour that began `ago` seconds ago, in which SQS deleted `count` events."""
    plain = an_expired(CONNECTOR, NOW, kind=UNACCOUNTED, event_id="", event_type="", target="")
    return replace(plain, accepted_at=NOW - ago, expired_at=NOW - ago + HOUR, count=count)


def gaps_of(*events: ExpiredEvent, limit: int = 100, now: float = NOW) -> list[dict[str, Any]]:
    made = Gaps(limit)
    newest_first = sorted(events, key=lambda event: -event.accepted_at)
    assert all(made.add(event) for event in newest_first)
    return [gap.to_api(now) for gap in made.found]


def text(ago: float) -> str:
    return times.to_text(NOW - ago)


def test_events_that_were_accepted_close_together_are_one_gap_that_a_replay_fills() -> None:
    events = [expired(14 * HOUR - second) for second in range(0, 2 * HOUR, 600)]
    (gap,) = gaps_of(*events)
    assert gap == {
        "reason": "EXPIRED",
        "startTime": text(14 * HOUR),
        "endTime": text(12 * HOUR + 600),
        "count": 12,
        "replay": {
            "startTime": text(14 * HOUR + 1),
            "endTime": text(12 * HOUR + 601 - MICROSECOND),
            "eventTypes": ["touch"],
            "devices": ["projects/p/devices/d1"],
        },
    }
    request = parse_replay(gap["replay"], "p", NOW)
    assert all(request.start <= (event.event_time or 0) < request.end for event in events)


def test_a_pause_of_more_than_an_hour_separates_two_gaps() -> None:
    first, second = expired(20 * HOUR), expired(20 * HOUR - LONGEST_PAUSE)
    assert len(gaps_of(first, second)) == 1
    assert [gap["count"] for gap in gaps_of(first, expired(20 * HOUR - LONGEST_PAUSE - 1))] == [
        1,
        1,
    ]


def test_a_late_report_is_replayed_by_its_own_time() -> None:
    late = expired(13 * HOUR, event_time=NOW - 50 * HOUR)
    (gap,) = gaps_of(late, expired(13 * HOUR - 5))
    assert (gap["startTime"], gap["replay"]["startTime"]) == (text(13 * HOUR), text(50 * HOUR))


def test_a_record_without_the_events_own_time_stands_for_the_time_of_acceptance() -> None:
    (gap,) = gaps_of(expired(13 * HOUR, event_time=None))
    assert gap["replay"]["startTime"] == text(13 * HOUR)


def test_many_devices_are_not_named() -> None:
    events = [expired(13 * HOUR + n, f"d{n}") for n in range(MAXIMUM_DEVICES + 1)]
    assert len(gaps_of(*events[1:])[0]["replay"]["devices"]) == MAXIMUM_DEVICES
    assert gaps_of(*events)[0]["replay"]["devices"] == []


def test_an_event_of_an_unknown_device_lets_the_replay_name_neither_devices_nor_types() -> None:
    (gap,) = gaps_of(
        expired(13 * HOUR), expired(13 * HOUR + 1, event_type="", target="", event_id="x")
    )
    assert (gap["replay"]["devices"], gap["replay"]["eventTypes"]) == ([], [])


def test_events_that_history_does_not_have_are_counted_and_not_replayed() -> None:
    changed = expired(13 * HOUR, event_type="labelsChanged")
    assert [(gap["count"], gap["replay"]) for gap in gaps_of(changed)] == [(1, None)]
    (gap,) = gaps_of(changed, expired(13 * HOUR + 1))
    assert (gap["count"], gap["replay"]["eventTypes"]) == (2, ["touch"])


def test_a_replay_begins_when_history_does_and_can_be_asked_for_an_hour() -> None:
    old = expired(RETENTION_SECONDS - HOUR, event_time=NOW - RETENTION_SECONDS - HOUR)
    newer = expired(RETENTION_SECONDS - HOUR - 60)
    (gap,) = gaps_of(old, newer)
    assert gap["replay"]["startTime"] == text(RETENTION_SECONDS - TIME_TO_ASK)
    parse_replay(gap["replay"], "p", NOW + TIME_TO_ASK - 1)
    (gap,) = gaps_of(old)
    assert gap["replay"] is None


def test_unaccounted_events_were_accepted_twelve_hours_before_they_were_missed() -> None:
    (gap,) = gaps_of(unaccounted(2 * HOUR, 500), unaccounted(3 * HOUR, 700))
    assert (gap["reason"], gap["count"]) == ("UNACCOUNTED", 1200)
    assert (gap["startTime"], gap["endTime"]) == (
        text(15 * HOUR + 300),
        text(13 * HOUR - 300),
    )
    assert gap["replay"] == {
        "startTime": text(15 * HOUR + 300),
        "endTime": text(13 * HOUR - 600 - MICROSECOND),
        "eventTypes": [],
        "devices": [],
    }


def test_gaps_of_the_two_reasons_are_separate_even_when_their_records_alternate() -> None:
    hour = unaccounted(3 * HOUR, 500)
    gaps = gaps_of(expired(3 * HOUR - 1), hour, expired(3 * HOUR + 1))
    assert sorted((gap["reason"], gap["count"]) for gap in gaps) == [
        ("EXPIRED", 2),
        ("UNACCOUNTED", 500),
    ]


def test_a_gap_beyond_the_limit_is_not_begun() -> None:
    made = Gaps(1)
    assert made.add(expired(13 * HOUR))
    assert made.add(expired(13 * HOUR + 5))
    assert not made.add(expired(20 * HOUR))
    assert [gap.count for gap in made.found] == [2]


@pytest.mark.parametrize("kind", ["status", "untried"])
def test_every_other_kind_of_record_is_an_expired_event(kind: str) -> None:
    assert [gap["reason"] for gap in gaps_of(expired(13 * HOUR, kind=kind))] == ["EXPIRED"]
