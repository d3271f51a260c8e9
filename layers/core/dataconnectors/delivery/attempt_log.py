"""The attempt log: which attempts are written down, and that no delivery suffers from it.

Attempts are written after everything else in a batch, within a deadline of their own. Nothing here
raises: what cannot be written is counted, logged, and told with the next entry that is written.
"""

import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from dataconnectors.delivery.deadlines import LOG_SECONDS, Clocks
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.results import Attempted, Result
from dataconnectors.endpoints.outcomes import Delivered, Outcome
from dataconnectors.kernel import times
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers, failure_of

ENTRIES_PER_SECOND = 10.0
MOST_AT_ONCE = 100.0
"""Attempts that one process writes down: so many a second, and so many at once after a quiet time.
Fifty senders (the default of `MaximumConcurrency`) write 500 a second at most, with three write
units each: a small part of what the table takes, so that ingest never waits for the log."""

PAUSE_SECONDS = 10.0
"""After a write that failed or took too long, nothing is written for so long. A database that does
not answer costs a process `LOG_SECONDS` in so many seconds, and not in each batch."""

NEW_SECONDS = 600.0
"""All attempts of a connector are written down when it was made or changed less than this ago: its
owner is looking whether it works."""

REMEMBERED = 1000
"""Connectors whose left-out attempts are remembered until the next entry. It bounds memory."""


class Entry(NamedTuple):
    """An attempt to write down.

    It stands for `one_in` attempts of its kind. `next_at` is when its event is attempted again, in
    epoch seconds; None when it is not. `left_out` attempts of its connector were not written down
    since the last entry of this process.
    """

    outcome: Outcome
    attempted: Attempted
    one_in: int
    next_at: float | None
    left_out: int = 0


Write = Callable[[Sequence[Entry]], int]
"""Writes entries, and returns how many of them were not written. Raises botocore's errors."""


class AttemptLog:
    """Chooses attempts, and has them written by `write`. `one_in` is that of `LogMode.SAMPLED`."""

    def __init__(
        self, mode: LogMode, one_in: int, write: Write, workers: Workers, log: Log, clocks: Clocks
    ) -> None:
        self._mode = mode
        self._one_in = one_in
        self._write = write
        self._workers = workers
        self._log = log
        self._clocks = clocks
        self._tokens = MOST_AT_ONCE
        self._counted_at = clocks.monotonic()
        self._paused_until = self._counted_at
        self._left_out: Counter[str] = Counter()

    def write(self, results: Sequence[Result], until: float) -> int:
        """Write down the attempts of a batch, by `until` in seconds of the monotonic clock.

        Returns how many of them were left out that should have been written down.
        """
        wanted = self._wanted(results)
        if not wanted:
            return 0
        now = self._clocks.monotonic()
        seconds = min(LOG_SECONDS, until - now)
        room = 0 if seconds <= 0 or now < self._paused_until else self._take(len(wanted), now)
        # Failures first: they are what somebody will look for.
        wanted.sort(key=lambda entry: isinstance(entry.outcome, Delivered))
        chosen, rest = wanted[:room], wanted[room:]
        self._leave_out(rest)
        left_out = len(rest)
        if chosen:
            chosen = self._with_left_out(chosen)
            (call,) = self._workers.run([partial(self._write, chosen)], seconds)
            error = failure_of(call)
            unwritten = len(chosen) if error else call.result()
            if unwritten:
                error = error or "DynamoDB left entries unprocessed"
                self._paused_until = self._clocks.monotonic() + PAUSE_SECONDS
                self._leave_out(chosen[:unwritten])
                extra = {"attempts": unwritten, "error": error}
                self._log.error("attempts.not_logged", extra=extra)
                left_out += unwritten
        return left_out

    def _wanted(self, results: Sequence[Result]) -> list[Entry]:
        """The attempts that the log should have."""
        if self._mode is LogMode.OFF:
            return []
        wanted = []
        lag: float | None = None
        for result in results:
            if result.outcome is None or result.attempted is None:
                continue
            one_in = self._one_in_of(result.outcome, result.attempted)
            if not one_in:
                continue
            next_at = None
            if result.due is not None and result.expired is None:
                if lag is None:
                    lag = self._clocks.wall() - self._clocks.monotonic()
                next_at = result.due + lag
            wanted.append(Entry(result.outcome, result.attempted, one_in, next_at))
        return wanted

    def _one_in_of(self, outcome: Outcome, attempted: Attempted) -> int:
        """How many attempts an entry for this one stands for; 0 when there is none for it."""
        if self._mode is LogMode.ALL or not isinstance(outcome, Delivered):
            return 1
        if self._mode is LogMode.FAILURES:
            return 0
        connector, event = attempted.connector, attempted.event
        # What somebody has asked for is looked for, and what failed before is told to its end.
        if event.origin:
            return 1
        if connector.failing is not None or event.message.receive_count > 1:
            return 1
        if connector.update_time > times.to_text(attempted.ended_at - NEW_SECONDS):
            return 1
        # By the event's id, so that all connectors show the same events.
        return self._one_in * (zlib.crc32(event.event_id.encode()) % self._one_in == 0)

    def _take(self, wanted: int, now: float) -> int:
        """As many of the entries that are wanted as may be written now."""
        refill = (now - self._counted_at) * ENTRIES_PER_SECOND
        self._tokens = min(self._tokens + refill, MOST_AT_ONCE)
        self._counted_at = now
        taken = min(wanted, int(self._tokens))
        self._tokens -= taken
        return taken

    def _leave_out(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            name = entry.attempted.event.connector
            if name in self._left_out or len(self._left_out) < REMEMBERED:
                self._left_out[name] += 1 + entry.left_out

    def _with_left_out(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries, the first of each connector with what was left out before it."""
        return [
            entry._replace(left_out=self._left_out.pop(entry.attempted.event.connector, 0))
            for entry in entries
        ]
