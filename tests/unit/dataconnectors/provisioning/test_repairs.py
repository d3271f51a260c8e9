"""A repair that fails does not stop the others; throttling does."""

import pytest

from dataconnectors.provisioning.reports import NotRepaired
from tests.support.reconciled_stack import Stack


def test_a_repair_that_fails_does_not_stop_the_others(stack: Stack) -> None:
    for connector_id in ("c2", "c3"):
        stack.rows.create(connector_id)
    stack.world.time.advance(60.0)
    stack.world.faults.errors[stack.world.count + 1] = ("AccessDeniedException", 403)
    report = stack.run(drift_check=False)
    assert (report.provisioned, report.not_repaired, report.finished) == (1, 1, True)
    (not_repaired,) = [result for result in stack.results if isinstance(result, NotRepaired)]
    assert not_repaired.connector.startswith("projects/p/")
    assert not_repaired.reason == "create_queue: AccessDeniedException"
    assert "says no" in not_repaired.detail


@pytest.mark.parametrize("code", ["TooManyRequestsException", "RequestThrottled"])
def test_throttling_ends_the_run(stack: Stack, code: str) -> None:
    for connector_id in ("c2", "c3", "c4"):
        stack.rows.create(connector_id)
    stack.world.time.advance(60.0)
    stack.world.faults.errors[stack.world.count + 1] = (code, 429)
    report = stack.run()
    assert (report.throttled, report.finished, report.calls, report.not_done) == (True, False, 1, 3)
    stack.heal()
    stack.assert_converged()
