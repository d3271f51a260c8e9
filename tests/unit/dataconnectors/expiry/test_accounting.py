"""The hourly account of a queue: what is missing, and what is only measured badly."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from botocore.exceptions import ClientError

from dataconnectors.connectors.connector import Lifecycle, LifecycleEntry
from dataconnectors.expiry.accounting import Accountant, QueueHour, balances, hour_to_account
from dataconnectors.expiry.expired_event import ExpiredEvent
from tests.support.cloudwatch import CloudWatch, in_queue

START = 1_789_999_200.0
"""A full hour."""


def always() -> bool:
    return True


def account(cloudwatch: CloudWatch, more: Callable[[], bool] = always) -> dict[str, QueueHour]:
    return dict(balances(cloudwatch, cloudwatch.queues, START, more))


def test_an_hour_is_what_came_what_left_and_what_was_there_at_both_ends() -> None:
    sent = {-1: 999.0, 0: 100.0, 59: 50.0, 60: 999.0}
    watch = CloudWatch(
        START, q=in_queue(sent, {0: 40.0, 30: 20.0}, {-1: 10.0, 0: 99.0, 59: 20.0, 60: 99.0})
    )
    assert account(watch) == {"q": QueueHour(sent=150, deleted=60, before=30, after=60)}


@pytest.mark.parametrize(
    ("balance", "unaccounted"),
    [
        (QueueHour(1000, 1000, 0, 0), 0),
        (QueueHour(1000, 400, 0, 600), 0),
        (QueueHour(1000, 400, 0, 500), 100),
        (QueueHour(0, 0, 5000, 4000), 1000),  # nobody receives, and the oldest go
        (QueueHour(1000, 980, 0, 0), 0),  # a hundredth and ten are within the measurement
        (QueueHour(1000, 979, 0, 0), 21),
        (QueueHour(0, 0, 11, 0), 11),
        (QueueHour(0, 0, 10, 0), 0),
        (QueueHour(100, 300, 0, 0), 0),  # counted twice
    ],
)
def test_what_is_missing_beyond_the_measurement_is_unaccounted(
    balance: QueueHour, unaccounted: int
) -> None:
    assert balance.unaccounted == unaccounted


def test_a_queue_that_woke_up_in_this_hour_was_empty() -> None:
    watch = CloudWatch(START, q=in_queue({30: 5.0}, {31: 5.0}, {30: 0.0, 58: 0.0}))
    assert account(watch) == {"q": QueueHour(5, 5, 0, 0)}


def test_a_queue_that_sleeps_or_reports_late_has_no_account() -> None:
    assert (
        account(CloudWatch(START, q=in_queue({}, {}, {}), r=in_queue({30: 500.0}, {}, {40: 1.0})))
        == {}
    )


def test_a_hundred_queues_fit_one_call() -> None:
    queues = {f"q{number}": in_queue({1: float(number)}, {}, {59: 0.0}) for number in range(101)}
    watch = CloudWatch(START, **queues)
    found = account(watch)
    assert watch.calls == 2
    assert [found[name].sent for name in queues] == list(range(101))


def test_an_answer_in_pages_is_read_to_the_end() -> None:
    watch = CloudWatch(START, q=in_queue({1: 7.0}, {2: 7.0}, {59: 0.0}))
    watch.page = 1
    assert account(watch) == {"q": QueueHour(7, 7, 0, 0)}


def test_without_time_nothing_more_is_asked() -> None:
    watch = CloudWatch(START, q=in_queue({1: 7.0}, {}, {59: 0.0}))
    assert account(watch, more=lambda: False) == {}
    assert watch.calls == 0


def test_an_hour_is_accounted_for_once_its_metrics_are_there() -> None:
    hour = START + 3600
    assert hour_to_account(hour + 25 * 60 - 0.1, START - 3600) is None
    assert hour_to_account(hour + 25 * 60, START - 3600) == START
    # A run that comes late, or after one that failed, makes up for it.
    assert hour_to_account(hour + 84 * 60, START - 3600) == START
    assert hour_to_account(hour + 84 * 60, START) is None
    assert hour_to_account(hour + 85 * 60, START) == hour


def test_hours_in_which_nothing_ran_are_made_up_for_one_after_another() -> None:
    now, accounted, hours = START + 100 * 3600, START, []
    while (due := hour_to_account(now, accounted)) is not None:
        hours.append((due - START) / 3600)
        accounted = due
    assert hours == list(range(87, 99))
    # A stack without an hour yet begins with the last one.
    assert hour_to_account(now, None) == START + 98 * 3600


class Ledger:
    """Rows of one connector, and records; `error` is raised by what it names."""

    def __init__(self) -> None:
        self.hour: float | None = START - 3600
        self.kept: list[ExpiredEvent] = []
        self.error = ""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        yield LifecycleEntry("projects/p/dataconnectors/c", "q", "", "")

    def keep(self, events: Sequence[ExpiredEvent]) -> set[int]:
        self._fail("keep")
        self.kept += events
        return set(range(len(events)))

    def accounted(self) -> float | None:
        self._fail("accounted")
        return self.hour

    def set_accounted(self, hour: float) -> None:
        self._fail("set_accounted")
        self.hour = hour

    def _fail(self, call: str) -> None:
        if self.error == call:
            raise ClientError({"Error": {"Code": "Throttling", "Message": ""}}, call)


@pytest.mark.parametrize("failing", ["keep", "accounted", "set_accounted"])
def test_an_hour_that_could_not_be_accounted_for_is_tried_again(failing: str) -> None:
    ledger = Ledger()
    watch = CloudWatch(START, q=in_queue({5: 500.0}, {6: 100.0}, {59: 0.0}))
    accountant = Accountant(watch, ledger, ledger, str)
    now = START + 3600 + 25 * 60
    ledger.error = failing
    failed = accountant.run(now, always)
    assert failed is not None
    assert "Throttling" in failed.error
    assert ledger.hour == START - 3600
    ledger.error = ""
    accounted = accountant.run(now + 60, always)
    assert accounted is not None
    assert (accounted.unaccounted, accounted.error) == (400, "")
    assert accountant.run(now + 120, always) is None
    # Once more the same record, which is one in the table.
    assert len(set(ledger.kept)) == 1


def test_an_hour_that_there_was_no_time_for_is_not_tried_for_ever() -> None:
    ledger = Ledger()
    accountant = Accountant(CloudWatch(START), ledger, ledger, str)
    now = START + 3600 + 25 * 60
    accounted = accountant.run(now, lambda: False)
    assert accounted is not None
    assert accounted.error == "no time left"
    assert accountant.run(now, always) is None
