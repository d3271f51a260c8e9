"""Outages: an endpoint that fails under load gets one attempt at a time, until one succeeds.

A connector's row says whether it is in an outage (see `connectors.failing`). In an outage one event
is attempted at a time, the *canary*; all others are held, which means put back without an attempt.
Events are held by visibility timeouts alone, as the back-off does it. The first success ends the
outage for all processes, because each batch reads the row. A paused connector holds all its events.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import random
from typing import NamedTuple, Protocol

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.failing import Failing
from dataconnectors.delivery.deadlines import Clocks, longest_attempt
from dataconnectors.delivery.evidence import Failures, failing_after, failing_after_canary
from dataconnectors.delivery.holding import canary_lease, canary_wait, hold_share
from dataconnectors.delivery.results import Result, held
from dataconnectors.delivery.selection import Selected
from dataconnectors.endpoints.outcomes import Failed
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers, failure_of


class FailingConnectors(Protocol):
    """What delivery needs of `store.failing.FailingStore`. All calls raise botocore's errors."""

    def claim_canary(self, connector: Connector, until: float, /) -> bool:
        """Let no other canary start before `until`, in epoch seconds; False when another process
        has claimed it, or the outage is over."""

    def record(self, connector: Connector, failing: Failing, /) -> None:
        """Write what is known now, unless the row is no longer the one that was read. Only the
        latest claim's canary says when the next one may start."""

    def clear(self, connector: Connector, /) -> None:
        """Remove what was read, because an attempt has succeeded."""


class Held(NamedTuple):
    """The events to attempt, the results of those that are held, and by name the connectors whose
    event is a canary, each as its claim has left it."""

    attempted: Sequence[Selected]
    results: Sequence[Result]
    canaries: Mapping[str, Connector]


class Outages:
    """Holds events, and keeps what is known of failing connectors. `spread` is from 0 to 1."""

    def __init__(
        self,
        failing_connectors: FailingConnectors,
        workers: Workers,
        log: Log,
        clocks: Clocks,
        attempt_timeout: float,
        spread: Callable[[], float] = random,
    ) -> None:
        self._failing_connectors = failing_connectors
        self._workers = workers
        self._log = log
        self._clocks = clocks
        self._lease = canary_lease(longest_attempt(attempt_timeout))
        self._spread = spread

    def hold(self, selected: Sequence[Selected], until: float) -> Held:
        """Hold the events of paused connectors, and those of outages except for a canary and tests.

        A canary is claimed by `until`, in seconds of the monotonic clock. If the answer comes later
        or not at all, its event is held like the others.
        """
        attempted: list[Selected] = []
        results: list[Result] = []
        canaries: dict[str, Connector] = {}
        looked_at: set[str] = set()  # a claim that is refused or fails is not made again
        # What comes together goes back together, so that batches stay full.
        spread = self._spread()
        for each in selected:
            connector = each.connector
            since = connector.held_since
            # Somebody waits for the outcome of a test, and its success ends the outage for all.
            if since is None or (each.event.is_test and not connector.is_paused):
                attempted.append(each)
                continue
            age = self._clocks.wall() - since
            is_first = connector.name not in looked_at
            looked_at.add(connector.name)
            claimed = self._claim_canary(connector, until) if is_first else None
            if claimed is not None:
                canaries[connector.name] = claimed
                attempted.append(each._replace(canary_wait=canary_wait(age)))
            else:
                results.append(held(each.event, connector, hold_share(age), spread, self._clocks))
        return Held(attempted, results, canaries)

    def _claim_canary(self, connector: Connector, until: float) -> Connector | None:
        """The connector as it is claimed, if an event of it may be attempted as its canary now."""
        failing, now = connector.failing, self._clocks.wall()
        if connector.is_paused or failing is None or now < failing.canary_at:
            return None
        lease_ends = now + self._lease
        claim = partial(self._failing_connectors.claim_canary, connector, lease_ends)
        (call,) = self._workers.run([claim], until - self._clocks.monotonic())
        error = failure_of(call)
        if error:
            extra = {"connector": connector.name, "error": error}
            self._log.error("outage.canary_not_claimed", extra=extra)
            return None
        if not call.result():
            return None
        return replace(connector, failing=failing._replace(canary_at=lease_ends))

    def evidence(self, batch: Held, results: Sequence[Result]) -> Mapping[str, Callable[[], None]]:
        """The write that the attempts of each connector call for, by its name.

        A connector that works needs none. One success outweighs all failures of its batch.
        """
        writes: dict[str, Callable[[], None]] = {}
        for name, connector in {
            each.connector.name: each.connector for each in batch.attempted
        }.items():
            ended = [each for each in results if each.connector == name and each.outcome]
            failed = [each for each in ended if isinstance(each.outcome, Failed)]
            if len(failed) < len(ended):
                if connector.failing is not None:
                    writes[name] = partial(self._end, connector, connector.failing)
            elif failed:
                known = batch.canaries.get(name, connector)
                failing = self._after(known, failed, is_canary=name in batch.canaries)
                writes[name] = partial(self._failing_connectors.record, known, failing)
        return writes

    def _after(self, connector: Connector, failed: Sequence[Result], *, is_canary: bool) -> Failing:
        last = failed[-1].outcome
        assert isinstance(last, Failed)
        failures = Failures(last, min(each.message.sent_at for each in failed), len(failed))
        if is_canary and connector.failing is not None:
            return failing_after_canary(connector.failing, failures, self._clocks.wall())
        return failing_after(connector.failing, failures, self._clocks.wall())

    def _end(self, connector: Connector, failing: Failing) -> None:
        self._failing_connectors.clear(connector)
        if failing.is_outage:
            age = round(self._clocks.wall() - failing.window)
            self._log.info("outage.ended", extra={"connector": connector.name, "seconds": age})
