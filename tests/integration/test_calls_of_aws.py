"""How many calls of AWS a request costs: the latency and the bill that callers do not see."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dataconnectors import times
from functions.config_api import app as config_api
from functions.ingest import app as ingest
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect
from tests.support.dynamodb import Watched


@contextmanager
def watched(app: Any) -> Iterator[Watched]:
    """DynamoDB's calls of a function, while it lasts."""
    table = app.table
    seen = Watched(table.dynamodb)
    table.dynamodb = seen
    try:
        yield seen
    finally:
        table.dynamodb = seen.client


def envelopes(client: Client, count: int, devices: int) -> dict[str, Any]:
    stamp = times.to_text(time.time())
    return {
        "events": [
            {
                "eventId": f"e{number}",
                "targetName": f"projects/{client.project}/devices/d{number % devices}",
                "eventType": "touch",
                "data": {"touch": {"updateTime": stamp}},
                "timestamp": stamp,
            }
            for number in range(count)
        ]
    }


def test_publishing(client: Client) -> None:
    connect(client)
    for count, devices, expected in (
        (1, 1, {"batch_get_item": 1, "batch_write_item": 1, "update_item": 1}),
        (100, 100, {"batch_get_item": 2, "batch_write_item": 4, "update_item": 100}),
        (100, 10, {"batch_get_item": 1, "batch_write_item": 4, "update_item": 10}),
    ):
        body = envelopes(client, count, devices)
        assert client.call("POST", "/events", body)[0] == 200  # the devices are known from now on
        with watched(ingest) as seen:
            assert client.call("POST", "/events", body)[0] == 200
        assert seen.calls == expected


def test_devices_that_are_new_cost_one_transaction_for_fifty(client: Client) -> None:
    with watched(ingest) as seen:
        assert client.call("POST", "/events", envelopes(client, 100, 100))[0] == 200
    assert seen.calls["transact_write_items"] == 2


def test_reading_a_device_takes_one_read_beyond_knowing_the_caller(client: Client) -> None:
    made = client.call("POST", "/devices", {"type": "touch"})[1]
    path = f"/devices/{made['name'].rsplit('/', 1)[1]}"
    client.call("POST", f"{path}:publish", {"touch": {}})
    client.call("GET", path)  # the caller and their roles are known from now on
    made_calls: list[str] = []

    def hear(model: Any, **_: Any) -> None:
        made_calls.append(model.name)

    events = config_api.table.dynamodb.meta.events
    events.register("before-call.dynamodb", hear)
    try:
        assert "reported" in client.call("GET", path)[1]
    finally:
        events.unregister("before-call.dynamodb", hear)
    assert [name for name in made_calls if name != "UpdateItem"] == ["Query"]
