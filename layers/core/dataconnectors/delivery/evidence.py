"""What the failed attempts of a batch add to what is known of their connector."""

from typing import NamedTuple

from dataconnectors.connectors.failing import WATCHED_AFTER, Failing
from dataconnectors.delivery.holding import canary_interval
from dataconnectors.endpoints.outcomes import Failed

LONGEST_MESSAGE = 300
"""Characters of the last error that are kept: it names host and reason, and is shown in a line."""

FORGOTTEN_AFTER = 86_400.0
"""Seconds without any attempt after which a connector begins to fail anew. One with an event a week
is not disabled because two of them in a row have failed at first."""


class Failures(NamedTuple):
    """Failed attempts of one connector in one batch, without one that succeeded.

    `last` is one of these `attempts`; `oldest` is when the oldest of their events was accepted, in
    epoch seconds.
    """

    last: Failed
    oldest: float
    attempts: int


def failing_after(before: Failing | None, failures: Failures, now: float) -> Failing:
    """What is known after the attempts, which ended at `now` in epoch seconds."""
    is_recent = before is not None and now - before.failed_at <= FORGOTTEN_AFTER
    since = before.since if before is not None and is_recent else now
    window, count = now, 0
    if before is not None and before.counts_on(now):
        window, count = before.window, before.failures
    return Failing(
        since=since,
        failed_at=now,
        kind=failures.last.kind.value,
        message=failures.last.message[:LONGEST_MESSAGE],
        status=failures.last.status,
        oldest=failures.oldest if before is None else min(before.oldest, failures.oldest),
        window=window,
        failures=count + failures.attempts,
        canary_at=0.0 if before is None else before.canary_at,
        watched=(before is not None and before.watched) or now - since >= WATCHED_AFTER,
    )


def failing_after_canary(before: Failing, failures: Failures, now: float) -> Failing:
    """What is known after a canary that failed at `now`: it also says when the next one goes."""
    after = failing_after(before, failures, now)
    age = now - before.window
    return after._replace(failures=before.failures, canary_at=now + canary_interval(age))
