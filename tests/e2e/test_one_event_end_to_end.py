"""Events go from the vendor's SDK to the vendor's receiver library, through the deployed bundle."""

import base64
import itertools
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from dtintegrations.data_connector.http_push import HttpPush

from client.http import Http
from tests.e2e.conftest import ROOT, STOP_SECONDS, Stack

SECRET = "a-signature-secret-of-at-least-32-bytes"  # a secret of the tests alone

ARRIVAL_SECONDS = 60
"""Seconds for a hundred events through the emulator on two busy cores."""


class Receiver:
    """The demo receiver's control interface."""

    def __init__(self, stack: Stack) -> None:
        self._url = stack.ready["receiver"]
        self._http = Http(Path(stack.ready["ca"]), timeout=10)

    def hook(self, name: str) -> str:
        return f"{self._url}/hook/{name}"

    def answer(self, name: str, **rule: Any) -> None:
        self._http.expect("PUT", f"{self._url}/control/{name}", value=rule)

    def requests(self, name: str) -> list[dict[str, Any]]:
        answer = self._http.expect("GET", f"{self._url}/control/{name}/requests")
        listed: list[dict[str, Any]] = answer["requests"]
        return listed

    def wait_for(
        self, name: str, enough: Callable[[list[dict[str, Any]]], bool], seconds: float
    ) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while True:
            listed = self.requests(name)
            if enough(listed) or time.monotonic() > deadline:
                return listed
            time.sleep(0.2)


@pytest.fixture(scope="module")
def receiver(stack: Stack) -> Receiver:
    return Receiver(stack)


def verified(request: dict[str, Any]) -> Any:
    """A delivery that the vendor's receiver library accepts. It raises an error for any other."""
    return HttpPush(request["headers"], base64.b64decode(request["body"]), SECRET)


def connect(sdk: Any, stack: Stack, receiver: Receiver, name: str, **options: Any) -> Any:
    return sdk.DataConnector.create_data_connector(
        project_id=stack.ready["project"],
        config=sdk.DataConnector.HttpPushConfig(
            url=receiver.hook(name), signature_secret=SECRET, headers={"x-team": "blue"}
        ),
        display_name=name,
        labels=["name", "room"],
        **options,
    )


def devices(sdk: Any, stack: Stack, *types: str) -> list[Any]:
    return [
        sdk.Emulator.create_device(
            project_id=stack.ready["project"],
            device_type=device_type,
            display_name=f"a {device_type}",
            labels={"room": "kö"},
        )
        for device_type in types
    ]


def publish(sdk: Any, device: Any, data: Any) -> None:
    sdk.Emulator.publish_event(device_id=device.device_id, project_id=device.project_id, data=data)


@pytest.fixture(scope="module")
def failing(sdk: Any, stack: Stack, receiver: Receiver) -> Receiver:
    """A receiver that fails three times for each of ten events.

    It starts before the other tests, so that its minute passes while they run.
    """
    receiver.answer("failing", status=500, count=3, per_event=True)
    connector = connect(sdk, stack, receiver, "failing", event_types=["motion"])
    (device,) = devices(sdk, stack, "motion")
    for _ in range(10):
        publish(sdk, device, sdk.events.Motion(state="MOTION_DETECTED"))
    assert connector.display_name == "failing"
    return receiver


@pytest.mark.usefixtures("failing")
def test_a_hundred_events_of_five_devices_arrive_once_and_verified(
    sdk: Any, stack: Stack, receiver: Receiver
) -> None:
    types = {
        "temperature": lambda n: sdk.events.Temperature(celsius=20 + n / 10),
        "humidity": lambda n: sdk.events.Humidity(celsius=20, relative_humidity=40 + n),
        "proximity": lambda n: sdk.events.ObjectPresent(state="PRESENT"),
        "touch": lambda n: sdk.events.Touch(),
        "waterDetector": lambda n: sdk.events.WaterPresent(state="NOT_PRESENT"),
    }
    connector = connect(sdk, stack, receiver, "hundred")
    made = devices(sdk, stack, *types)
    for number in range(20):
        for device in made:
            publish(sdk, device, types[device.device_type](number))

    listed = receiver.wait_for("hundred", lambda found: len(found) >= 100, ARRIVAL_SECONDS)
    assert [request["answered"] for request in listed] == [200] * 100
    pushes = [verified(request) for request in listed]
    assert len({push.event.event_id for push in pushes}) == 100
    assert Counter(push.event.device_id for push in pushes) == {
        device.device_id: 20 for device in made
    }
    for push, request in zip(pushes, listed, strict=True):
        metadata = push.get_device_metadata()
        assert push.labels == {"name": f"a {metadata.device_type}", "room": "kö"}
        headers = {name.lower(): value for name, value in request["headers"].items()}
        assert headers["content-type"] == "application/json"
        assert headers["x-team"] == "blue"

    assert (
        sdk.DataConnector.get_data_connector(
            connector.data_connector_id, connector.project_id
        ).status
        == "ACTIVE"
    )


def test_all_functions_run_one_unpacked_layer_that_none_can_change(stack: Stack) -> None:
    (package,) = stack.temporary.rglob("dataconnectors")
    layer = package.parents[1]
    assert [path for path in (layer, *layer.rglob("*")) if path.stat().st_mode & 0o222] == []


def test_a_disabled_connector_gets_nothing_and_gets_the_next_event_once_enabled(
    sdk: Any, stack: Stack, receiver: Receiver
) -> None:
    connector = connect(sdk, stack, receiver, "switched", event_types=["touch"])
    (device,) = devices(sdk, stack, "touch")
    for status in ("USER_DISABLED", "ACTIVE"):
        changed = sdk.DataConnector.update_data_connector(
            connector.data_connector_id, connector.project_id, status=status
        )
        assert changed.status == status
        publish(sdk, device, sdk.events.Touch())
    listed = receiver.wait_for("switched", lambda found: len(found) >= 1, ARRIVAL_SECONDS)
    assert len(listed) == 1
    sdk.DataConnector.delete_data_connector(connector.data_connector_id, connector.project_id)
    with pytest.raises(sdk.errors.NotFound):
        sdk.DataConnector.get_data_connector(connector.data_connector_id, connector.project_id)


def test_the_sdk_raises_its_own_errors(sdk: Any, stack: Stack) -> None:
    with pytest.raises(sdk.errors.BadRequest) as caught:
        sdk.DataConnector.create_data_connector(
            project_id=stack.ready["project"],
            config=sdk.DataConnector.HttpPushConfig(url="http://example.com/"),
        )
    assert "httpConfig.url" in caught.value.args[0]["error"]
    with pytest.raises(sdk.errors.NotFound):
        sdk.Project.get_project("c0000000000000000000")
    wrong = sdk.Auth.service_account("nokey", "no-secret", "nobody@example.com")
    wrong.token_endpoint = stack.ready["token"]
    with pytest.raises(sdk.errors.Unauthorized):
        sdk.Project.get_project(stack.ready["project"], auth=wrong)


@pytest.mark.parametrize(
    "path", ["/_ministack/reset", "/_localstack/health", "/health", "/v2", "/v2/_catalog", "/v2/"]
)
def test_the_public_port_serves_nothing_but_the_api(stack: Stack, path: str) -> None:
    reply = Http().call("POST", stack.ready["api"].removesuffix("/v2") + path)
    assert (reply.status, reply.json()) == (
        404,
        {"error": f"POST {path} is not served here", "code": 404, "help": "/v2/errors#404"},
    )


def test_each_failed_event_arrives_after_waits_of_8_16_and_32_seconds(failing: Receiver) -> None:
    listed = failing.wait_for("failing", lambda found: len(found) >= 40, 90)
    attempts: dict[str, list[dict[str, Any]]] = {}
    for request in listed:
        attempts.setdefault(verified(request).event.event_id, []).append(request)
    assert len(attempts) == 10
    for of_event in attempts.values():
        assert [request["answered"] for request in of_event] == [500, 500, 500, 200]
        times = [request["received_at"] for request in of_event]
        waits = [after - before for before, after in itertools.pairwise(times)]
        for wait, due in zip(waits, (8, 16, 32), strict=True):
            # Never early, and late at most by the rest of the batch and the emulator's polling.
            assert due <= wait < due + 4, waits


def test_the_example_of_a_publisher_publishes_every_event_of_its_input(stack: Stack) -> None:
    events = [
        {
            "eventId": f"published-{number}",
            "targetName": f"projects/{stack.ready['project']}/devices/publisher",
            "eventType": "touch",
            "data": {"touch": {"updateTime": "2026-01-01T00:00:00Z"}},
            "timestamp": datetime.now(UTC).isoformat(),
        }
        for number in range(101)
    ]
    run = subprocess.run(
        [sys.executable, "examples/publisher/app.py", stack.ready["api"], stack.ready["project"]],
        cwd=ROOT,
        env=os.environ | {"DT_CREDENTIALS_FILE": stack.ready["credentials"]},
        input="\n".join(map(json.dumps, [*events, events[0] | {"eventType": "no type"}])),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stdout.startswith("101 accepted, 1 refused\npublished-0: "), run.stderr


def test_make_run_stops_in_time_and_leaves_nothing_behind(stack: Stack, failing: Receiver) -> None:
    assert failing.requests("failing")
    seconds, code = stack.stop()
    assert seconds < STOP_SECONDS, stack.output
    assert code in (0, 2, -15), stack.output
    assert stack.processes() == []
    assert not stack.temporary.exists()
    for port in stack.ports:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=1)
