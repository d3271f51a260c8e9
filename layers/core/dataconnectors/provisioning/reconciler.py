"""Finishes and mends queues and mappings on a schedule, so that nothing depends on who died when.

The quick pass finishes rows that are `PROVISIONING` or `DELETING`. The audit compares `READY` rows
with what SQS and Lambda list, and removes what no row owns. Listings and the index lag by seconds,
so they only raise suspicion: every change is decided on the row itself, read consistently, and on
what SQS and Lambda say about that one queue.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import CONNECTOR_TAG, STACK_TAG, Blueprint
from dataconnectors.provisioning.control_plane import (
    ABSENT,
    CallError,
    ControlPlane,
    NotYetError,
)
from dataconnectors.provisioning.mappings import EventSourceMapping
from dataconnectors.provisioning.provisioner import Change, Provisioner
from dataconnectors.provisioning.rate_limit import OutOfTimeError, RateLimit
from dataconnectors.provisioning.rows import ConnectorRows
from dataconnectors.provisioning.steps import Owner

AUDIT_MINUTES = 15
"""An audit lists everything: some calls of Lambda's small allowance, and a read of the index."""

CREATION_GRACE = 30.0
"""Seconds. AWS: an HTTP API waits 30 s at most, so until then the call that created the row may
still be at it; two at once do no harm, but waste calls."""

ORPHAN_AGE = 900.0
"""Seconds before a queue that no row owns is removed: a margin for what nobody thought of."""

OVERDUE = 600.0
"""Seconds after which a connector that is still not made, or not gone, counts as drift."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """One thing that was put right. `drift` when nobody had asked for it to change."""

    connector: str
    queue_id: str
    what: str
    drift: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """One connector that could not be put right in this run. `detail` is AWS's own text."""

    connector: str
    queue_id: str
    reason: str
    detail: str


@dataclass(slots=True)
class Report:
    """What a run did. `finished` is False when it stopped early, with at least `left` to look at.

    `provisioned` and `cleared` count connectors, `altered` changes that a parameter asked for,
    `drift` changes that nobody asked for. `later` waits for AWS (`audit_later`: of
    which found by the audit), `failed` for an operator or for
    better times. `foreign` are queues and mappings named like ours whose tags do not say that they
    are ours: never touched.
    """

    audit: bool
    finished: bool = True
    throttled: bool = False
    calls: int = 0
    provisioned: int = 0
    cleared: int = 0
    altered: int = 0
    drift: int = 0
    later: int = 0
    audit_later: int = 0
    failed: int = 0
    foreign: int = 0
    left: int = 0


Tell = Callable[[Repaired | Failed], None]


class Reconciler:
    """Runs one after the other; two at once do no harm. `now` is the epoch second.

    `tell` hears of each `Repaired` and `Failed` as it happens: the process may not see the end.
    """

    def __init__(
        self,
        sqs: Any,
        lambda_client: Any,
        store: ConnectorRows,
        settings: QueueSettings,
        *,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        shuffle: Callable[[list[Any]], None] = random.shuffle,
    ) -> None:
        self._sqs = sqs
        self._lambda = lambda_client
        self._store = store
        self._blueprint = Blueprint(settings)
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._shuffle = shuffle
        self._audit_again = False

    def run(self, *, audit: bool, remaining: Callable[[], float]) -> Report:
        """Do what can be done in the `remaining()` seconds.

        Audits when told to, each `AUDIT_MINUTES` by the clock, and when this process's last audit
        has left something to go on with. Raises botocore's errors when the index cannot be read.
        """
        audit = audit or self._audit_again or self._now() // 60 % AUDIT_MINUTES == 0
        pace = RateLimit(remaining, clock=self._clock, sleep=self._sleep)
        run = _Run(
            report=Report(audit),
            blueprint=self._blueprint,
            plane=ControlPlane(self._sqs, self._lambda, self._blueprint, pace),
            provisioner=Provisioner(
                self._sqs,
                self._lambda,
                self._store,
                self._blueprint.settings,
                self._clock,
                self._sleep,
                pace,
            ),
            store=self._store,
            tell=self._tell,
            now=self._now,
            shuffle=self._shuffle,
        )
        run.go()
        report = run.report
        report.calls = pace.calls
        if audit:
            # What is left, or what AWS is at work on, is done in a minute, not in a quarter hour.
            self._audit_again = not report.finished or report.audit_later > 0
        return report


@dataclass(frozen=True, slots=True)
class _Task:
    connector: str
    queue_id: str
    do: Callable[[], None]


_NO_CONNECTOR = _Task("", "", lambda: None)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: what it works with, and the report that it fills in."""

    report: Report
    blueprint: Blueprint
    plane: ControlPlane
    provisioner: Provisioner
    store: ConnectorRows
    tell: Tell
    now: Callable[[], float]
    shuffle: Callable[[list[Any]], None]

    def go(self) -> None:
        """Both passes, as far as time and AWS allow."""
        report = self.report
        try:
            self.finish_unfinished()
            if report.audit:
                before = report.later
                self.audit()
                report.audit_later = report.later - before
        except OutOfTimeError:
            report.finished = False
        except ControlPlaneError as error:
            report.finished = False
            report.throttled = isinstance(error, CallError) and error.throttled
            if not report.throttled:  # A listing, which belongs to no connector.
                self._failed(_NO_CONNECTOR, error)

    # --- the quick pass ----------------------------------------------------------------------

    def finish_unfinished(self) -> None:
        """Go on with every row that is on its way, those to be deleted first."""
        tasks: list[_Task] = []
        for lifecycle in (Lifecycle.DELETING, Lifecycle.PROVISIONING):
            entries = list(self.store.connectors_in(lifecycle))
            # So that a run that ends early does not neglect the same ones as the last one did.
            self.shuffle(entries)
            tasks += [
                _Task(entry.name, entry.queue_id, partial(self._finish, entry)) for entry in entries
            ]
        self._each(tasks)

    def _finish(self, entry: LifecycleEntry) -> None:
        row = self.store.connector(entry.name)
        if row is None or row.queue_id != entry.queue_id:
            return
        if row.lifecycle is Lifecycle.DELETING:
            self.provisioner.delete(Owner.of(row))
            self.store.remove(row)
            self.report.cleared += 1
            self._finished(row, "cleared", since=row.update_time)
        elif row.lifecycle is Lifecycle.PROVISIONING:
            if self._age(row.create_time) < CREATION_GRACE:
                raise NotYetError("the call that created it may still be at it")
            self.provisioner.converge(row)
            self.report.provisioned += 1
            self._finished(row, "provisioned", since=row.create_time)

    def _finished(self, row: Connector, what: str, *, since: str) -> None:
        self._repaired(row.name, row.queue_id, what, drift=self._age(since) > OVERDUE)

    # --- the audit ---------------------------------------------------------------------------

    def audit(self) -> None:
        """Compare all rows with all queues and mappings; look closely where they differ.

        The index is read last, so that what was made meanwhile is more likely in it.
        """
        queues = set(self.plane.queue_ids())
        mappings: dict[str, list[EventSourceMapping]] = {}
        for mapping in self.plane.sender_mappings():
            queue_id = self.blueprint.queue_id(mapping.queue_arn.rpartition(":")[2])
            if queue_id is not None and mapping.queue_arn == self.blueprint.queue_arn(queue_id):
                mappings.setdefault(queue_id, []).append(mapping)
        ready = {entry.queue_id: entry for entry in self.store.connectors_in(Lifecycle.READY)}
        owned = ready.keys() | {
            entry.queue_id
            for lifecycle in (Lifecycle.PROVISIONING, Lifecycle.DELETING)
            for entry in self.store.connectors_in(lifecycle)
        }
        suspects = [
            entry
            for entry in ready.values()
            if not self._looks_right(entry, queues, mappings.get(entry.queue_id, []))
        ]
        orphans = sorted((queues | mappings.keys()) - owned)
        tasks = [
            _Task(entry.name, entry.queue_id, partial(self._repair, entry)) for entry in suspects
        ]
        tasks += [
            _Task("", orphan, partial(self._delete_orphan, orphan, mappings.get(orphan, [])))
            for orphan in orphans
        ]
        self.shuffle(tasks)
        self._each(tasks)

    def _looks_right(
        self, entry: LifecycleEntry, queues: set[str], mappings: list[EventSourceMapping]
    ) -> bool:
        return (
            entry.queue_id in queues
            and entry.provisioned == self.blueprint.fingerprint
            and len(mappings) == 1
            and mappings[0].id == entry.mapping_id
            and self.blueprint.matches(mappings[0])
        )

    def _repair(self, entry: LifecycleEntry) -> None:
        """Put a `READY` connector right, if it is wrong on a closer look."""
        row = self.store.connector(entry.name)
        if row is None or row.queue_id != entry.queue_id or row.lifecycle is not Lifecycle.READY:
            return
        outdated = row.provisioned != self.blueprint.fingerprint

        def changed(change: Change) -> None:
            asked_for = outdated and change in (Change.QUEUE_UPDATED, Change.MAPPING_UPDATED)
            self.report.altered += asked_for
            self._repaired(row.name, row.queue_id, change, drift=not asked_for)

        self.provisioner.converge(row, on_change=changed)

    def _delete_orphan(self, queue_id: str, mappings: list[EventSourceMapping]) -> None:
        """Remove a queue, or a mapping without queue, if its connector is truly gone."""
        url = self.plane.find_queue(queue_id)
        if url != ABSENT:
            made_at = self.plane.queue_created_at(url)
            if made_at is None or self.now() - made_at < ORPHAN_AGE:
                return
            tags = self.plane.queue_tags(url)
        else:
            tags = self.plane.mapping_tags(mappings[0]) if mappings else {}
            if not tags:
                return  # Gone, and listed no longer in some seconds.
        connector = tags.get(CONNECTOR_TAG)
        if tags.get(STACK_TAG) != self.blueprint.settings.stack or connector is None:
            self.report.foreign += 1
            return
        row = self.store.connector(connector)
        if row is not None and row.queue_id == queue_id:
            return
        self.provisioner.delete(
            Owner.of_orphan(connector, queue_id),
            on_change=lambda change: self._repaired(connector, queue_id, change, drift=True),
        )

    # --- tasks and news ----------------------------------------------------------------------

    def _each(self, tasks: list[_Task]) -> None:
        """Do each task; one that fails does not stop the others, one that is throttled does."""
        self.report.left += len(tasks)
        for task in tasks:
            try:
                task.do()
            except NotYetError:
                self.report.later += 1
            except CallError as error:
                if error.throttled:
                    raise
                self._failed(task, error)
            except (ControlPlaneError, ClientError, BotoCoreError) as error:
                self._failed(task, error)
            self.report.left -= 1

    def _failed(self, task: _Task, error: Exception) -> None:
        self.report.failed += 1
        self.tell(Failed(task.connector, task.queue_id, str(error), str(error.__cause__ or "")))

    def _repaired(self, connector: str, queue_id: str, what: str, *, drift: bool) -> None:
        self.report.drift += drift
        self.tell(Repaired(connector, queue_id, what, drift))

    def _age(self, moment: str) -> float:
        return self.now() - times.from_text(moment)
