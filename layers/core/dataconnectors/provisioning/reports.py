"""What the reconciler reports: each repair as it happens, and the counts of a whole run."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repaired:
    """One thing that the reconciler put right.

    `change` is the text of a `provisioner.Change`, or "provisioned" or "deleted" for a connector
    that is now READY or gone. `drift` is True when nobody had asked for the change.
    """

    connector: str
    queue_id: str
    change: str
    drift: bool


@dataclass(frozen=True, slots=True)
class NotRepaired:
    """One connector that could not be put right in this run.

    `connector` is "" for an orphan. `queue_id` is "" too when a listing failed, which belongs to no
    connector. `detail` is AWS's own text, which is for the log alone.
    """

    connector: str
    queue_id: str
    reason: str
    detail: str


OnResult = Callable[[Repaired | NotRepaired], None]
"""Is called for each repair as soon as it has succeeded or failed: a process that dies returns no
report."""


@dataclass(slots=True)
class Report:
    """The counts of one run.

    `drift_check`: whether it was part of the run.
    `finished`: False when the run stopped early; then at least `not_done` repairs are left.
    `throttled`: whether it stopped because AWS throttles the account.
    `calls`: calls to the control plane.
    `provisioned`, `deleted`: connectors that are now READY or gone.
    `updated`: changes of queues and mappings because the stack's parameters have changed.
    `drift`: changes that nobody asked for, and connectors that took too long.
    `waiting`: repairs that wait until AWS has finished something; `drift_check_waiting` of them
    were found by the drift check.
    `not_repaired`: repairs that failed.
    `foreign`: queues and mappings whose names are like ours but whose tags do not say that they are
    ours. They are never touched.
    """

    drift_check: bool
    finished: bool = True
    throttled: bool = False
    calls: int = 0
    provisioned: int = 0
    deleted: int = 0
    updated: int = 0
    drift: int = 0
    waiting: int = 0
    drift_check_waiting: int = 0
    not_repaired: int = 0
    foreign: int = 0
    not_done: int = 0
