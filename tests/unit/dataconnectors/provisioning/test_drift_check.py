"""Queues and mappings that differ from the rows and the blueprint are repaired or deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.drift_check import ORPHAN_AGE
from dataconnectors.provisioning.reports import Report
from tests.support.control_plane import SENDER, SETTINGS
from tests.support.reconciled_stack import CHANGED, NAME, OURS, QUEUE, Stack


def test_a_drift_check_without_drift_makes_two_calls_and_changes_nothing(stack: Stack) -> None:
    report = stack.run()
    assert report == Report(drift_check=True, calls=2)
    assert stack.results == []
    stack.assert_converged()


def _lose_queue(stack: Stack) -> None:
    stack.plane.lose_queue(QUEUE)
    stack.world.time.advance(60.0)


def _lose_mapping(stack: Stack) -> None:
    (mapping,) = stack.plane.existing_mappings()
    stack.plane.begin_transition(mapping, "Deleting", None)


def _disable(stack: Stack) -> None:
    (mapping,) = stack.plane.existing_mappings()
    stack.plane.begin_transition(mapping, "Disabling", "Disabled")


def _set(**settings: Any) -> Callable[[Stack], None]:
    def alter(stack: Stack) -> None:
        (mapping,) = stack.plane.existing_mappings()
        mapping.settings = mapping.settings | settings

    return alter


def _second_mapping(stack: Stack) -> None:
    stack.plane.add_mapping(
        stack.plane.queues[QUEUE].arn,
        SENDER,
        **{
            key: value
            for key, value in Blueprint(SETTINGS).mapping_settings.items()
            if key not in ("FunctionName", "Enabled")
        },
    )


@pytest.mark.parametrize(
    ("damage", "repair"),
    [
        (_lose_queue, "queue created"),
        (_lose_mapping, "mapping created"),
        (_disable, "mapping updated"),
        (_set(BatchSize=1), "mapping updated"),
        (_set(FunctionResponseTypes=[]), "mapping updated"),
        (_set(ScalingConfig={}), "mapping updated"),
        (_set(MaximumBatchingWindowInSeconds=20), "mapping updated"),
        (_set(FilterCriteria={"Filters": [{"Pattern": "{}"}]}), "mapping updated"),
        (_set(FunctionName=SENDER.removesuffix(":live")), "mapping updated"),
        (_set(FunctionName=SENDER.replace("sender", "stranger")), "mapping updated"),
        (_second_mapping, "mapping deleted"),
    ],
)
def test_a_change_by_hand_is_repaired_and_counted_as_drift(
    stack: Stack, damage: Callable[[Stack], None], repair: str
) -> None:
    damage(stack)
    report = stack.minute()
    assert (report.drift, report.updated) == (1, 0)
    assert stack.repairs == [(repair, True)]
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_a_mapping_that_calls_another_function_is_repaired(stack: Stack) -> None:
    """No listing of the sender's mappings shows it. The row has its id."""
    _set(FunctionName=SENDER.replace("sender", "stranger"))(stack)
    stack.minute()
    (mapping,) = stack.plane.existing_mappings()
    assert mapping.settings["FunctionName"] == SENDER


def test_changed_parameters_reach_every_queue_and_mapping_without_counting_as_drift(
    stack: Stack,
) -> None:
    stack.deploy(CHANGED)
    report = stack.run()
    assert (report.updated, report.drift) == (2, 0)
    assert [drift for _, drift in stack.repairs] == [False, False]
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_a_longer_timeout_reaches_the_queue_before_its_mapping(stack: Stack) -> None:
    """Lambda refuses a mapping whose queue's visibility timeout is below the function's."""
    stack.plane.function_timeout = 300
    stack.deploy(CHANGED)
    assert stack.run().not_repaired == 0
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_an_orphan_is_deleted_when_it_is_old_enough(stack: Stack) -> None:
    stack.rows.lose(NAME)
    stack.world.time.advance(ORPHAN_AGE - 110)
    assert stack.run().drift == 0
    assert QUEUE in stack.plane.queues
    stack.heal()
    assert [change for change, drift in stack.repairs if drift] == [
        "mapping deleted",
        "queue deleted",
    ]
    stack.assert_converged()


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("dc-c-c-00000000000000000001", OURS),
        ("dc-c-0000000000000000000w", OURS),
        ("dc-c-000000000000000000001", OURS),
        ("dc-eu-c-00000000000000000001", OURS | {"dataconnectors:stack": "dc-eu"}),
        ("dc-c-00000000000000000001", OURS | {"dataconnectors:stack": "dc-eu"}),
        ("dc-c-00000000000000000001", {"dataconnectors:stack": "dc"}),
        ("dc-c-00000000000000000001", {}),
    ],
)
def test_a_queue_that_may_belong_to_others_is_never_touched(
    stack: Stack, name: str, tags: dict[str, str]
) -> None:
    stack.plane.add_queue(name, tags, {})
    stack.world.time.advance(2 * ORPHAN_AGE)
    stack.heal()
    assert name in stack.plane.queues
    assert stack.results == []


def test_the_same_queue_with_our_tags_is_deleted(stack: Stack) -> None:
    """This shows that the test above proves something."""
    stack.plane.add_queue("dc-c-00000000000000000001", OURS, {})
    stack.heal()
    assert stack.repairs == [("queue deleted", True)]
    stack.assert_converged()


def test_a_queue_that_its_connector_no_longer_uses_is_an_orphan(stack: Stack) -> None:
    tags = Blueprint(SETTINGS).tags(NAME)
    stack.plane.add_queue("dc-c-00000000000000000001", tags, {})
    stack.heal()
    stack.assert_converged()


def test_a_connector_that_the_index_does_not_show_is_not_an_orphan() -> None:
    stack = Stack()
    stack.create()
    stack.rows.index_lag = 100_000.0  # the index is far behind
    stack.world.time.advance(2 * ORPHAN_AGE)
    assert stack.run().drift == 0
    assert list(stack.plane.queues) == [QUEUE]
    assert len(stack.plane.existing_mappings()) == 1


def test_a_deleted_connector_that_the_index_still_shows_gets_no_new_queue(stack: Stack) -> None:
    stack.rows.delete(NAME)
    for _ in range(3):
        stack.minute(drift_check=False)
    stack.rows.index_lag = 150.0  # the index still shows the connector
    report = stack.run()
    assert stack.plane.queues == {}
    assert (report.drift, report.not_repaired) == (0, 0)


def test_a_mapping_without_a_queue_is_deleted(stack: Stack) -> None:
    arn = Blueprint(SETTINGS).queue_arn("00000000000000000001")
    stack.plane.add_mapping(arn, SENDER, OURS)
    stack.heal()
    assert stack.repairs == [("mapping deleted", True)]
    stack.assert_converged()


@pytest.mark.parametrize(
    ("arn", "tags"),
    [
        ("arn:aws:sqs:eu-west-1:111122223333:somebody-elses", OURS),
        ("arn:aws:sqs:eu-west-1:999999999999:dc-c-00000000000000000001", OURS),
        ("arn:aws:sqs:eu-west-1:111122223333:dc-c-00000000000000000001", {"other": "tag"}),
    ],
)
def test_a_mapping_that_may_belong_to_others_is_never_touched(
    stack: Stack, arn: str, tags: dict[str, str]
) -> None:
    mapping = stack.plane.add_mapping(arn, SENDER, tags)
    stack.heal()
    assert mapping in stack.plane.existing_mappings()
