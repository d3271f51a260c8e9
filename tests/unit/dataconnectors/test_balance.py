"""The hourly account of a queue: what is missing, and what is only measured badly."""

from collections.abc import Callable

import pytest

from dataconnectors.balance import Balance, balances, hour_to_account
from tests.support.cloudwatch import CloudWatch, in_queue

START = 1_789_999_200.0
"""A full hour."""


def always() -> bool:
    return True


def account(cloudwatch: CloudWatch, more: Callable[[], bool] = always) -> dict[str, Balance]:
    return dict(balances(cloudwatch, cloudwatch.queues, START, more))


def test_an_hour_is_what_came_what_left_and_what_was_there_at_both_ends() -> None:
    sent = {-1: 999.0, 0: 100.0, 59: 50.0, 60: 999.0}
    watch = CloudWatch(
        START, q=in_queue(sent, {0: 40.0, 30: 20.0}, {-1: 10.0, 0: 99.0, 59: 20.0, 60: 99.0})
    )
    assert account(watch) == {"q": Balance(sent=150, deleted=60, before=30, after=60)}


@pytest.mark.parametrize(
    ("balance", "unaccounted"),
    [
        (Balance(1000, 1000, 0, 0), 0),
        (Balance(1000, 400, 0, 600), 0),
        (Balance(1000, 400, 0, 500), 100),
        (Balance(0, 0, 5000, 4000), 1000),  # nobody receives, and the oldest go
        (Balance(1000, 980, 0, 0), 0),  # a hundredth and ten are within the measurement
        (Balance(1000, 979, 0, 0), 21),
        (Balance(0, 0, 11, 0), 11),
        (Balance(0, 0, 10, 0), 0),
        (Balance(100, 300, 0, 0), 0),  # counted twice
    ],
)
def test_what_is_missing_beyond_the_measurement_is_unaccounted(
    balance: Balance, unaccounted: int
) -> None:
    assert balance.unaccounted == unaccounted


def test_a_queue_that_woke_up_in_this_hour_was_empty() -> None:
    watch = CloudWatch(START, q=in_queue({30: 5.0}, {31: 5.0}, {30: 0.0, 58: 0.0}))
    assert account(watch) == {"q": Balance(5, 5, 0, 0)}


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
    assert account(watch) == {"q": Balance(7, 7, 0, 0)}


def test_without_time_nothing_more_is_asked() -> None:
    watch = CloudWatch(START, q=in_queue({1: 7.0}, {}, {59: 0.0}))
    assert account(watch, more=lambda: False) == {}
    assert watch.calls == 0


def test_one_minute_of_each_hour_accounts_for_the_hour_before() -> None:
    minutes = [minute for minute in range(120) if hour_to_account(START + minute * 60 + 59.9)]
    assert minutes == [25, 85]
    assert hour_to_account(START + 25 * 60) == START - 3600
    assert hour_to_account(START + 25 * 60 + 59.9) == START - 3600
