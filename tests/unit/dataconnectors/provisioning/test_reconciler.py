"""When the reconciler checks for drift, how fast it calls AWS, and when it stops."""

from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.reconciler import DRIFT_CHECK_MINUTES
from dataconnectors.provisioning.reports import NotRepaired
from tests.support.control_plane import SENDER, SETTINGS
from tests.support.reconciled_stack import CHANGED, OURS, Stack
from tests.support.virtual_time import EPOCH


def test_drift_is_checked_each_quarter_of_an_hour_by_the_clock(stack: Stack) -> None:
    checked = [stack.minute(drift_check=False).drift_check for _ in range(2 * DRIFT_CHECK_MINUTES)]
    assert checked.count(True) == 2
    assert (EPOCH // 60) % DRIFT_CHECK_MINUTES, "the tests' clock starts at an ordinary minute"


def test_an_unfinished_drift_check_continues_in_the_next_minute(stack: Stack) -> None:
    stack.plane.add_mapping(Blueprint(SETTINGS).queue_arn("00000000000000000001"), SENDER, OURS)
    assert stack.minute().waiting == 1
    assert stack.minute(drift_check=False).drift_check
    assert not stack.minute(drift_check=False).drift_check


def test_a_drift_check_that_ran_out_of_time_continues_in_the_next_minute() -> None:
    stack = Stack()
    for number in range(10):
        stack.create(f"c{number}")
    stack.world.time.advance(60.0)
    stack.deploy(CHANGED)
    assert not stack.run(seconds=17.0).finished
    report = stack.minute(drift_check=False)
    assert (report.drift_check, report.finished) == (True, True)
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_the_reconciler_makes_at_most_five_calls_a_second() -> None:
    connectors = 12
    stack = Stack(latency=0.0)
    for number in range(connectors):
        stack.rows.create(f"c{number}")
    stack.world.time.advance(60.0)
    report = stack.run()
    moments = [moment for _, moment in stack.world.calls]
    assert report.calls == len(moments) > 2 * connectors
    for index in range(len(moments) - 5):
        assert moments[index + 5] - moments[index] >= 1.0 - 1e-9


def test_a_run_stops_before_its_time_is_up_and_the_next_run_continues() -> None:
    stack = Stack()
    for number in range(60):
        stack.rows.create(f"c{number}")
    stack.world.time.advance(60.0)
    started = stack.world.time.clock()
    report = stack.run(drift_check=False, seconds=30.0)
    assert stack.world.time.clock() - started < 30.0
    assert not report.finished
    assert 0 < report.not_done < 60
    assert report.provisioned + report.not_done == 60
    while not report.finished:
        report = stack.run(drift_check=False, seconds=30.0)
        stack.world.time.advance(5.0)
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_a_listing_that_is_refused_is_reported(stack: Stack) -> None:
    stack.world.faults.errors[stack.world.count] = ("AccessDenied", 403)
    report = stack.run()
    assert (report.not_repaired, report.finished, report.throttled) == (1, False, False)
    assert [type(result) for result in stack.results] == [NotRepaired]
