"""How records of expired events and pending announcements are stored, over moto."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dataconnectors.events.message import LONGEST_NAME
from dataconnectors.expiry.expired_event import (
    RECORD_RETENTION_SECONDS,
    RETENTION_SECONDS,
    UNTRIED,
    ExpiredEvent,
)
from dataconnectors.expiry.pending_announcement import PendingAnnouncement
from dataconnectors.store.expired_events import COUNT_RETENTION_SECONDS, ExpiredEventStore, _item
from dataconnectors.store.table import Table
from tests.support.aws import make_table
from tests.support.dynamodb import Watched, fail
from tests.support.rows import an_expired

NOW = 1_790_000_000.0
NAME = "projects/p/dataconnectors/c"
EVENT = an_expired(NAME, NOW)


@pytest.fixture
def dynamodb() -> Iterator[Watched]:
    with mock_aws():
        make_table()
        yield Watched(boto3.client("dynamodb"))


@pytest.fixture
def store(dynamodb: Watched) -> ExpiredEventStore:
    return ExpiredEventStore(Table(dynamodb, "dc-test-table"))


def events(count: int) -> list[ExpiredEvent]:
    """Expired events; the first one was accepted last."""
    return [
        replace(EVENT, event_id=f"e{number}", accepted_at=EVENT.accepted_at - number)
        for number in range(count)
    ]


def page(store: ExpiredEventStore, limit: int = 100, now: float = NOW) -> list[str]:
    """The ids that all pages together show."""
    found, rest = store.page(NAME, now, limit=limit, after="")
    ids = [event.event_id for event in found]
    while rest:
        assert len(found) == limit
        found, rest = store.page(NAME, now, limit=limit, after=rest)
        ids += [event.event_id for event in found]
    return ids


@pytest.mark.parametrize(
    "event",
    [
        EVENT,
        replace(EVENT, status=None, event_type="", target=""),
        replace(EVENT, event_time=NOW - 0.25, count=1200),
    ],
)
def test_a_saved_record_reads_back(store: ExpiredEventStore, event: ExpiredEvent) -> None:
    assert store.save([event]) == {0}
    assert store.page(NAME, NOW, limit=10, after="") == ([event], "")


def test_a_page_goes_on_after_any_record(store: ExpiredEventStore) -> None:
    made = events(5)
    store.save(made)
    found, _ = store.page(NAME, NOW, limit=10, after=store.position_of(made[1]))
    assert found == made[2:]


def test_the_latest_records_come_first_over_all_pages(store: ExpiredEventStore) -> None:
    assert store.save(events(30)) == set(range(30))
    assert page(store) == page(store, limit=7) == [f"e{number}" for number in range(30)]


def test_the_longest_names_of_a_message_fit_into_keys() -> None:
    event = replace(EVENT, connector="c" * LONGEST_NAME, event_id="e" * LONGEST_NAME)
    item = _item(event)
    # AWS: a partition key has 2,048 bytes at most, a sort key 1,024.
    assert len(item["pk"]["S"]) <= 2048
    assert len(item["sk"]["S"]) <= 1024


def test_each_connector_has_its_own_records(store: ExpiredEventStore) -> None:
    store.save([EVENT, replace(EVENT, connector=NAME + "2", event_id="other")])
    assert page(store) == ["e0"]


def test_a_record_that_is_saved_twice_is_stored_once(
    store: ExpiredEventStore, dynamodb: Watched
) -> None:
    assert store.save([EVENT, EVENT]) == {0, 1}
    assert store.save([EVENT]) == {0}
    assert page(store) == ["e0"]
    assert dynamodb.calls["batch_write_item"] == 2


def test_a_receive_without_an_attempt_does_not_replace_the_last_error(
    store: ExpiredEventStore,
) -> None:
    """A process may die after it has saved a record and before SQS deletes the message. The next
    receive makes no attempt, because the event is too old, and does not know the last error."""
    untried = replace(EVENT, kind=UNTRIED, message="no attempt could be made", status=None)
    assert store.save([EVENT]) == {0}
    assert store.save([untried, replace(untried, event_id="e1")]) == {0, 1}
    found, _ = store.page(NAME, NOW, limit=10, after="")
    assert {event.event_id: event.kind for event in found} == {"e0": EVENT.kind, "e1": UNTRIED}
    # A later failed attempt replaces the record.
    assert store.save([replace(EVENT, event_id="e1")]) == {0}
    assert store.page(NAME, NOW, limit=10, after="")[0][0].kind == EVENT.kind


def test_the_records_of_a_batch_are_saved_in_one_call(
    store: ExpiredEventStore, dynamodb: Watched
) -> None:
    store.save(events(10))
    assert dynamodb.calls == {"batch_write_item": 1}


def test_records_that_dynamodb_did_not_process_are_sent_once_more(
    store: ExpiredEventStore, dynamodb: Watched
) -> None:
    def leave_the_first(**request: Any) -> Any:
        return {"UnprocessedItems": {"dc-test-table": request["RequestItems"]["dc-test-table"][:1]}}

    dynamodb.answers["batch_write_item"] = [leave_the_first]
    assert store.save(events(2)) == {0, 1}
    dynamodb.answers["batch_write_item"] = [leave_the_first, leave_the_first]
    assert store.save(events(2)) == {1}


def test_a_failure_of_dynamodb_is_raised(store: ExpiredEventStore, dynamodb: Watched) -> None:
    dynamodb.answers["batch_write_item"] = [fail("ThrottlingException")]
    with pytest.raises(ClientError):
        store.save([EVENT])


def test_a_record_is_shown_for_31_days_after_it_expired(
    store: ExpiredEventStore, dynamodb: Watched
) -> None:
    store.save([EVENT])
    assert page(store, now=NOW + RECORD_RETENTION_SECONDS) == ["e0"]
    assert page(store, now=NOW + RECORD_RETENTION_SECONDS + 1) == []
    assert page(store, now=NOW + RECORD_RETENTION_SECONDS + RETENTION_SECONDS) == []
    (item,) = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert item["expiresAt"] == {"N": str(int(NOW) + RECORD_RETENTION_SECONDS)}


def test_records_past_their_time_are_left_out_of_a_page_without_ending_it(
    store: ExpiredEventStore,
) -> None:
    """Records are in the order of acceptance. A later event may have expired before an older
    one."""
    saved = events(6)
    store.save([replace(event, expired_at=NOW - number % 2) for number, event in enumerate(saved)])
    now = NOW + RECORD_RETENTION_SECONDS
    first, rest = store.page(NAME, now, limit=3, after="")
    second, end = store.page(NAME, now, limit=3, after=rest)
    assert [event.event_id for event in first + second] == ["e0", "e2", "e4"]
    assert (bool(rest), end) == (True, "")


def test_expired_events_are_counted_until_they_are_announced(store: ExpiredEventStore) -> None:
    store.count_for_announcement(events(3), NOW)
    store.count_for_announcement([EVENT, replace(EVENT, connector=NAME + "2")], NOW)
    first, second = sorted(store.pending_announcements(), key=lambda pending: pending.connector)
    assert (first, second) == (
        PendingAnnouncement(NAME, 4, 0.0),
        PendingAnnouncement(NAME + "2", 1, 0.0),
    )
    # Another event expires while the others are announced.
    assert store.claim(first, NOW + 60)
    store.count_for_announcement([EVENT], NOW)
    store.mark_announced(first)
    assert PendingAnnouncement(NAME, 1, NOW + 60) in store.pending_announcements()


def test_only_one_run_claims_an_announcement(store: ExpiredEventStore) -> None:
    store.count_for_announcement([EVENT], NOW)
    for now in (NOW + 60, NOW + 360):
        (pending,) = store.pending_announcements()
        assert [store.claim(pending, now) for _ in range(3)] == [True, False, False]
    assert not store.claim(PendingAnnouncement(NAME + "2", 1, 0.0), NOW)
    assert store.pending_announcements() == [PendingAnnouncement(NAME, 1, NOW + 360)]


def test_a_connector_without_new_expired_events_has_no_pending_announcement(
    store: ExpiredEventStore,
) -> None:
    store.count_for_announcement([EVENT], NOW)
    (item,) = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert item["expiresAt"] == {"N": str(int(NOW) + COUNT_RETENTION_SECONDS)}
