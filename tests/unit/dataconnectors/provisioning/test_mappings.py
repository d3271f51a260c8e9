"""How Lambda's description of an event source mapping is read."""

from typing import Any

import pytest

from dataconnectors.provisioning.mappings import EventSourceMapping

REQUIRED: dict[str, Any] = {
    "UUID": "m1",
    "EventSourceArn": "arn:aws:sqs:eu-west-1:111122223333:q",
    "FunctionArn": "arn:aws:lambda:eu-west-1:111122223333:function:f",
    "State": "Enabled",
    "BatchSize": 10,
}


@pytest.mark.parametrize(
    "unset",
    [
        {},
        {"MaximumBatchingWindowInSeconds": None, "ScalingConfig": None},
        {"ScalingConfig": {}, "FunctionResponseTypes": [], "FilterCriteria": {"Filters": []}},
    ],
    ids=str,
)
def test_settings_that_lambda_leaves_out_or_empty_are_not_set(unset: dict[str, Any]) -> None:
    mapping = EventSourceMapping.of(REQUIRED | unset)
    assert (mapping.arn, mapping.batching_window, mapping.maximum_concurrency) == ("", 0, None)
    assert (mapping.response_types, mapping.has_filter) == ((), False)


@pytest.mark.parametrize(
    ("state", "is_in_transition", "is_deleting"),
    [
        ("Enabled", False, False),
        ("Disabled", False, False),
        ("Creating", True, False),
        ("Enabling", True, False),
        ("Disabling", True, False),
        ("Updating", True, False),
        ("Deleting", True, True),
    ],
)
def test_the_state_says_whether_lambda_is_changing_a_mapping(
    state: str, is_in_transition: bool, is_deleting: bool
) -> None:
    mapping = EventSourceMapping.of(REQUIRED | {"State": state})
    assert (mapping.is_in_transition, mapping.is_deleting) == (is_in_transition, is_deleting)
