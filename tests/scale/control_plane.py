"""How long it takes to make queues and mappings: AWS's control plane, callers, and the reconciler.

The reconciler is the real one, with its rate limit, in virtual time over a model of the calls.
"""

import math

from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.provisioning.control_plane import MAPPINGS_PER_PAGE, QUEUES_PER_PAGE
from dataconnectors.provisioning.rate_limit import CALL_RESERVE, CALLS_PER_SECOND
from tests.outages.table import span
from tests.support.reconciled_stack import Stack

LAMBDA_CALLS = 15.0
"""AWS: calls a second of Lambda's whole control plane, for the account and Region. It cannot be
raised. Creating a connector takes one of them, CreateEventSourceMapping."""

KEY_CALLS = 5.0
"""Calls a second that a key may make (`RequestLimit`, 25 in 5 s)."""

RUN_SECONDS, EACH = 55.0, 60.0
"""Seconds of a reconciler's run, and between the begins of two (template.yaml)."""

LINEAR_FROM = 300
"""Connectors from which on the reconciler's time is computed from the number of its runs: each has
the same number of calls, and all connectors need the same."""


def created_by_callers(connectors: int, keys: int) -> float:
    """Seconds until callers have created so many, each key as fast as it may."""
    return connectors / min(keys * KEY_CALLS, LAMBDA_CALLS)


def made_by_reconciler(connectors: int) -> tuple[float, int]:
    """Seconds until the reconciler has made queue and mapping of so many rows, as after a restore,
    and its calls."""
    if connectors > LINEAR_FROM:
        seconds, calls = made_by_reconciler(LINEAR_FROM)
        more = connectors / LINEAR_FROM
        return math.ceil(seconds / EACH) * EACH * more, round(calls * more)
    stack = Stack()
    time = stack.world.time
    for number in range(connectors):
        stack.rows.create(f"c{number}")
    begun, runs, calls = time.elapsed, 0, 0
    while any(row.lifecycle is not Lifecycle.READY for row in stack.rows.by_name.values()):
        runs += 1
        time.elapsed = begun + runs * EACH
        calls += stack.run(drift_check=False, seconds=RUN_SECONDS).calls
    return time.elapsed - begun - EACH, calls


def listed_in(connectors: int) -> float:
    """Seconds that a drift check's lists of all queues and mappings take. A run has time for
    `RUN_SECONDS` - `CALL_RESERVE`."""
    pages = math.ceil(connectors / QUEUES_PER_PAGE) + math.ceil(connectors / MAPPINGS_PER_PAGE)
    return pages / CALLS_PER_SECOND


HEADER = (
    "| connectors | created with one key | with three or more | made by the reconciler | "
    "its calls | a drift check's lists |\n" + "|---" * 6 + "|"
)


def row(connectors: int) -> str:
    """A row of the table."""
    made, calls = made_by_reconciler(connectors)
    listed = listed_in(connectors)
    fits = listed <= RUN_SECONDS - CALL_RESERVE
    cells = (
        f"{connectors:,}",
        span(created_by_callers(connectors, 1)),
        span(created_by_callers(connectors, 3)),
        span(made),
        f"{calls:,}",
        span(listed) if fits else f"{span(listed)}: more than a run has",
    )
    return "| " + " | ".join(cells) + " |"
