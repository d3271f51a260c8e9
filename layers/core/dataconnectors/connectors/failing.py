"""What is known of a connector's failed attempts since the last one that succeeded.

The sender writes it to the connector's row, which it reads for each batch anyway: a connector that
works has none of it, and costs no read and no write more. A change of the configuration removes it,
because the customer may have mended what was wrong.
"""

from typing import NamedTuple

OUTAGE_FAILURES = 100
"""Failed attempts within `WINDOW_SECONDS`, and none that succeeded, that make an outage. The
back-off of an event makes 3 attempts in its first minute: a connector with less than about 30
events a minute never gets there, and keeps the exact times of its back-off."""

WINDOW_SECONDS = 60.0
"""How long failed attempts are added up, from the first of them on."""

WATCHED_AFTER = 60.0
"""Seconds without a success after which a failing connector is put on the reconciler's list. Most
failures are over by then, and need neither list nor announcement."""


class Failing(NamedTuple):
    """Times are in epoch seconds, by the clocks of the processes that wrote them.

    `since` is the first failed attempt, `failed_at` the last; `kind` (a `FailureKind` of
    `endpoints.outcomes`), `message` and `status` (HTTP, None without an answer) describe the last.
    `oldest` is when the oldest event was accepted that is known to have failed. `failures` counts
    attempts from `window` on. No canary may start before `canary_at`, 0 before the first canary.
    `watched` says that the connector is on the reconciler's list.
    """

    since: float
    failed_at: float
    kind: str
    message: str
    status: int | None
    oldest: float
    window: float
    failures: int
    canary_at: float = 0.0
    watched: bool = False

    @property
    def is_outage(self) -> bool:
        """Whether only a canary is attempted. It ends with the first success."""
        return self.failures >= OUTAGE_FAILURES

    def counts_on(self, now: float) -> bool:
        """Whether a failed attempt that ends at `now` is added to those of the window."""
        return self.is_outage or now - self.window <= WINDOW_SECONDS
