"""Each connector gets one queue and one mapping, even if a process dies, fails or meets another.

The tests let that happen at every call in turn.
"""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.drift_check import ORPHAN_AGE
from tests.support.control_plane import SENDER, SETTINGS
from tests.support.reconciled_stack import CHANGED, FULL_TIME, NAME, QUEUE, Stack, ready_stack

# --- dying and failing anywhere --------------------------------------------------------------


def _creation(stack: Stack) -> None:
    stack.create("c2")


def _finished_creation(stack: Stack) -> None:
    stack.rows.create("c2")
    stack.world.time.advance(60.0)
    stack.may_be_killed(lambda: stack.run(drift_check=False))


def _deletion(stack: Stack) -> None:
    stack.rows.delete(NAME)
    for _ in range(2):
        stack.world.time.advance(60.0)
        stack.may_be_killed(lambda: stack.run(drift_check=False))


def _deployment(stack: Stack) -> None:
    stack.deploy(CHANGED)
    stack.may_be_killed(stack.run)


def _lost_queue(stack: Stack) -> None:
    stack.plane.lose_queue(QUEUE)
    stack.world.time.advance(60.0)
    stack.may_be_killed(stack.run)


def _orphans(stack: Stack) -> None:
    tags = Blueprint(SETTINGS).tags("projects/p/dataconnectors/gone")
    queue = stack.plane.add_queue("dc-c-00000000000000000001", tags, {})
    stack.plane.add_mapping(queue.arn, SENDER, tags)
    stack.world.time.advance(ORPHAN_AGE + 60)
    for _ in range(2):
        stack.world.time.advance(60.0)
        stack.may_be_killed(stack.run)


SCENARIOS = [_creation, _finished_creation, _deletion, _deployment, _lost_queue, _orphans]
LONGEST = 20
"""More calls than any scenario makes; the test checks that."""


@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_stack_converges_whichever_call_the_process_dies_at(
    scenario: Callable[[Stack], None], when: str
) -> None:
    untroubled = ready_stack()
    scenario(untroubled)
    assert 2 < untroubled.world.count < LONGEST
    for number in range(untroubled.world.count):
        stack = ready_stack()
        setattr(stack.world.faults, when, number)
        stack.may_be_killed(partial(scenario, stack))
        stack.heal()
        stack.assert_converged()


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("TooManyRequestsException", 429),
        ("RequestThrottled", 403),
        ("ResourceInUseException", 400),
        ("ResourceConflictException", 409),
        ("ServiceException", 500),
        ("InvalidParameterValueException", 400),
        ("QueueDoesNotExist", 400),
        ("ResourceNotFoundException", 404),
    ],
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_stack_converges_whichever_call_is_refused(
    scenario: Callable[[Stack], None], code: str, status: int
) -> None:
    for number in range(LONGEST):
        stack = ready_stack()
        stack.world.faults.errors[number] = (code, status)
        scenario(stack)
        stack.heal()
        stack.assert_converged()


def _patches(stack: Stack) -> None:
    for name in list(stack.rows.by_name):
        stack.rows.patch(name)


def _deletes(stack: Stack) -> None:
    for name in list(stack.rows.by_name):
        stack.rows.delete(name)


def _deletes_and_is_done(stack: Stack) -> None:
    _deletes(stack)
    for _ in range(3):
        stack.world.time.advance(60.0)
        stack.new_reconciler().run(drift_check=True, remaining=lambda: FULL_TIME)


def _checks_for_drift(stack: Stack) -> None:
    stack.new_reconciler().run(drift_check=True, remaining=lambda: FULL_TIME)


def _provisions(stack: Stack) -> None:
    for name in list(stack.rows.by_name):
        stack.provision(name)


@pytest.mark.parametrize(
    "other", [_patches, _deletes, _deletes_and_is_done, _checks_for_drift, _provisions]
)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_stack_converges_whatever_happens_between_two_calls(
    scenario: Callable[[Stack], None], other: Callable[[Stack], None]
) -> None:
    for number in range(LONGEST):
        stack = ready_stack()
        stack.world.faults.meanwhile[number] = partial(other, stack)
        scenario(stack)
        stack.heal()
        stack.assert_converged()


# --- anything in any order -------------------------------------------------------------------


def _lose_a_queue(stack: Stack) -> None:
    for name in list(stack.plane.queues)[:1]:
        stack.plane.lose_queue(name)


def _pass(stack: Stack, transition_state: str, state: str | None) -> None:
    for mapping in stack.plane.existing_mappings()[:1]:
        if mapping.state is not None:
            stack.plane.begin_transition(mapping, transition_state, state)


STEPS: dict[str, Callable[[Stack, int], object]] = {
    "create": lambda stack, number: stack.create(f"c{number}"),
    "provision": lambda stack, _: _provisions(stack),
    "patch": lambda stack, _: _patches(stack),
    "delete": lambda stack, number: [
        stack.rows.delete(name) for name in list(stack.rows.by_name)[number % 3 :: 3]
    ],
    "quick run": lambda stack, _: stack.run(drift_check=False),
    "drift check": lambda stack, _: stack.run(),
    "short drift check": lambda stack, number: stack.run(seconds=15.0 + number % 5),
    "seconds": lambda stack, number: stack.world.time.advance(float(number % 40)),
    "minutes": lambda stack, number: stack.world.time.advance(60.0 * (number % 20)),
    "deploy": lambda stack, number: stack.deploy([SETTINGS, CHANGED][number % 2]),
    "lose queue": lambda stack, _: _lose_a_queue(stack),
    "lose mapping": lambda stack, _: _pass(stack, "Deleting", None),
    "disable": lambda stack, _: _pass(stack, "Disabling", "Disabled"),
}

ACTIONS = st.tuples(
    st.sampled_from(sorted(STEPS)),
    st.integers(0, 10_000),
    st.sampled_from(["", "", "kill_before", "kill_after", "error", "meanwhile"]),
    st.integers(0, 12),
    st.sampled_from([_patches, _deletes, _deletes_and_is_done, _checks_for_drift, _provisions]),
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(ACTIONS, max_size=12))
def test_the_stack_converges_after_any_sequence_of_changes(
    actions: list[tuple[str, int, str, int, Callable[[Stack], None]]],
) -> None:
    stack = Stack()
    created = set()
    for step, number, fault, distance, other in actions:
        if step == "create":
            if number in created:
                continue
            created.add(number)
        faults = stack.world.faults
        moment = stack.world.count + distance
        match fault:
            case "error":
                faults.errors[moment] = ("TooManyRequestsException", 429)
            case "meanwhile":
                faults.meanwhile[moment] = partial(other, stack)
            case "kill_before" | "kill_after":
                setattr(faults, fault, moment)
        stack.may_be_killed(partial(STEPS[step], stack, number))
    stack.heal()
    stack.assert_converged()
