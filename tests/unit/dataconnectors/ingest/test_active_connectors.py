"""Which connectors of a project get events, and when they are read again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Lifecycle, Status
from dataconnectors.ingest.acceptance import AcceptResult
from dataconnectors.ingest.active_connectors import REMEMBERED_PROJECTS, ActiveConnectors
from tests.support.acceptor import CONNECTOR, AcceptorBench, Tables, envelope


@pytest.mark.parametrize(
    ("change", "active"),
    [
        ({}, True),
        ({"status": Status.USER_DISABLED}, False),
        ({"status": Status.SYSTEM_DISABLED}, False),
        ({"lifecycle": Lifecycle.PROVISIONING}, False),
        ({"lifecycle": Lifecycle.DELETING}, False),
    ],
)
def test_only_connectors_that_are_active_and_ready_get_events(
    change: dict[str, Any], active: bool
) -> None:
    bench = AcceptorBench(Tables(replace(CONNECTOR, **change)))
    assert bench.accept(envelope()) == AcceptResult(1)
    assert len(bench.bodies()) == active


def test_the_next_event_uses_a_changed_configuration_which_is_read_once() -> None:
    table = Tables(CONNECTOR)
    bench = AcceptorBench(table)
    bench.accept(envelope("e1"))
    bench.accept(envelope("e2"))
    assert table.loads == 1
    table.rows, table.version = [replace(CONNECTOR, epoch=4, labels=())], 2
    bench.accept(envelope("e3"))
    assert table.loads == 2
    assert json.loads(bench.sqs.messages["https://sqs/q1"][-1])["epoch"] == 4
    assert [body["labels"] for body in bench.bodies()] == [{"name": "Fridge"}] * 2 + [{}]


def test_the_project_that_was_read_longest_ago_leaves_the_cache() -> None:
    table = Tables(CONNECTOR)
    active = ActiveConnectors(table)  # type: ignore[arg-type]  # the read it makes
    names = [f"p{number}" for number in range(REMEMBERED_PROJECTS + 1)]
    for name in names:
        assert active.of_project(name, 1) == [CONNECTOR]
    assert table.loads == len(names)
    active.of_project(names[-1], 1)
    assert table.loads == len(names)
    active.of_project(names[0], 1)
    assert table.loads == len(names) + 1
