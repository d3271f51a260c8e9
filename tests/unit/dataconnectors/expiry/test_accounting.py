"""Which hour the hourly accounting looks at next, also after a failure."""

from collections.abc import Iterator, Sequence

import pytest
from botocore.exceptions import ClientError

from dataconnectors.connectors.connector import Lifecycle, LifecycleEntry
from dataconnectors.expiry.accounting import Accountant, hour_to_account
from dataconnectors.expiry.expired_event import ExpiredEvent
from tests.support.cloudwatch import CloudWatch, in_queue

START = 1_789_999_200.0
"""A full hour."""


def always() -> bool:
    return True


def test_an_hour_is_due_once_its_metrics_are_complete() -> None:
    hour = START + 3600
    assert hour_to_account(hour + 25 * 60 - 0.1, START - 3600) is None
    assert hour_to_account(hour + 25 * 60, START - 3600) == START
    # A run that comes late, or after a failed one, accounts for the missed hour.
    assert hour_to_account(hour + 84 * 60, START - 3600) == START
    assert hour_to_account(hour + 84 * 60, START) is None
    assert hour_to_account(hour + 85 * 60, START) == hour


def test_missed_hours_are_made_up_for_one_by_one() -> None:
    now, last_accounted, hours = START + 100 * 3600, START, []
    while (due := hour_to_account(now, last_accounted)) is not None:
        hours.append((due - START) / 3600)
        last_accounted = due
    assert hours == list(range(87, 99))
    # A new stack begins with the last hour.
    assert hour_to_account(now, None) == START + 98 * 3600


class Store:
    """A fake of the store with one connector and its records. `failing` is the method that
    raises."""

    def __init__(self) -> None:
        self.hour: float | None = START - 3600
        self.saved: list[ExpiredEvent] = []
        self.failing = ""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        yield LifecycleEntry("projects/p/dataconnectors/c", "q", "", "")

    def save(self, events: Sequence[ExpiredEvent]) -> set[int]:
        self._raise_in("save")
        self.saved += events
        return set(range(len(events)))

    def last_accounted_hour(self) -> float | None:
        self._raise_in("last_accounted_hour")
        return self.hour

    def set_last_accounted_hour(self, start: float) -> None:
        self._raise_in("set_last_accounted_hour")
        self.hour = start

    def _raise_in(self, call: str) -> None:
        if self.failing == call:
            raise ClientError({"Error": {"Code": "Throttling", "Message": ""}}, call)


@pytest.mark.parametrize("failing", ["save", "last_accounted_hour", "set_last_accounted_hour"])
def test_an_hour_whose_accounting_failed_is_tried_again(failing: str) -> None:
    store = Store()
    watch = CloudWatch(START, q=in_queue({5: 500.0}, {6: 100.0}, {59: 0.0}))
    accountant = Accountant(watch, store, store, str)
    now = START + 3600 + 25 * 60
    store.failing = failing
    failed = accountant.run(now, always)
    assert failed is not None
    assert "Throttling" in failed.error
    assert store.hour == START - 3600
    store.failing = ""
    report = accountant.run(now + 60, always)
    assert report is not None
    assert (report.unaccounted, report.error) == (400, "")
    assert accountant.run(now + 120, always) is None
    # The same record is saved again. It is one item in the table.
    assert len(set(store.saved)) == 1


def test_an_hour_that_ran_out_of_time_is_not_tried_for_ever() -> None:
    store = Store()
    accountant = Accountant(CloudWatch(START), store, store, str)
    now = START + 3600 + 25 * 60
    report = accountant.run(now, lambda: False)
    assert report is not None
    assert report.error == "no time left"
    assert accountant.run(now, always) is None
