"""A connector gets exactly one queue and one mapping, whatever exists before."""

from contextlib import suppress
from functools import partial

import pytest
from botocore.exceptions import ConnectTimeoutError

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.control_plane import NotYetError
from dataconnectors.provisioning.provisioner import Change, Provisioner
from dataconnectors.provisioning.steps import Owner
from tests.support.connector_rows import FakeConnectorRows
from tests.support.control_plane import (
    SENDER,
    SETTINGS,
    FakeControlPlane,
    KilledError,
    World,
    refusal,
)

BLUEPRINT = Blueprint(SETTINGS)
NAME = "projects/p/dataconnectors/c1"


class Bench:
    """A control plane, a table with one new row, and a provisioner."""

    def __init__(self, **world: float) -> None:
        self.world = World(**world)
        self.plane = FakeControlPlane(self.world)
        self.rows = FakeConnectorRows(self.world)
        self.row = self.rows.create("c1")
        self.queue_name = f"dc-c-{self.row.queue_id}"

    def provisioner(self) -> Provisioner:
        time = self.world.time
        plane = self.plane
        return Provisioner(
            plane.sqs, plane.lambda_client, self.rows, SETTINGS, time.clock, time.sleep
        )

    def provision(self) -> Connector:
        return self.provisioner().provision(self.rows.by_name[NAME])

    def heal(self) -> None:
        """End all faults, and let AWS finish its transitions."""
        self.world.faults.errors.clear()
        self.world.faults.kill_before = self.world.faults.kill_after = None
        self.world.time.advance(10.0)

    def assert_provisioned(self) -> None:
        row = self.rows.by_name[NAME]
        (queue,) = self.plane.queues.values()
        (mapping,) = self.plane.existing_mappings()
        assert row.lifecycle is Lifecycle.READY
        assert (row.queue_url, row.mapping_id, row.provisioned) == (
            queue.url,
            mapping.id,
            BLUEPRINT.fingerprint,
        )
        assert self.plane.world.violations == []


# --- creating --------------------------------------------------------------------------------


def test_the_queue_and_the_mapping_are_what_the_connector_needs() -> None:
    bench = Bench()
    ready = bench.provision()
    assert ready == bench.rows.by_name[NAME]
    bench.assert_provisioned()
    queue = bench.plane.queues[bench.queue_name]
    tags = {"dataconnectors:stack": "dc", "dataconnectors:connector": NAME}
    assert queue.tags == tags
    assert queue.attributes == {
        "MessageRetentionPeriod": "43200",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "180",
    }
    (mapping,) = bench.plane.existing_mappings()
    assert mapping.tags == tags
    assert mapping.settings == {
        "EventSourceArn": queue.arn,
        "FunctionName": SENDER,
        "Enabled": True,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 50},
    }


@pytest.mark.parametrize("queue_usable_after", [0.0, 1.0])
def test_provisioning_ends_as_soon_as_the_queue_is_usable(queue_usable_after: float) -> None:
    bench = Bench(queue_usable_after=queue_usable_after)
    bench.provision()
    names = [name for name, _ in bench.world.calls]
    attempts = 1 if queue_usable_after == 0 else 2
    assert names == ["create_queue"] + ["create_event_source_mapping"] * attempts
    created_at = bench.plane.queues[bench.queue_name].created_at
    # The mapping is created while the queue becomes usable, so only one second is lost.
    assert bench.world.calls[1][1] == pytest.approx(created_at)
    assert 1.0 <= bench.world.time.clock() - created_at < 1.5


def test_a_queue_that_lambda_never_sees_is_an_error() -> None:
    bench = Bench(queue_usable_after=100.0)
    with pytest.raises(ControlPlaneError, match=f"{NAME}: .*InvalidParameterValueException"):
        bench.provision()


def test_provisioning_again_changes_nothing() -> None:
    bench = Bench()
    first = bench.provision()
    bench.world.time.advance(10.0)
    assert bench.provision() == first
    bench.assert_provisioned()


def test_two_concurrent_processes_make_one_queue_and_one_mapping() -> None:
    for moment in range(4):
        bench = Bench(listing_lag=0.0)
        bench.world.faults.meanwhile[moment] = bench.provision
        bench.provision()
        bench.assert_provisioned()


def test_an_existing_mapping_is_found_when_lambda_reports_a_conflict() -> None:
    bench = Bench(queue_usable_after=0.0, listing_lag=0.0)
    bench.world.faults.kill_after = 1
    with pytest.raises(KilledError):
        bench.provision()
    bench.heal()
    bench.provision()
    assert "list_event_source_mappings" in [name for name, _ in bench.world.calls]
    bench.assert_provisioned()


def test_a_conflict_with_a_mapping_that_is_not_listed_is_left_to_a_later_run() -> None:
    bench = Bench(queue_usable_after=0.0)
    bench.world.faults.errors[1] = ("ResourceConflictException", 409)
    with pytest.raises(ControlPlaneError):
        bench.provision()
    bench.heal()
    bench.provision()
    bench.assert_provisioned()


def test_a_queue_with_other_attributes_is_corrected() -> None:
    bench = Bench()
    bench.plane.add_queue(bench.queue_name, {}, {"VisibilityTimeout": "30"})
    bench.provision()
    attributes = bench.plane.queues[bench.queue_name].attributes
    assert attributes == BLUEPRINT.queue_attributes


def test_a_queue_whose_name_was_just_deleted_is_left_to_a_later_run() -> None:
    bench = Bench()
    bench.plane.add_queue(bench.queue_name, {}, {})
    bench.plane.lose_queue(bench.queue_name)
    with pytest.raises(ControlPlaneError, match="QueueDeletedRecently"):
        bench.provision()
    bench.world.time.advance(60.0)
    bench.provision()
    bench.assert_provisioned()


def test_a_concurrent_change_by_the_customer_is_not_lost() -> None:
    for moment in range(4):
        bench = Bench()
        bench.world.faults.meanwhile[moment] = partial(bench.rows.patch, NAME)
        assert bench.provision().display_name == "changed"
        bench.assert_provisioned()


def test_a_row_that_keeps_changing_is_left_to_a_later_run() -> None:
    bench = Bench(queue_usable_after=0.0)
    for moment in range(100):
        bench.world.faults.meanwhile[moment] = lambda: bench.rows.patch(NAME)
    with pytest.raises(ControlPlaneError, match=NAME):
        bench.provision()
    bench.world.faults.meanwhile.clear()
    bench.heal()
    bench.provision()
    bench.assert_provisioned()


def test_a_connector_that_is_deleted_meanwhile_does_not_become_ready() -> None:
    for moment in range(4):
        bench = Bench()
        bench.world.faults.meanwhile[moment] = partial(bench.rows.delete, NAME)
        with pytest.raises(ControlPlaneError, match=f"{NAME}: it was deleted"):
            bench.provision()
        assert bench.rows.by_name[NAME].lifecycle is Lifecycle.DELETING


def test_a_connector_that_is_being_deleted_is_not_provisioned() -> None:
    bench = Bench()
    bench.rows.delete(NAME)
    with pytest.raises(ControlPlaneError, match=f"{NAME}: it is being deleted"):
        bench.provision()
    assert bench.world.calls == []


# --- failing and dying -----------------------------------------------------------------------

ERRORS = [
    ("RequestThrottled", 403),
    ("TooManyRequestsException", 429),
    ("ServiceException", 500),
    ("AccessDeniedException", 403),
    ("ResourceInUseException", 400),
    ("ResourceConflictException", 409),
    ("InvalidParameterValueException", 400),
    ("QueueDeletedRecently", 400),
    ("QueueDoesNotExist", 400),
    ("QueueNameExists", 400),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error[0])
@pytest.mark.parametrize("number", range(5))
def test_the_next_run_finishes_after_an_error_of_any_call(
    number: int, error: tuple[str, int]
) -> None:
    bench = Bench()
    bench.world.faults.errors[number] = error
    with suppress(ControlPlaneError):
        bench.provision()
    bench.heal()
    bench.provision()
    bench.assert_provisioned()


def test_an_error_names_the_connector_without_the_text_of_aws() -> None:
    bench = Bench()
    bench.world.faults.errors[0] = ("AccessDeniedException", 403)
    with pytest.raises(ControlPlaneError) as failure:
        bench.provision()
    assert str(failure.value) == f"{NAME}: create_queue: AccessDeniedException"
    assert bench.rows.by_name[NAME].lifecycle is Lifecycle.PROVISIONING


@pytest.mark.parametrize("when", ["kill_before", "kill_after"])
@pytest.mark.parametrize("number", range(4))
def test_the_next_run_finishes_after_the_process_dies_at_any_call(number: int, when: str) -> None:
    bench = Bench()
    setattr(bench.world.faults, when, number)
    with pytest.raises(KilledError):
        bench.provision()
    bench.heal()
    bench.provision()
    bench.assert_provisioned()


def test_no_answer_from_aws_is_a_control_plane_error() -> None:
    bench = Bench()

    def no_answer() -> None:
        raise ConnectTimeoutError(endpoint_url="https://sqs.eu-west-1.amazonaws.com")

    bench.world.faults.meanwhile[0] = no_answer
    with pytest.raises(ControlPlaneError, match=f"{NAME}: create_queue: ConnectTimeoutError"):
        bench.provision()


def test_no_answer_from_the_table_is_a_control_plane_error() -> None:
    bench = Bench(queue_usable_after=0.0)

    def no_answer() -> None:
        raise refusal("InternalServerError", "TransactWriteItems", 500)

    bench.world.faults.meanwhile[2] = no_answer
    with pytest.raises(ControlPlaneError, match=f"{NAME}: the database"):
        bench.provision()


# --- deleting --------------------------------------------------------------------------------


def test_the_queue_is_deleted_once_its_mapping_is_gone() -> None:
    bench = Bench()
    bench.provision()
    bench.world.time.advance(10.0)
    owner = Owner.of(bench.rows.delete(NAME))
    changes: list[Change] = []
    with pytest.raises(NotYetError):
        bench.provisioner().delete(owner, on_change=changes.append)
    assert list(bench.plane.queues) == [bench.queue_name]
    bench.world.time.advance(10.0)
    bench.provisioner().delete(owner, on_change=changes.append)
    assert changes == [Change.MAPPING_DELETED, Change.QUEUE_DELETED]
    assert (bench.plane.queues, bench.plane.existing_mappings(), bench.world.violations) == (
        {},
        [],
        [],
    )


def test_a_mapping_that_the_listing_does_not_show_yet_is_found_by_its_id() -> None:
    bench = Bench(listing_lag=1000.0)
    bench.provision()
    bench.world.time.advance(10.0)
    with pytest.raises(NotYetError):
        bench.provisioner().delete(Owner.of(bench.rows.delete(NAME)))
    assert list(bench.plane.queues) == [bench.queue_name]


def test_the_queue_of_a_connector_that_is_not_deleted_is_kept() -> None:
    bench = Bench()
    ready = bench.provision()
    with pytest.raises(ValueError, match="READY"):
        bench.provisioner().delete(Owner.of(ready))
    bench.assert_provisioned()


def test_a_mapping_of_another_function_on_our_queue_is_not_touched() -> None:
    bench = Bench()
    bench.provision()
    bench.world.time.advance(10.0)
    queue = bench.plane.queues[bench.queue_name]
    other = bench.plane.add_mapping(queue.arn, f"{SENDER.removesuffix(':live')}-other")
    bench.provisioner().converge(bench.rows.by_name[NAME])
    assert other in bench.plane.existing_mappings()
