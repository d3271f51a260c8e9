"""The names and parameters of the blueprint, and when its fingerprint changes."""

from typing import Any

import pytest

from dataconnectors.expiry.expired_event import RETENTION_SECONDS
from dataconnectors.provisioning.blueprint import Blueprint
from tests.support.control_plane import SENDER, SETTINGS

BLUEPRINT = Blueprint(SETTINGS)
QUEUE_ID = "0123456789abcdefghij"


def test_a_queue_keeps_messages_until_their_events_have_expired() -> None:
    assert BLUEPRINT.queue_attributes["MessageRetentionPeriod"] == str(RETENTION_SECONDS) == "43200"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"stack": "other"}, True),
        ({"visibility_timeout": 600}, False),
        ({"maximum_concurrency": 2}, False),
        ({"sender_arn": SENDER.replace("live", "next")}, False),
        ({"tags": (("team", "iot"),)}, False),
    ],
    ids=str,
)
def test_the_fingerprint_changes_with_the_parameters(change: dict[str, Any], same: bool) -> None:
    assert (Blueprint(SETTINGS._replace(**change)).fingerprint == BLUEPRINT.fingerprint) is same


@pytest.mark.parametrize(
    ("queue_name", "queue_id"),
    [
        (f"dc-c-{QUEUE_ID}", QUEUE_ID),
        (f"dc-eu-c-{QUEUE_ID}", None),
        (f"dc-c-c-{QUEUE_ID}", None),
        (f"dc-c-{QUEUE_ID}0", None),
        (f"dc-c-{QUEUE_ID[1:]}", None),
        ("dc-c-0123456789abcdefghiw", None),
        (f"dc-c-{QUEUE_ID}\n", None),
        ("dc-failed", None),
    ],
)
def test_only_names_that_this_stack_gives_are_its_own(
    queue_name: str, queue_id: str | None
) -> None:
    assert BLUEPRINT.queue_id(queue_name) == queue_id
