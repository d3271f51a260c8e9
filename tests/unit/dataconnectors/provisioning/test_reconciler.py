"""Whatever died, whatever somebody did: one queue and one mapping each, and no strays."""

import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.provisioner import Provisioner
from dataconnectors.provisioning.reconciler import (
    AUDIT_MINUTES,
    ORPHAN_AGE,
    OVERDUE,
    Failed,
    Reconciler,
    Repaired,
    Report,
)
from tests.support.control_plane import (
    EPOCH,
    SENDER,
    SETTINGS,
    FakeControlPlane,
    FakeStore,
    KilledError,
    Queue,
    World,
    queue_id_of,
)

NAME = "projects/p/dataconnectors/c1"
QUEUE = f"dc-c-{queue_id_of('c1')}"
FULL_TIME = 900.0
CHANGED = SETTINGS._replace(visibility_timeout=360, maximum_concurrency=7)


class Stack:
    """A deployed stack: rows, AWS, and the processes that work on them."""

    def __init__(self, **world: float) -> None:
        self.world = World(**world)
        self.plane = FakeControlPlane(self.world)
        self.store = FakeStore(self.world)
        self.settings = SETTINGS
        self.told: list[Repaired | Failed] = []
        self.reconciler = self.new_reconciler()
        self.plane.on_drop = self._no_live_row_uses

    def _no_live_row_uses(self, queue: Queue) -> None:
        for row in self.store.rows.values():
            if row.lifecycle is not Lifecycle.DELETING and queue.name.endswith(row.queue_id):
                self.world.violations.append(f"{queue.name} of a live connector deleted")

    # --- processes ---------------------------------------------------------------------------

    def new_reconciler(self) -> Reconciler:
        """A reconciler in a new process."""
        time = self.world.time
        return Reconciler(
            self.plane.sqs,
            self.plane.lambda_client,
            self.store,
            self.settings,
            tell=self.told.append,
            clock=time.clock,
            sleep=time.sleep,
            now=time.now,
            shuffle=random.Random(1).shuffle,  # the same order in each run
        )

    def deploy(self, changed: QueueSettings) -> None:
        """The deployer changes parameters."""
        self.settings = changed
        self.reconciler = self.new_reconciler()

    def create(self, connector_id: str = "c1") -> None:
        """A customer's call, which may fail; the row stays."""
        self.provision(self.store.create(connector_id).name)

    def provision(self, name: str) -> None:
        time = self.world.time
        provisioner = Provisioner(
            self.plane.sqs,
            self.plane.lambda_client,
            self.store,
            self.settings,
            time.clock,
            time.sleep,
        )
        try:
            provisioner.provision(self.store.rows[name])
        except ControlPlaneError:
            return

    def run(self, *, audit: bool = True, seconds: float = FULL_TIME) -> Report:
        """One run, with an invocation's time."""
        end = self.world.time.clock() + seconds
        return self.reconciler.run(audit=audit, remaining=lambda: end - self.world.time.clock())

    def dying(self, act: Callable[[], object]) -> None:
        """A process that may be killed; the next one starts afresh."""
        try:
            act()
        except KilledError:
            self.reconciler = self.new_reconciler()

    def minute(self, *, audit: bool = True) -> Report:
        self.world.time.advance(60.0)
        return self.run(audit=audit)

    def heal(self) -> None:
        """No more faults; runs each minute until everything must be settled."""
        self.world.faults.errors.clear()
        self.world.faults.meanwhile.clear()
        self.world.faults.kill_before = self.world.faults.kill_after = None
        for _ in range(int(ORPHAN_AGE / 60) + 6):
            self.minute()

    # --- what must be true -------------------------------------------------------------------

    def assert_settled(self) -> None:
        """Each connector has exactly one of each, as wanted; nothing else is there."""
        blueprint = Blueprint(self.settings)
        rows = list(self.store.rows.values())
        assert {row.lifecycle for row in rows} <= {Lifecycle.READY}
        assert self.plane.queues.keys() == {f"dc-c-{row.queue_id}" for row in rows}
        assert {mapping.id for mapping in self.plane.living()} == {row.mapping_id for row in rows}
        assert len({row.mapping_id for row in rows}) == len(rows)
        for row in rows:
            queue = self.plane.queues[f"dc-c-{row.queue_id}"]
            mapping = self.plane.mappings[row.mapping_id]
            assert row.queue_url == queue.url
            assert row.provisioned == blueprint.fingerprint
            assert queue.attributes == blueprint.queue_attributes
            assert queue.tags == blueprint.tags(row.name)
            assert mapping.state_at(self.plane.clock) == "Enabled"
            assert mapping.settings["EventSourceArn"] == queue.arn
            assert (
                blueprint.mapping_settings.items() <= (mapping.settings | {"Enabled": True}).items()
            )
        assert self.world.violations == []
        assert not self.run().drift, "and nothing is left to mend"

    @property
    def mended(self) -> list[tuple[str, bool]]:
        return [(str(news.what), news.drift) for news in self.told if isinstance(news, Repaired)]


@pytest.fixture
def stack() -> Stack:
    """One connector, ready and settled."""
    stack = Stack()
    stack.create()
    stack.world.time.advance(100.0)
    return stack


# --- the quick pass --------------------------------------------------------------------------


def test_a_quiet_minute_asks_aws_nothing(stack: Stack) -> None:
    before = len(stack.world.calls)
    assert stack.run(audit=False) == Report(audit=False)
    assert len(stack.world.calls) == before


def test_a_quiet_audit_changes_nothing_and_takes_two_calls(stack: Stack) -> None:
    report = stack.run()
    assert report == Report(audit=True, calls=2)
    assert stack.told == []
    stack.assert_settled()


def test_a_creation_that_died_is_finished(stack: Stack) -> None:
    stack.store.create("c2")
    stack.world.time.advance(60.0)
    report = stack.run(audit=False)
    assert (report.provisioned, report.drift, report.failed) == (1, 0, 0)
    assert stack.mended == [("provisioned", False)]
    stack.world.time.advance(10.0)
    stack.assert_settled()


def test_a_creation_that_is_under_way_is_left_alone(stack: Stack) -> None:
    stack.store.create("c2")
    stack.world.time.advance(10.0)
    report = stack.run(audit=False)
    assert (report.calls, report.later, report.provisioned) == (0, 1, 0)


def test_a_deletion_is_finished_over_two_runs(stack: Stack) -> None:
    stack.store.delete(NAME)
    first = stack.minute(audit=False)
    assert (first.cleared, first.later) == (0, 1)
    second = stack.minute(audit=False)
    assert (second.cleared, second.later, second.drift) == (1, 0, 0)
    assert (stack.store.rows, stack.plane.queues, stack.plane.living()) == ({}, {}, [])
    assert stack.world.violations == []


@pytest.mark.parametrize("lifecycle", [Lifecycle.PROVISIONING, Lifecycle.DELETING])
def test_what_took_too_long_counts_as_drift(stack: Stack, lifecycle: Lifecycle) -> None:
    if lifecycle is Lifecycle.PROVISIONING:
        stack.store.create("c2")
    else:
        stack.store.delete(NAME)
    stack.world.time.advance(OVERDUE + 1)
    reports = [stack.minute(audit=False) for _ in range(2)]
    assert sum(report.drift for report in reports) == 1


@pytest.mark.parametrize("state", ["Creating", "Enabling", "Updating", "Disabling"])
def test_a_mapping_in_a_transition_is_deleted_later(stack: Stack, state: str) -> None:
    (mapping,) = stack.plane.living()
    stack.plane.pass_through(mapping, state, "Enabled")
    mapping.settles_at = stack.plane.clock + 90
    stack.store.delete(NAME)
    assert stack.minute(audit=False).later == 1
    assert list(stack.plane.queues) == [QUEUE]
    for _ in range(3):
        stack.minute(audit=False)
    assert (stack.store.rows, stack.plane.queues, stack.plane.living()) == ({}, {}, [])


def test_a_mapping_that_starts_to_change_after_the_look_is_deleted_later(stack: Stack) -> None:
    (mapping,) = stack.plane.living()
    stack.store.delete(NAME)
    stack.world.time.advance(60.0)
    before_the_delete = stack.world.count + 2
    stack.world.faults.meanwhile[before_the_delete] = partial(
        stack.plane.pass_through, mapping, "Updating", "Enabled"
    )
    report = stack.run(audit=False)
    assert (report.later, report.failed) == (1, 0)
    stack.heal()
    stack.assert_settled()


def test_one_that_fails_does_not_stop_the_others(stack: Stack) -> None:
    for connector_id in ("c2", "c3"):
        stack.store.create(connector_id)
    stack.world.time.advance(60.0)
    stack.world.faults.errors[stack.world.count + 1] = ("AccessDeniedException", 403)
    report = stack.run(audit=False)
    assert (report.provisioned, report.failed, report.finished) == (1, 1, True)
    (failed,) = [news for news in stack.told if isinstance(news, Failed)]
    assert failed.connector.startswith("projects/p/")
    assert failed.reason == "create_queue: AccessDeniedException"
    assert "says no" in failed.detail


# --- the audit -------------------------------------------------------------------------------


def _lose_queue(stack: Stack) -> None:
    stack.plane.lose_queue(QUEUE)
    stack.world.time.advance(60.0)


def _lose_mapping(stack: Stack) -> None:
    (mapping,) = stack.plane.living()
    stack.plane.pass_through(mapping, "Deleting", None)


def _disable(stack: Stack) -> None:
    (mapping,) = stack.plane.living()
    stack.plane.pass_through(mapping, "Disabling", "Disabled")


def _set(**settings: Any) -> Callable[[Stack], None]:
    def alter(stack: Stack) -> None:
        (mapping,) = stack.plane.living()
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
    ("harm", "mended"),
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
def test_what_somebody_did_by_hand_is_mended_and_counted(
    stack: Stack, harm: Callable[[Stack], None], mended: str
) -> None:
    harm(stack)
    report = stack.minute()
    assert (report.drift, report.altered) == (1, 0)
    assert stack.mended == [(mended, True)]
    stack.world.time.advance(60.0)
    stack.assert_settled()


def test_a_mapping_that_calls_a_stranger_is_not_lost_from_sight(stack: Stack) -> None:
    """It is in no listing of the sender's; the row knows its id."""
    _set(FunctionName=SENDER.replace("sender", "stranger"))(stack)
    stack.minute()
    (mapping,) = stack.plane.living()
    assert mapping.settings["FunctionName"] == SENDER


def test_changed_parameters_reach_every_queue_and_mapping_and_are_no_drift(stack: Stack) -> None:
    stack.deploy(CHANGED)
    report = stack.run()
    assert (report.altered, report.drift) == (2, 0)
    assert [drift for _, drift in stack.mended] == [False, False]
    stack.world.time.advance(60.0)
    stack.assert_settled()


def test_a_longer_timeout_reaches_the_queue_before_its_mapping(stack: Stack) -> None:
    """Lambda refuses a mapping whose queue's visibility timeout is below the function's."""
    stack.plane.function_timeout = 300
    stack.deploy(CHANGED)
    assert stack.run().failed == 0
    stack.world.time.advance(60.0)
    stack.assert_settled()


def test_an_orphan_is_removed_when_it_is_old_enough(stack: Stack) -> None:
    stack.store.vanish(NAME)
    stack.world.time.advance(ORPHAN_AGE - 110)
    assert stack.run().drift == 0
    assert QUEUE in stack.plane.queues
    stack.heal()
    assert [what for what, drift in stack.mended if drift] == ["mapping deleted", "queue deleted"]
    stack.assert_settled()


OURS = {"dataconnectors:stack": "dc", "dataconnectors:connector": "projects/p/dataconnectors/gone"}


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
def test_a_queue_that_is_not_surely_ours_is_never_touched(
    stack: Stack, name: str, tags: dict[str, str]
) -> None:
    stack.plane.add_queue(name, tags, {})
    stack.world.time.advance(2 * ORPHAN_AGE)
    stack.heal()
    assert name in stack.plane.queues
    assert stack.told == []


def test_the_same_queue_with_our_tags_is_removed(stack: Stack) -> None:
    """The control of the test above."""
    stack.plane.add_queue("dc-c-00000000000000000001", OURS, {})
    stack.heal()
    assert stack.mended == [("queue deleted", True)]
    stack.assert_settled()


def test_a_queue_that_its_connector_no_longer_uses_is_an_orphan(stack: Stack) -> None:
    tags = Blueprint(SETTINGS).tags(NAME)
    stack.plane.add_queue("dc-c-00000000000000000001", tags, {})
    stack.heal()
    stack.assert_settled()


def test_a_connector_that_the_index_does_not_show_is_not_an_orphan() -> None:
    stack = Stack()
    stack.create()
    stack.store.index_lag = 100_000.0  # an index that is long behind
    stack.world.time.advance(2 * ORPHAN_AGE)
    assert stack.run().drift == 0
    assert list(stack.plane.queues) == [QUEUE]
    assert len(stack.plane.living()) == 1


def test_a_connector_that_the_index_shows_too_long_is_not_made_again(stack: Stack) -> None:
    stack.store.delete(NAME)
    for _ in range(3):
        stack.minute(audit=False)
    stack.store.index_lag = 150.0  # an index that still shows it
    report = stack.run()
    assert stack.plane.queues == {}
    assert (report.drift, report.failed) == (0, 0)


def test_a_mapping_without_queue_is_removed(stack: Stack) -> None:
    arn = Blueprint(SETTINGS).queue_arn("00000000000000000001")
    stack.plane.add_mapping(arn, SENDER, OURS)
    stack.heal()
    assert stack.mended == [("mapping deleted", True)]
    stack.assert_settled()


@pytest.mark.parametrize(
    ("arn", "tags"),
    [
        ("arn:aws:sqs:eu-west-1:111122223333:somebody-elses", OURS),
        ("arn:aws:sqs:eu-west-1:999999999999:dc-c-00000000000000000001", OURS),
        ("arn:aws:sqs:eu-west-1:111122223333:dc-c-00000000000000000001", {"other": "tag"}),
    ],
)
def test_a_mapping_that_is_not_surely_ours_is_never_touched(
    stack: Stack, arn: str, tags: dict[str, str]
) -> None:
    mapping = stack.plane.add_mapping(arn, SENDER, tags)
    stack.heal()
    assert mapping in stack.plane.living()


# --- when it audits, how fast, and when it stops ---------------------------------------------


def test_it_audits_each_quarter_of_an_hour_by_the_clock(stack: Stack) -> None:
    audited = [stack.minute(audit=False).audit for _ in range(2 * AUDIT_MINUTES)]
    assert audited.count(True) == 2
    assert (EPOCH // 60) % AUDIT_MINUTES, "the tests' clock starts at an ordinary minute"


def test_an_audit_that_has_something_left_goes_on_in_the_next_minute(stack: Stack) -> None:
    stack.plane.add_mapping(Blueprint(SETTINGS).queue_arn("00000000000000000001"), SENDER, OURS)
    assert stack.minute().later == 1
    assert stack.minute(audit=False).audit
    assert not stack.minute(audit=False).audit


def test_an_audit_that_ran_out_of_time_goes_on_in_the_next_minute() -> None:
    stack = Stack()
    for number in range(10):
        stack.create(f"c{number}")
    stack.world.time.advance(60.0)
    stack.deploy(CHANGED)
    assert not stack.run(seconds=17.0).finished
    report = stack.minute(audit=False)
    assert (report.audit, report.finished) == (True, True)
    stack.world.time.advance(60.0)
    stack.assert_settled()


def test_it_never_calls_faster_than_five_times_a_second() -> None:
    connectors = 12
    stack = Stack(latency=0.0)
    for number in range(connectors):
        stack.store.create(f"c{number}")
    stack.world.time.advance(60.0)
    report = stack.run()
    moments = [moment for _, moment in stack.world.calls]
    assert report.calls == len(moments) > 2 * connectors
    for index in range(len(moments) - 5):
        assert moments[index + 5] - moments[index] >= 1.0 - 1e-9


def test_it_stops_before_its_time_is_up_and_the_next_run_goes_on() -> None:
    stack = Stack()
    for number in range(60):
        stack.store.create(f"c{number}")
    stack.world.time.advance(60.0)
    started = stack.world.time.clock()
    report = stack.run(audit=False, seconds=30.0)
    assert stack.world.time.clock() - started < 30.0
    assert not report.finished
    assert 0 < report.left < 60
    assert report.provisioned + report.left == 60
    while not report.finished:
        report = stack.run(audit=False, seconds=30.0)
        stack.world.time.advance(5.0)
    stack.world.time.advance(60.0)
    stack.assert_settled()


@pytest.mark.parametrize("code", ["TooManyRequestsException", "RequestThrottled"])
def test_throttling_ends_the_run(stack: Stack, code: str) -> None:
    for connector_id in ("c2", "c3", "c4"):
        stack.store.create(connector_id)
    stack.world.time.advance(60.0)
    stack.world.faults.errors[stack.world.count + 1] = (code, 429)
    report = stack.run()
    assert (report.throttled, report.finished, report.calls, report.left) == (True, False, 1, 3)
    stack.heal()
    stack.assert_settled()


def test_a_listing_that_is_refused_is_told(stack: Stack) -> None:
    stack.world.faults.errors[stack.world.count] = ("AccessDenied", 403)
    report = stack.run()
    assert (report.failed, report.finished, report.throttled) == (1, False, False)
    assert [type(news) for news in stack.told] == [Failed]


def test_listings_of_several_pages_are_read_to_the_end() -> None:
    stack = Stack(listing_lag=0.0)
    blueprint = Blueprint(SETTINGS)
    for number in range(1001):
        queue_id = f"{number:020}"
        queue = stack.plane.add_queue(
            blueprint.queue_name(queue_id), blueprint.tags("x"), blueprint.queue_attributes
        )
        if number < 101:
            wanted = blueprint.mapping_settings
            del wanted["FunctionName"]
            mapping = stack.plane.add_mapping(queue.arn, SENDER, **wanted)
            row = replace(stack.store.create(f"c{number}"), queue_id=queue_id)
            stack.store.put(row)
            stack.store.set_ready(
                row,
                queue_url=queue.url,
                mapping_id=mapping.id,
                provisioned=blueprint.fingerprint,
            )
    stack.world.time.advance(60.0)
    stack.run(seconds=60.0)
    names = [name for name, _ in stack.world.calls]
    assert names.count("list_queues") == 2
    assert names.count("list_event_source_mappings") == 2
    assert "create_event_source_mapping" not in names


# --- dying and failing anywhere --------------------------------------------------------------


def _creation(stack: Stack) -> None:
    stack.create("c2")


def _finished_creation(stack: Stack) -> None:
    stack.store.create("c2")
    stack.world.time.advance(60.0)
    stack.dying(lambda: stack.run(audit=False))


def _deletion(stack: Stack) -> None:
    stack.store.delete(NAME)
    for _ in range(2):
        stack.world.time.advance(60.0)
        stack.dying(lambda: stack.run(audit=False))


def _deployment(stack: Stack) -> None:
    stack.deploy(CHANGED)
    stack.dying(stack.run)


def _lost_queue(stack: Stack) -> None:
    _lose_queue(stack)
    stack.dying(stack.run)


def _orphans(stack: Stack) -> None:
    tags = Blueprint(SETTINGS).tags("projects/p/dataconnectors/gone")
    queue = stack.plane.add_queue("dc-c-00000000000000000001", tags, {})
    stack.plane.add_mapping(queue.arn, SENDER, tags)
    stack.world.time.advance(ORPHAN_AGE + 60)
    for _ in range(2):
        stack.world.time.advance(60.0)
        stack.dying(stack.run)


SCENARIOS = [_creation, _finished_creation, _deletion, _deployment, _lost_queue, _orphans]
LONGEST = 20
"""More calls than any scenario makes; the test checks that."""


def prepared() -> Stack:
    stack = Stack()
    stack.create()
    stack.world.time.advance(100.0)
    stack.world.count = 0
    return stack


@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_ends_well_whichever_call_the_process_dies_at(
    scenario: Callable[[Stack], None], when: str
) -> None:
    untroubled = prepared()
    scenario(untroubled)
    assert 2 < untroubled.world.count < LONGEST
    for number in range(untroubled.world.count):
        stack = prepared()
        setattr(stack.world.faults, when, number)
        stack.dying(partial(scenario, stack))
        stack.heal()
        stack.assert_settled()


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
def test_it_ends_well_whichever_call_is_refused(
    scenario: Callable[[Stack], None], code: str, status: int
) -> None:
    for number in range(LONGEST):
        stack = prepared()
        stack.world.faults.errors[number] = (code, status)
        scenario(stack)
        stack.heal()
        stack.assert_settled()


def _patches(stack: Stack) -> None:
    for name in list(stack.store.rows):
        stack.store.patch(name)


def _deletes(stack: Stack) -> None:
    for name in list(stack.store.rows):
        stack.store.delete(name)


def _deletes_and_is_done(stack: Stack) -> None:
    _deletes(stack)
    for _ in range(3):
        stack.world.time.advance(60.0)
        stack.new_reconciler().run(audit=True, remaining=lambda: FULL_TIME)


def _audits(stack: Stack) -> None:
    stack.new_reconciler().run(audit=True, remaining=lambda: FULL_TIME)


def _provisions(stack: Stack) -> None:
    for name in list(stack.store.rows):
        stack.provision(name)


@pytest.mark.parametrize("other", [_patches, _deletes, _deletes_and_is_done, _audits, _provisions])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_it_ends_well_whoever_comes_between_two_calls(
    scenario: Callable[[Stack], None], other: Callable[[Stack], None]
) -> None:
    for number in range(LONGEST):
        stack = prepared()
        stack.world.faults.meanwhile[number] = partial(other, stack)
        scenario(stack)
        stack.heal()
        stack.assert_settled()


# --- anything in any order -------------------------------------------------------------------


def _lose_a_queue(stack: Stack) -> None:
    for name in list(stack.plane.queues)[:1]:
        stack.plane.lose_queue(name)


def _pass(stack: Stack, passing: str, state: str | None) -> None:
    for mapping in stack.plane.living()[:1]:
        if mapping.state is not None:
            stack.plane.pass_through(mapping, passing, state)


STEPS: dict[str, Callable[[Stack, int], object]] = {
    "create": lambda stack, number: stack.create(f"c{number}"),
    "provision": lambda stack, _: _provisions(stack),
    "patch": lambda stack, _: _patches(stack),
    "delete": lambda stack, number: [
        stack.store.delete(name) for name in list(stack.store.rows)[number % 3 :: 3]
    ],
    "quick run": lambda stack, _: stack.run(audit=False),
    "audit": lambda stack, _: stack.run(),
    "short audit": lambda stack, number: stack.run(seconds=15.0 + number % 5),
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
    st.sampled_from([_patches, _deletes, _deletes_and_is_done, _audits, _provisions]),
)


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(ACTIONS, max_size=12))
def test_it_ends_well_whatever_happened(
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
        stack.dying(partial(STEPS[step], stack, number))
    stack.heal()
    stack.assert_settled()
