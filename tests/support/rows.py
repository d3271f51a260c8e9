"""A connector's row for tests: a plain one that is ready, and what a test says is different."""

from dataclasses import replace
from typing import Any

from dataconnectors.connectors import Connector, Lifecycle, Status

PLAIN = Connector(
    project="p",
    id="c",
    display_name="",
    status=Status.ACTIVE,
    event_types=(),
    labels=(),
    url="https://example.com/hook",
    sealed=None,
    lifecycle=Lifecycle.READY,
    epoch=1,
    version=1,
    queue_id="0000000000000000000c",
    queue_url="",
    mapping_id="",
    provisioned="",
    create_time="2026-09-21T14:13:20.000000Z",
    update_time="2026-09-21T14:13:20.000000Z",
)


def a_connector(**fields: Any) -> Connector:
    """Active, ready, without secrets, of every event type and no label."""
    return replace(PLAIN, **fields)
