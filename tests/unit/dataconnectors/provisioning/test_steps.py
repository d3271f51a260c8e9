"""Which step comes next, given the row, what was observed and the blueprint."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Lifecycle
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.mappings import EventSourceMapping
from dataconnectors.provisioning.steps import (
    NOTHING_OBSERVED,
    Complete,
    CreateMapping,
    CreateQueue,
    DeleteMapping,
    DeleteQueue,
    FindMappings,
    FindQueue,
    Observed,
    Owner,
    Step,
    UpdateMapping,
    UpdateQueue,
    Wait,
    next_step,
)
from tests.support.control_plane import SENDER, SETTINGS

BLUEPRINT = Blueprint(SETTINGS)
TODAY = BLUEPRINT.fingerprint
QUEUE_ID = "0123456789abcdefghij"
URL = f"https://sqs.eu-west-1.amazonaws.com/111122223333/dc-c-{QUEUE_ID}"
NAME = "projects/p/dataconnectors/c1"

MATCHING = EventSourceMapping(
    id="m1",
    arn="arn:aws:lambda:eu-west-1:111122223333:event-source-mapping:m1",
    queue_arn=BLUEPRINT.queue_arn(QUEUE_ID),
    function_arn=SENDER,
    state="Enabled",
    batch_size=10,
    batching_window=0,
    maximum_concurrency=50,
    response_types=("ReportBatchItemFailures",),
    has_filter=False,
)
SECOND = replace(MATCHING, id="m0", function_arn=SENDER.removesuffix(":live"))
SLOW = replace(MATCHING, maximum_concurrency=2)

NEW = Owner(NAME, QUEUE_ID, "", "", Lifecycle.PROVISIONING, "")
READY = Owner(NAME, QUEUE_ID, URL, "m1", Lifecycle.READY, TODAY)
OUTDATED = replace(READY, provisioned="yesterday")
DELETING = replace(READY, lifecycle=Lifecycle.DELETING)


def with_state(mapping: EventSourceMapping, state: str) -> EventSourceMapping:
    return replace(mapping, state=state)


@pytest.mark.parametrize(
    ("owner", "observed", "step"),
    [
        (NEW, NOTHING_OBSERVED, CreateQueue()),
        (NEW, Observed(URL, True), FindMappings()),
        (NEW, Observed(URL, True, ()), CreateMapping()),
        (NEW, Observed(URL, True, (with_state(MATCHING, "Creating"),)), Complete(URL, "m1")),
        (READY, NOTHING_OBSERVED, FindQueue()),
        (READY, Observed(""), CreateQueue()),
        (READY, Observed(URL), FindMappings()),
        (READY, Observed(URL, mappings=()), CreateMapping()),
        (READY, Observed(URL, mappings=(MATCHING,)), Complete(URL, "m1")),
        (READY, Observed(URL, mappings=(with_state(MATCHING, "Deleting"),)), Wait("")),
        (READY, Observed(URL, mappings=(SECOND, MATCHING)), DeleteMapping(SECOND)),
        (
            READY,
            Observed(URL, mappings=(with_state(SECOND, "Deleting"), MATCHING)),
            Complete(URL, "m1"),
        ),
        (READY, Observed(URL, mappings=(with_state(SECOND, "Updating"), MATCHING)), Wait("")),
        (READY, Observed(URL, mappings=(SLOW,)), UpdateMapping(SLOW)),
        (READY, Observed(URL, mappings=(SLOW,), updated_mapping_id="m1"), Complete(URL, "m1")),
        (READY, Observed(URL, mappings=(with_state(SLOW, "Updating"),)), Wait("")),
        (OUTDATED, Observed(URL), UpdateQueue(URL)),
        (OUTDATED, Observed(URL, True), FindMappings()),
        (DELETING, NOTHING_OBSERVED, FindMappings()),
        (DELETING, Observed(mappings=(MATCHING,)), DeleteMapping(MATCHING)),
        (DELETING, Observed(mappings=(with_state(MATCHING, "Creating"),)), Wait("")),
        (
            DELETING,
            Observed(mappings=(with_state(MATCHING, "Deleting"), SECOND)),
            DeleteMapping(SECOND),
        ),
        (DELETING, Observed(mappings=(with_state(MATCHING, "Deleting"),)), Wait("")),
        (DELETING, Observed(mappings=()), DeleteQueue()),
        (DELETING, Observed("", mappings=()), Complete("", "")),
    ],
)
def test_the_next_step_follows_from_what_is_observed(
    owner: Owner, observed: Observed, step: Step
) -> None:
    decided = next_step(owner, observed, BLUEPRINT)
    assert type(decided) is type(step)
    assert isinstance(step, Wait) or decided == step


@pytest.mark.parametrize(
    "change",
    [
        {"state": "Disabled"},
        {"batch_size": 1},
        {"batching_window": 5},
        {"maximum_concurrency": None},
        {"maximum_concurrency": 2},
        {"response_types": ()},
        {"function_arn": SENDER.removesuffix(":live")},
        {"has_filter": True},
    ],
    ids=str,
)
def test_a_mapping_that_differs_in_anything_is_updated(change: dict[str, Any]) -> None:
    different = replace(MATCHING, **change)
    observed = Observed(URL, mappings=(different,))
    assert next_step(READY, observed, BLUEPRINT) == UpdateMapping(different)


@pytest.mark.parametrize("owner", [NEW, READY, replace(READY, mapping_id="m0")])
def test_the_mapping_that_is_kept_does_not_depend_on_the_order_of_the_listing(
    owner: Owner,
) -> None:
    orders = [(MATCHING, SECOND), (SECOND, MATCHING)]
    steps = {str(next_step(owner, Observed(URL, True, order), BLUEPRINT)) for order in orders}
    assert len(steps) == 1
