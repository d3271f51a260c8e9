"""A deployed stack in virtual time: rows, AWS's control plane, and the processes that use them."""

import random
from collections.abc import Callable

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.drift_check import ORPHAN_AGE
from dataconnectors.provisioning.provisioner import Provisioner
from dataconnectors.provisioning.reconciler import Reconciler
from dataconnectors.provisioning.reports import NotRepaired, Repaired, Report
from tests.support.connector_rows import FakeConnectorRows, queue_id_of
from tests.support.control_plane import (
    SETTINGS,
    SQS_ATTRIBUTES,
    FakeControlPlane,
    KilledError,
    Queue,
    World,
)

NAME = "projects/p/dataconnectors/c1"
"""The connector of `ready_stack`."""

QUEUE = f"dc-c-{queue_id_of('c1')}"
"""The name of its queue."""

OURS = {"dataconnectors:stack": "dc", "dataconnectors:connector": "projects/p/dataconnectors/gone"}
"""The tags of an orphan."""

FULL_TIME = 900.0
"""Seconds of an invocation that has enough time for everything."""

CHANGED = SETTINGS._replace(visibility_timeout=360, maximum_concurrency=7)
"""The parameters after the deployer has changed them."""


class Stack:
    """A deployed stack: rows, AWS, and the processes that use them."""

    def __init__(self, **world: float) -> None:
        self.world = World(**world)
        self.plane = FakeControlPlane(self.world)
        self.rows = FakeConnectorRows(self.world)
        self.settings = SETTINGS
        self.results: list[Repaired | NotRepaired] = []
        self.reconciler = self.new_reconciler()
        self.plane.on_delete_queue = self._check_no_row_needs

    def _check_no_row_needs(self, queue: Queue) -> None:
        for row in self.rows.by_name.values():
            if row.lifecycle is not Lifecycle.DELETING and queue.name.endswith(row.queue_id):
                self.world.violations.append(f"{queue.name} of an existing connector deleted")

    # --- processes ---------------------------------------------------------------------------

    def new_reconciler(self) -> Reconciler:
        """A reconciler in a new process."""
        time = self.world.time
        return Reconciler(
            self.plane.sqs,
            self.plane.lambda_client,
            self.rows,
            self.settings,
            on_result=self.results.append,
            clock=time.clock,
            sleep=time.sleep,
            now=time.now,
            shuffle=random.Random(1).shuffle,  # the same order in each run
        )

    def deploy(self, changed: QueueSettings) -> None:
        """Let the deployer change parameters."""
        self.settings = changed
        self.reconciler = self.new_reconciler()

    def create(self, connector_id: str = "c1") -> None:
        """Make a customer's create call. It may fail, and the row stays."""
        self.provision(self.rows.create(connector_id).name)

    def provision(self, name: str) -> None:
        """Provision a connector, as a customer's repeated call does. It may fail."""
        time = self.world.time
        provisioner = Provisioner(
            self.plane.sqs,
            self.plane.lambda_client,
            self.rows,
            self.settings,
            time.clock,
            time.sleep,
        )
        try:
            provisioner.provision(self.rows.by_name[name])
        except ControlPlaneError:
            return

    def run(self, *, drift_check: bool = True, seconds: float = FULL_TIME) -> Report:
        """Do one run of the reconciler, with the time of an invocation."""
        end = self.world.time.clock() + seconds
        return self.reconciler.run(
            drift_check=drift_check, remaining=lambda: end - self.world.time.clock()
        )

    def may_be_killed(self, act: Callable[[], object]) -> None:
        """Run a process that may be killed. Then the next one is a new process."""
        try:
            act()
        except KilledError:
            self.reconciler = self.new_reconciler()

    def minute(self, *, drift_check: bool = True) -> Report:
        """Do a run one minute later."""
        self.world.time.advance(60.0)
        return self.run(drift_check=drift_check)

    def heal(self) -> None:
        """End all faults, and run each minute until everything must have converged."""
        self.world.faults.errors.clear()
        self.world.faults.meanwhile.clear()
        self.world.faults.kill_before = self.world.faults.kill_after = None
        for _ in range(int(ORPHAN_AGE / 60) + 6):
            self.minute()

    # --- what must be true -------------------------------------------------------------------

    def assert_converged(self) -> None:
        """Check that each connector has one queue and one mapping as in the blueprint, and that
        nothing else exists."""
        blueprint = Blueprint(self.settings)
        rows = list(self.rows.by_name.values())
        assert {row.lifecycle for row in rows} <= {Lifecycle.READY}
        assert self.plane.queues.keys() == {f"dc-c-{row.queue_id}" for row in rows}
        assert {mapping.id for mapping in self.plane.existing_mappings()} == {
            row.mapping_id for row in rows
        }
        assert len({row.mapping_id for row in rows}) == len(rows)
        for row in rows:
            queue = self.plane.queues[f"dc-c-{row.queue_id}"]
            mapping = self.plane.mappings[row.mapping_id]
            assert row.queue_url == queue.url
            assert row.provisioned == blueprint.fingerprint
            assert SQS_ATTRIBUTES | queue.attributes == SQS_ATTRIBUTES | blueprint.queue_attributes
            assert queue.tags == blueprint.tags(row.name)
            assert mapping.state_at(self.plane.clock) == "Enabled"
            assert mapping.settings["EventSourceArn"] == queue.arn
            assert (
                blueprint.mapping_settings.items() <= (mapping.settings | {"Enabled": True}).items()
            )
        assert self.world.violations == []
        assert not self.run().drift, "and nothing is left to repair"

    @property
    def repairs(self) -> list[tuple[str, bool]]:
        """The repairs so far, and whether each was drift."""
        return [
            (str(result.change), result.drift)
            for result in self.results
            if isinstance(result, Repaired)
        ]


def ready_stack() -> Stack:
    """A stack with one connector, which is `READY` and whose mapping is enabled."""
    stack = Stack()
    stack.create()
    stack.world.time.advance(100.0)
    stack.world.count = 0
    return stack
