"""Compares all connectors with all queues and mappings of the stack, and repairs what differs.

The listings of SQS and Lambda and the index of rows lag by seconds, so a difference between them
only raises a suspicion. Before a repair changes anything, it reads the row itself consistently and
asks SQS and Lambda about that one queue. No listing has queues' attributes: these are read of some
queues in each check.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dataconnectors.connectors.connector import Lifecycle, LifecycleEntry
from dataconnectors.provisioning.blueprint import CONNECTOR_TAG, STACK_TAG, Blueprint
from dataconnectors.provisioning.control_plane import ABSENT, ControlPlane
from dataconnectors.provisioning.mappings import EventSourceMapping
from dataconnectors.provisioning.provisioner import Change, Provisioner
from dataconnectors.provisioning.repairs import Repair, RepairRunner
from dataconnectors.provisioning.rows import ConnectorRows
from dataconnectors.provisioning.steps import Owner

ORPHAN_AGE = 900.0
"""Seconds that a queue without a row must exist before it is deleted: a margin for causes that
nobody thought of."""

QUEUES_PER_CHECK = 20
"""Queues whose attributes a drift check reads: SQS lists none, so each takes a call. These take
four seconds, and cost two cents a month. All have had their turn after (their number / 20) checks.
"""

TURN_SECONDS = 900
"""Seconds until it is the next queues' turn: drift checks are so far apart."""


class DriftCheck:
    """Repairs `READY` connectors that differ from the blueprint, and deletes orphans.

    `now` gives epoch seconds.
    """

    def __init__(
        self,
        rows: ConnectorRows,
        blueprint: Blueprint,
        control_plane: ControlPlane,
        provisioner: Provisioner,
        runner: RepairRunner,
        *,
        now: Callable[[], float],
        shuffle: Callable[[list[Any]], None],
    ) -> None:
        self._rows = rows
        self._blueprint = blueprint
        self._control_plane = control_plane
        self._provisioner = provisioner
        self._runner = runner
        self._now = now
        self._shuffle = shuffle

    def run(self) -> None:
        """List everything, then repair each connector and delete each orphan that looks wrong.

        Raises `CallError` when a listing is refused, what `RepairRunner.run` raises, and botocore's
        errors when the index cannot be read.
        """
        urls = dict(self._control_plane.queues())
        mappings = self._mappings_by_queue()
        # The index is read last: it more likely shows what was created during the listings.
        ready = {entry.queue_id: entry for entry in self._rows.connectors_in(Lifecycle.READY)}
        owned = ready.keys() | {
            entry.queue_id
            for lifecycle in (Lifecycle.PROVISIONING, Lifecycle.DELETING)
            for entry in self._rows.connectors_in(lifecycle)
        }
        right = {
            queue_id
            for queue_id, entry in ready.items()
            if self._looks_right(entry, urls, mappings.get(queue_id, []))
        }
        repairs = [
            Repair(entry.name, queue_id, partial(self._repair, entry))
            for queue_id, entry in ready.items()
            if queue_id not in right
        ]
        repairs += [
            Repair(ready[queue_id].name, queue_id, partial(self._undo, ready[queue_id], url))
            for queue_id, url in self._altered({queue_id: urls[queue_id] for queue_id in right})
        ]
        repairs += [
            Repair("", orphan, partial(self._delete_orphan, orphan, mappings.get(orphan, [])))
            for orphan in sorted((urls.keys() | mappings.keys()) - owned)
        ]
        # A run that ends early must not neglect the same connectors as the last one did.
        self._shuffle(repairs)
        self._runner.run(repairs)

    def _mappings_by_queue(self) -> dict[str, list[EventSourceMapping]]:
        """The sender's mappings on queues of this stack, by the id of the queue."""
        found: dict[str, list[EventSourceMapping]] = {}
        for mapping in self._control_plane.sender_mappings():
            queue_id = self._blueprint.queue_id(mapping.queue_arn.rpartition(":")[2])
            if queue_id is not None and mapping.queue_arn == self._blueprint.queue_arn(queue_id):
                found.setdefault(queue_id, []).append(mapping)
        return found

    def _looks_right(
        self, entry: LifecycleEntry, urls: dict[str, str], mappings: list[EventSourceMapping]
    ) -> bool:
        return (
            entry.queue_id in urls
            and entry.provisioned == self._blueprint.fingerprint
            and len(mappings) == 1
            and mappings[0].id == entry.mapping_id
            and self._blueprint.matches(mappings[0])
        )

    def _altered(self, urls: dict[str, str]) -> Iterator[tuple[str, str]]:
        """Id and URL of those queues whose turn it is that somebody has changed by hand."""
        ids = sorted(urls)
        if not ids:
            return
        turns = math.ceil(len(ids) / QUEUES_PER_CHECK)
        first = int(self._now() // TURN_SECONDS) % turns * QUEUES_PER_CHECK
        for queue_id in ids[first : first + QUEUES_PER_CHECK]:
            if not self._control_plane.is_untouched(urls[queue_id]):
                yield queue_id, urls[queue_id]

    def _undo(self, entry: LifecycleEntry, url: str) -> None:
        """Undo what somebody has changed in a `READY` connector's queue."""
        row = self._rows.connector(entry.name)
        if row is None or row.queue_id != entry.queue_id or row.lifecycle is not Lifecycle.READY:
            return
        self._control_plane.undo_changes(url)
        self._runner.record_repair(row.name, row.queue_id, Change.QUEUE_UPDATED, drift=True)

    def _repair(self, entry: LifecycleEntry) -> None:
        """Take a `READY` connector to the blueprint, where it differs after all."""
        row = self._rows.connector(entry.name)
        if row is None or row.queue_id != entry.queue_id or row.lifecycle is not Lifecycle.READY:
            return
        outdated = row.provisioned != self._blueprint.fingerprint

        def record_change(change: Change) -> None:
            # The deployer asked for it by changing the stack's parameters.
            requested = outdated and change in (Change.QUEUE_UPDATED, Change.MAPPING_UPDATED)
            self._runner.report.updated += requested
            self._runner.record_repair(row.name, row.queue_id, change, drift=not requested)

        self._provisioner.converge(row, on_change=record_change)

    def _delete_orphan(self, queue_id: str, mappings: list[EventSourceMapping]) -> None:
        """Delete a queue with its mapping, or a mapping without queue, that has no row."""
        url = self._control_plane.find_queue(queue_id)
        if url != ABSENT:
            created_at = self._control_plane.queue_created_at(url)
            if created_at is None or self._now() - created_at < ORPHAN_AGE:
                return
            tags = self._control_plane.queue_tags(url)
        else:
            tags = self._control_plane.mapping_tags(mappings[0]) if mappings else {}
            if not tags:
                return  # It is gone; in some seconds the listing does not show it any more.
        connector = tags.get(CONNECTOR_TAG)
        if tags.get(STACK_TAG) != self._blueprint.settings.stack or connector is None:
            self._runner.report.foreign += 1
            return
        row = self._rows.connector(connector)
        if row is not None and row.queue_id == queue_id:
            return
        self._provisioner.delete(
            Owner.of_orphan(connector, queue_id),
            on_change=lambda change: self._runner.record_repair(
                connector, queue_id, change, drift=True
            ),
        )
