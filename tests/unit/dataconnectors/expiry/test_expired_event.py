"""Until when an attempt may begin, and what the API shows of a record."""

import pytest

from dataconnectors.delivery.retry import wait_after
from dataconnectors.expiry.expired_event import (
    LAST_ATTEMPT_AGE,
    RETENTION_SECONDS,
    attempt_fits,
    wait_to_save_again,
)
from tests.support.rows import an_expired

NOW = 1_790_000_000.0


def attempts(response_time: float) -> list[float]:
    """The ages at which the attempts of an endpoint begin that never acknowledges."""
    ages = [0.0]
    while True:
        ended = ages[-1] + response_time
        due = ended + wait_after(len(ages), response_time, ended)
        if not attempt_fits(due):
            return ages
        ages.append(due)


def test_all_twenty_attempts_of_twelve_hours_fit() -> None:
    ages = attempts(0.0)
    assert len(ages) == 20
    assert ages[-1] == 40_088
    # A twenty-first attempt would come after the end. So the margin prevents no attempt.
    assert ages[-1] + wait_after(20, 0.0, ages[-1]) > RETENTION_SECONDS


@pytest.mark.parametrize("response_time", [0.05, 1.0, 10.0, 60.0, 330.0])
def test_at_least_sixteen_attempts_fit_and_none_begins_too_late(response_time: float) -> None:
    assert attempts(response_time)[-1] < LAST_ATTEMPT_AGE
    assert len(attempts(response_time)) >= 16


def test_an_event_whose_record_is_not_saved_waits_until_it_is_too_old_for_attempts() -> None:
    assert wait_to_save_again(LAST_ATTEMPT_AGE - 3000) == 3000
    for age in (LAST_ATTEMPT_AGE - 10, LAST_ATTEMPT_AGE, LAST_ATTEMPT_AGE + 100):
        assert wait_to_save_again(age) == 20
    # Several tries fit before SQS deletes the message.
    assert (RETENTION_SECONDS - LAST_ATTEMPT_AGE) / 20 >= 5


def test_a_record_of_a_failure_without_an_answer_shows_no_status() -> None:
    event = an_expired(
        "projects/p/dataconnectors/c",
        NOW,
        event_id="e1",
        kind="timeout",
        message="no answer in time",
        status=None,
    )
    assert event.to_api() == {
        "eventId": "e1",
        "eventType": "touch",
        "targetName": "projects/p/devices/d",
        "attempts": 20,
        "lastError": {"kind": "timeout", "message": "no answer in time"},
        "acceptedTime": "2026-09-21T02:33:20.000000Z",
        "expiredTime": "2026-09-21T14:13:20.000000Z",
    }
