"""What failed attempts add to what is known of their connector."""

from dataclasses import replace

import pytest

from dataconnectors.connectors.failing import Failing
from dataconnectors.delivery.evidence import Failures, failing_after, failing_after_canary
from dataconnectors.endpoints.outcomes import Failed, FailureKind

NOW = 1_790_000_000.0
REFUSED = Failed(FailureKind.CONNECT, "refused", 0.1)
ANSWERED = Failed(FailureKind.STATUS, "the endpoint answered 503", 0.1, status=503)
FIRST = Failing(NOW, NOW, "connect", "refused", None, NOW - 7, NOW, 3)


def test_the_first_failures_begin_to_count() -> None:
    assert failing_after(None, Failures(REFUSED, NOW - 7, 3), NOW) == FIRST


@pytest.mark.parametrize(
    ("before", "seconds", "window", "count"),
    [
        (FIRST, 60.0, NOW, 5),
        (FIRST, 60.1, NOW + 60.1, 2),  # a trickle never adds up
        (FIRST, -30.0, NOW, 5),  # the clock of another process is behind
        (FIRST._replace(failures=97), 1.0, NOW, 99),
        (FIRST._replace(failures=100), 7200.0, NOW, 102),  # an outage ends with a success alone
    ],
)
def test_failures_count_from_the_first_of_a_minute_on(
    before: Failing, seconds: float, window: float, count: int
) -> None:
    after = failing_after(before, Failures(ANSWERED, NOW - 9, 2), NOW + seconds)
    assert (after.since, after.window, after.failures) == (NOW, window, count)
    assert (after.kind, after.message, after.status) == ("status", ANSWERED.message, 503)
    assert (after.oldest, after.failed_at) == (NOW - 9, NOW + seconds)
    assert after.is_outage == (count >= 100)


def test_a_connector_is_watched_after_a_minute_without_a_success() -> None:
    assert not failing_after(FIRST, Failures(REFUSED, NOW, 1), NOW + 59.9).watched
    assert failing_after(FIRST, Failures(REFUSED, NOW, 1), NOW + 60).watched
    assert failing_after(FIRST._replace(watched=True), Failures(REFUSED, NOW, 1), NOW).watched


@pytest.mark.parametrize("before", [FIRST, FIRST._replace(failures=120)])
def test_a_day_without_an_attempt_lets_failing_begin_anew(before: Failing) -> None:
    for seconds, since in ((86_400.0, NOW), (86_401.0, NOW + 86_401)):
        after = failing_after(before, Failures(REFUSED, NOW, 1), NOW + seconds)
        assert (after.since, after.is_outage) == (since, before.is_outage)


@pytest.mark.parametrize(("age", "wait"), [(10.0, 8.0), (240.0, 30.0), (7200.0, 60.0), (-5.0, 8.0)])
def test_a_failed_canary_says_when_the_next_one_goes(age: float, wait: float) -> None:
    before = FIRST._replace(failures=120, canary_at=NOW + 1000)
    after = failing_after_canary(before, Failures(ANSWERED, NOW, 1), NOW + age)
    assert (after.canary_at, after.failures, after.window) == (NOW + age + wait, 120, NOW)
    assert (after.status, after.failed_at) == (503, NOW + age)


def test_a_long_message_is_cut() -> None:
    failed = replace(REFUSED, message="x" * 1000)
    assert failing_after(None, Failures(failed, NOW, 1), NOW).message == "x" * 300
