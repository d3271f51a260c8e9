"""The reconciler finishes connectors whose creation or deletion was interrupted."""

from functools import partial

import pytest

from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.provisioning.reports import Report
from dataconnectors.provisioning.unfinished import OVERDUE
from tests.support.reconciled_stack import NAME, QUEUE, Stack


def test_a_run_without_unfinished_connectors_makes_no_call(stack: Stack) -> None:
    before = len(stack.world.calls)
    assert stack.run(drift_check=False) == Report(drift_check=False)
    assert len(stack.world.calls) == before


def test_an_interrupted_creation_is_finished(stack: Stack) -> None:
    stack.rows.create("c2")
    stack.world.time.advance(60.0)
    report = stack.run(drift_check=False)
    assert (report.provisioned, report.drift, report.not_repaired) == (1, 0, 0)
    assert stack.repairs == [("provisioned", False)]
    stack.world.time.advance(10.0)
    stack.assert_converged()


def test_a_creation_in_progress_is_left_alone(stack: Stack) -> None:
    stack.rows.create("c2")
    stack.world.time.advance(10.0)
    report = stack.run(drift_check=False)
    assert (report.calls, report.waiting, report.provisioned) == (0, 1, 0)


def test_a_deletion_is_finished_over_two_runs(stack: Stack) -> None:
    stack.rows.delete(NAME)
    first = stack.minute(drift_check=False)
    assert (first.deleted, first.waiting) == (0, 1)
    second = stack.minute(drift_check=False)
    assert (second.deleted, second.waiting, second.drift) == (1, 0, 0)
    assert (stack.rows.by_name, stack.plane.queues, stack.plane.existing_mappings()) == ({}, {}, [])
    assert stack.world.violations == []


@pytest.mark.parametrize("lifecycle", [Lifecycle.PROVISIONING, Lifecycle.DELETING])
def test_a_connector_that_was_unfinished_for_too_long_counts_as_drift(
    stack: Stack, lifecycle: Lifecycle
) -> None:
    if lifecycle is Lifecycle.PROVISIONING:
        stack.rows.create("c2")
    else:
        stack.rows.delete(NAME)
    stack.world.time.advance(OVERDUE + 1)
    reports = [stack.minute(drift_check=False) for _ in range(2)]
    assert sum(report.drift for report in reports) == 1


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating", "Disabling"])
def test_a_mapping_in_a_transition_is_deleted_later(stack: Stack, state: str) -> None:
    (mapping,) = stack.plane.existing_mappings()
    stack.plane.begin_transition(mapping, state, "Enabled")
    mapping.transition_ends_at = stack.plane.clock + 90
    stack.rows.delete(NAME)
    assert stack.minute(drift_check=False).waiting == 1
    assert list(stack.plane.queues) == [QUEUE]
    for _ in range(3):
        stack.minute(drift_check=False)
    assert (stack.rows.by_name, stack.plane.queues, stack.plane.existing_mappings()) == ({}, {}, [])


def test_a_mapping_that_starts_to_change_after_it_was_read_is_deleted_later(stack: Stack) -> None:
    (mapping,) = stack.plane.existing_mappings()
    stack.rows.delete(NAME)
    stack.world.time.advance(60.0)
    before_the_delete = stack.world.count + 2
    stack.world.faults.meanwhile[before_the_delete] = partial(
        stack.plane.begin_transition, mapping, "Updating", "Enabled"
    )
    report = stack.run(drift_check=False)
    assert (report.waiting, report.not_repaired) == (1, 0)
    stack.heal()
    stack.assert_converged()
