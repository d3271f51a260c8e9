"""How many events of a queue are missing after an hour, within the error of its metrics."""

from collections.abc import Callable

import pytest

from dataconnectors.expiry.queue_hours import QueueHour, queue_hours
from tests.support.cloudwatch import CloudWatch, in_queue

START = 1_789_999_200.0
"""A full hour."""


def always() -> bool:
    return True


def hours(cloudwatch: CloudWatch, has_time: Callable[[], bool] = always) -> dict[str, QueueHour]:
    return dict(queue_hours(cloudwatch, cloudwatch.queues, START, has_time))


def test_an_hour_has_the_messages_sent_and_deleted_and_those_at_its_begin_and_end() -> None:
    sent = {-1: 999.0, 0: 100.0, 59: 50.0, 60: 999.0}
    watch = CloudWatch(
        START, q=in_queue(sent, {0: 40.0, 30: 20.0}, {-1: 10.0, 0: 99.0, 59: 20.0, 60: 99.0})
    )
    assert hours(watch) == {"q": QueueHour(sent=150, deleted=60, before=30, after=60)}


@pytest.mark.parametrize(
    ("hour", "unaccounted"),
    [
        (QueueHour(1000, 1000, 0, 0), 0),
        (QueueHour(1000, 400, 0, 600), 0),
        (QueueHour(1000, 400, 0, 500), 100),
        (QueueHour(0, 0, 5000, 4000), 1000),  # nobody receives, and SQS deletes the oldest
        (QueueHour(1000, 980, 0, 0), 0),  # a hundredth and ten are within the error
        (QueueHour(1000, 979, 0, 0), 21),
        (QueueHour(0, 0, 11, 0), 11),
        (QueueHour(0, 0, 10, 0), 0),
        (QueueHour(100, 300, 0, 0), 0),  # counted twice
    ],
)
def test_messages_missing_beyond_the_error_of_measurement_are_unaccounted(
    hour: QueueHour, unaccounted: int
) -> None:
    assert hour.unaccounted == unaccounted


def test_a_queue_without_metrics_at_the_hours_begin_was_empty() -> None:
    watch = CloudWatch(START, q=in_queue({30: 5.0}, {31: 5.0}, {30: 0.0, 58: 0.0}))
    assert hours(watch) == {"q": QueueHour(5, 5, 0, 0)}


def test_a_queue_whose_metrics_are_missing_or_incomplete_is_left_out() -> None:
    assert (
        hours(CloudWatch(START, q=in_queue({}, {}, {}), r=in_queue({30: 500.0}, {}, {40: 1.0})))
        == {}
    )


def test_one_call_reads_a_hundred_queues() -> None:
    queues = {f"q{number}": in_queue({1: float(number)}, {}, {59: 0.0}) for number in range(101)}
    watch = CloudWatch(START, **queues)
    found = hours(watch)
    assert watch.calls == 2
    assert [found[name].sent for name in queues] == list(range(101))


def test_every_page_of_an_answer_is_read() -> None:
    watch = CloudWatch(START, q=in_queue({1: 7.0}, {2: 7.0}, {59: 0.0}))
    watch.page = 1
    assert hours(watch) == {"q": QueueHour(7, 7, 0, 0)}


def test_nothing_is_read_when_no_time_is_left() -> None:
    watch = CloudWatch(START, q=in_queue({1: 7.0}, {}, {59: 0.0}))
    assert hours(watch, has_time=lambda: False) == {}
    assert watch.calls == 0
