"""Queues and mappings that differ from the rows and the blueprint are repaired or deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.drift_check import ORPHAN_AGE, QUEUES_PER_CHECK, TURN_SECONDS
from dataconnectors.provisioning.reports import Report
from tests.support.control_plane import SENDER, SETTINGS
from tests.support.reconciled_stack import CHANGED, NAME, OURS, QUEUE, Stack


def test_a_drift_check_without_drift_makes_three_calls_and_changes_nothing(stack: Stack) -> None:
    """Two listings, and the attributes of the queue."""
    report = stack.run()
    assert report == Report(drift_check=True, calls=3)
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


def _alter(**attributes: str) -> Callable[[Stack], None]:
    return lambda stack: stack.plane.queues[QUEUE].attributes.update(attributes)


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
        (_alter(MessageRetentionPeriod="60"), "queue updated"),
        (_alter(VisibilityTimeout="30"), "queue updated"),
        (_alter(SqsManagedSseEnabled="false"), "queue updated"),
        (_alter(DelaySeconds="900"), "queue updated"),
        (_alter(RedrivePolicy='{"maxReceiveCount": 3}'), "queue updated"),
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


@pytest.mark.parametrize(
    "function",
    [
        SENDER.replace("sender", "stranger"),
        SENDER.removesuffix(":live"),
        SENDER.replace(":live", ":7"),
        SENDER.replace(":live", ":old"),
    ],
)
def test_a_mapping_that_does_not_name_the_senders_alias_is_moved_to_it(
    stack: Stack, function: str
) -> None:
    """No listing of the alias's mappings shows it. The row has its id."""
    _set(FunctionName=function)(stack)
    stack.minute()
    (mapping,) = stack.plane.existing_mappings()
    assert mapping.settings["FunctionName"] == SENDER


def test_the_attributes_of_many_queues_are_read_in_turns() -> None:
    stack = Stack()
    for number in range(2 * QUEUES_PER_CHECK + 1):
        stack.create(f"c{number}")
    stack.world.time.advance(100.0)
    for queue in stack.plane.queues.values():
        queue.attributes["MessageRetentionPeriod"] = "60"
    repaired = []
    for _ in range(3):
        repaired.append(stack.run().drift)
        stack.world.time.advance(TURN_SECONDS)
    assert sorted(repaired) == [1, QUEUES_PER_CHECK, QUEUES_PER_CHECK]
    stack.assert_converged()


def test_a_queue_of_a_connector_that_is_deleted_meanwhile_is_left_alone(stack: Stack) -> None:
    stack.plane.queues[QUEUE].attributes["VisibilityTimeout"] = "30"
    # After the two listings and the attributes
    stack.world.faults.meanwhile = {3: lambda: stack.rows.delete(NAME)}
    assert stack.run().drift == 0
    assert stack.plane.queues[QUEUE].attributes["VisibilityTimeout"] == "30"


def test_changed_parameters_reach_every_queue_and_mapping_without_counting_as_drift(
    stack: Stack,
) -> None:
    stack.deploy(CHANGED)
    report = stack.run()
    assert (report.updated, report.drift) == (2, 0)
    assert [drift for _, drift in stack.repairs] == [False, False]
    stack.world.time.advance(60.0)
    stack.assert_converged()


def test_the_deployers_tags_reach_what_exists_and_what_is_made_later(stack: Stack) -> None:
    stack.deploy(SETTINGS._replace(tags=(("team", "iot"), ("env", ""))))
    report = stack.run(seconds=60.0)
    assert (report.drift, report.updated) == (0, 2)
    stack.create("c2")
    given = [queue.tags for queue in stack.plane.queues.values()]
    given += [mapping.tags for mapping in stack.plane.existing_mappings()]
    assert len(given) == 4
    for tags in given:
        assert tags | {"team": "iot", "env": "", "dataconnectors:stack": "dc"} == tags
    stack.world.time.advance(60.0)
    assert stack.run() == Report(drift_check=True, calls=4)
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
