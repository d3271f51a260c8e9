"""Control-plane calls are spaced, and none begins that may outlast the invocation."""

import pytest

from dataconnectors.provisioning.rate_limit import (
    CALL_RESERVE,
    CALLS_PER_SECOND,
    OutOfTimeError,
    RateLimit,
)
from tests.support.virtual_time import VirtualTime


def unhurried() -> float:
    return 900.0


def test_calls_are_spaced_however_fast_they_come() -> None:
    time = VirtualTime()
    rate_limit = RateLimit(unhurried, clock=time.clock, sleep=time.sleep)
    for _ in range(3 * CALLS_PER_SECOND + 1):
        rate_limit()
    assert time.clock() == pytest.approx(3.0)
    assert rate_limit.calls == 3 * CALLS_PER_SECOND + 1


def test_the_first_call_does_not_wait() -> None:
    time = VirtualTime()
    RateLimit(unhurried, clock=time.clock, sleep=time.sleep)()
    assert time.slept == 0


def test_unused_time_does_not_allow_a_burst_later() -> None:
    time = VirtualTime()
    rate_limit = RateLimit(unhurried, clock=time.clock, sleep=time.sleep)
    rate_limit()
    time.advance(10.0)
    rate_limit()
    rate_limit()
    assert time.slept == pytest.approx(1 / CALLS_PER_SECOND)


@pytest.mark.parametrize(
    ("left", "begins"), [(CALL_RESERVE + 0.1, True), (CALL_RESERVE - 0.1, False), (0.0, False)]
)
def test_no_call_begins_that_may_outlast_the_invocation(left: float, begins: bool) -> None:
    time = VirtualTime()
    rate_limit = RateLimit(lambda: left, clock=time.clock, sleep=time.sleep)
    if begins:
        rate_limit()
    else:
        with pytest.raises(OutOfTimeError):
            rate_limit()
    assert rate_limit.calls == begins


def test_the_wait_before_a_call_counts_against_the_time_left() -> None:
    time = VirtualTime()
    rate_limit = RateLimit(lambda: CALL_RESERVE + 0.1, clock=time.clock, sleep=time.sleep)
    rate_limit()
    with pytest.raises(OutOfTimeError):
        rate_limit()
    assert time.slept == 0
