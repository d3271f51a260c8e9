"""Finishes connectors that are half made or half deleted, because the process at work on them died.

Creating a connector takes several calls, and deleting one takes seconds of waiting for Lambda. The
row says how far things are: `PROVISIONING` or `DELETING`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry
from dataconnectors.kernel import times
from dataconnectors.provisioning.control_plane import NotYetError
from dataconnectors.provisioning.provisioner import Provisioner
from dataconnectors.provisioning.repairs import Repair, RepairRunner
from dataconnectors.provisioning.rows import ConnectorRows
from dataconnectors.provisioning.steps import Owner

CREATION_GRACE = 30.0
"""Seconds after its creation in which a connector is left alone. AWS: an HTTP API waits 30 s at
most, so the call that created it may still be at work. Two at once do no harm, but waste calls."""

OVERDUE = 600.0
"""Seconds after which a connector that is still not made, or not gone, counts as drift."""


class UnfinishedConnectors:
    """Goes on with every connector that is `PROVISIONING` or `DELETING`.

    `now` gives epoch seconds.
    """

    def __init__(
        self,
        rows: ConnectorRows,
        provisioner: Provisioner,
        runner: RepairRunner,
        *,
        now: Callable[[], float],
        shuffle: Callable[[list[Any]], None],
    ) -> None:
        self._rows = rows
        self._provisioner = provisioner
        self._runner = runner
        self._now = now
        self._shuffle = shuffle

    def finish(self) -> None:
        """Finish the connectors in the index, those that are to be deleted first.

        Raises what `RepairRunner.run` raises, and botocore's errors when the index cannot be read.
        """
        repairs: list[Repair] = []
        for lifecycle in (Lifecycle.DELETING, Lifecycle.PROVISIONING):
            entries = list(self._rows.connectors_in(lifecycle))
            # A run that ends early must not neglect the same connectors as the last one did.
            self._shuffle(entries)
            repairs += [
                Repair(entry.name, entry.queue_id, partial(self._finish, entry))
                for entry in entries
            ]
        self._runner.run(repairs)

    def _finish(self, entry: LifecycleEntry) -> None:
        row = self._rows.connector(entry.name)
        if row is None or row.queue_id != entry.queue_id:
            return
        report = self._runner.report
        if row.lifecycle is Lifecycle.DELETING:
            self._provisioner.delete(Owner.of(row))
            self._rows.remove(row)
            report.deleted += 1
            self._record(row, "deleted", since=row.update_time)
        elif row.lifecycle is Lifecycle.PROVISIONING:
            if self._age(row.create_time) < CREATION_GRACE:
                raise NotYetError("the call that created it may still be at work")
            self._provisioner.converge(row)
            report.provisioned += 1
            self._record(row, "provisioned", since=row.create_time)

    def _record(self, row: Connector, change: str, *, since: str) -> None:
        drift = self._age(since) > OVERDUE
        self._runner.record_repair(row.name, row.queue_id, change, drift=drift)

    def _age(self, moment: str) -> float:
        return self._now() - times.from_text(moment)
