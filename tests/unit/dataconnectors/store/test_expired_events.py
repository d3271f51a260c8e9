"""Records of expired events, and what is still to be announced, over moto."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from dataconnectors.events.message import LONGEST_NAME
from dataconnectors.expiry.announcements import PendingAnnouncement
from dataconnectors.expiry.expired_event import KEPT_SECONDS, RETENTION_SECONDS, ExpiredEvent
from dataconnectors.store.expired_events import NOTICE_SECONDS, ExpiredStore, _item
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
def store(dynamodb: Watched) -> ExpiredStore:
    return ExpiredStore(Table(dynamodb, "dc-test-table"))


def events(count: int) -> list[ExpiredEvent]:
    """The first was accepted last."""
    return [
        replace(EVENT, event_id=f"e{number}", accepted_at=EVENT.accepted_at - number)
        for number in range(count)
    ]


def page(store: ExpiredStore, limit: int = 100, now: float = NOW) -> list[str]:
    """The ids that all pages together show."""
    found, rest = store.page(NAME, now, limit=limit, after="")
    ids = [event.event_id for event in found]
    while rest:
        assert len(found) == limit
        found, rest = store.page(NAME, now, limit=limit, after=rest)
        ids += [event.event_id for event in found]
    return ids


@pytest.mark.parametrize("event", [EVENT, replace(EVENT, status=None, event_type="", target="")])
def test_what_is_kept_comes_back(store: ExpiredStore, event: ExpiredEvent) -> None:
    assert store.keep([event]) == {0}
    assert store.page(NAME, NOW, limit=10, after="") == ([event], "")


def test_the_latest_comes_first_over_all_pages(store: ExpiredStore) -> None:
    assert store.keep(events(30)) == set(range(30))
    assert page(store) == page(store, limit=7) == [f"e{number}" for number in range(30)]


def test_the_longest_names_of_a_message_are_parts_of_keys() -> None:
    event = replace(EVENT, connector="c" * LONGEST_NAME, event_id="e" * LONGEST_NAME)
    item = _item(event)
    # AWS: a partition key has 2,048 bytes at most, a sort key 1,024.
    assert len(item["pk"]["S"]) <= 2048
    assert len(item["sk"]["S"]) <= 1024


def test_each_connector_has_its_own(store: ExpiredStore) -> None:
    store.keep([EVENT, replace(EVENT, connector=NAME + "2", event_id="other")])
    assert page(store) == ["e0"]


def test_a_record_that_is_kept_twice_is_one(store: ExpiredStore, dynamodb: Watched) -> None:
    assert store.keep([EVENT, EVENT]) == {0, 1}
    assert store.keep([EVENT]) == {0}
    assert page(store) == ["e0"]
    assert dynamodb.calls["batch_write_item"] == 2


def test_a_batch_of_the_sender_costs_one_call(store: ExpiredStore, dynamodb: Watched) -> None:
    store.keep(events(10))
    assert dynamodb.calls == {"batch_write_item": 1}


def test_what_dynamodb_leaves_out_is_sent_once_more_and_else_not_kept(
    store: ExpiredStore, dynamodb: Watched
) -> None:
    def leave_the_first(**request: Any) -> Any:
        return {"UnprocessedItems": {"dc-test-table": request["RequestItems"]["dc-test-table"][:1]}}

    dynamodb.answers["batch_write_item"] = [leave_the_first]
    assert store.keep(events(2)) == {0, 1}
    dynamodb.answers["batch_write_item"] = [leave_the_first, leave_the_first]
    assert store.keep(events(2)) == {1}


def test_a_failure_of_dynamodb_is_raised(store: ExpiredStore, dynamodb: Watched) -> None:
    dynamodb.answers["batch_write_item"] = [fail("ThrottlingException")]
    with pytest.raises(ClientError):
        store.keep([EVENT])


def test_a_record_is_shown_for_31_days_after_it_expired(
    store: ExpiredStore, dynamodb: Watched
) -> None:
    store.keep([EVENT])
    assert page(store, now=NOW + KEPT_SECONDS) == ["e0"]
    assert page(store, now=NOW + KEPT_SECONDS + 1) == []
    assert page(store, now=NOW + KEPT_SECONDS + RETENTION_SECONDS) == []
    (item,) = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert item["expiresAt"] == {"N": str(int(NOW) + KEPT_SECONDS)}


def test_what_is_past_its_time_is_left_out_of_a_page_and_does_not_end_it(
    store: ExpiredStore,
) -> None:
    """An event that was accepted later may have expired before an older one."""
    kept = events(6)
    store.keep([replace(event, expired_at=NOW - number % 2) for number, event in enumerate(kept)])
    now = NOW + KEPT_SECONDS
    first, rest = store.page(NAME, now, limit=3, after="")
    second, end = store.page(NAME, now, limit=3, after=rest)
    assert [event.event_id for event in first + second] == ["e0", "e2", "e4"]
    assert (bool(rest), end) == (True, "")


def test_expired_events_are_counted_until_they_are_announced(store: ExpiredStore) -> None:
    store.note(events(3), NOW)
    store.note([EVENT, replace(EVENT, connector=NAME + "2")], NOW)
    first, second = sorted(store.notices(), key=lambda notice: notice.connector)
    assert (first, second) == (
        PendingAnnouncement(NAME, 4, 0.0),
        PendingAnnouncement(NAME + "2", 1, 0.0),
    )
    # Another one comes while those are announced.
    assert store.claim(first, NOW + 60)
    store.note([EVENT], NOW)
    store.announced(first)
    assert PendingAnnouncement(NAME, 1, NOW + 60) in store.notices()


def test_one_run_alone_may_announce(store: ExpiredStore) -> None:
    store.note([EVENT], NOW)
    for now in (NOW + 60, NOW + 360):
        (notice,) = store.notices()
        assert [store.claim(notice, now) for _ in range(3)] == [True, False, False]
    assert not store.claim(PendingAnnouncement(NAME + "2", 1, 0.0), NOW)
    assert store.notices() == [PendingAnnouncement(NAME, 1, NOW + 360)]


def test_a_connector_without_further_expired_events_is_forgotten(store: ExpiredStore) -> None:
    store.note([EVENT], NOW)
    (item,) = boto3.client("dynamodb").scan(TableName="dc-test-table")["Items"]
    assert item["expiresAt"] == {"N": str(int(NOW) + NOTICE_SECONDS)}
