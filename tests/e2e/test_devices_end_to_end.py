"""Devices, labels, history and sync by the vendor's SDK, and people, on the local stack."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import Stack
from tests.e2e.sign_in import Browser
from tests.e2e.test_one_event_end_to_end import Receiver, connect, publish, verified

ARRIVAL_SECONDS = 30
"""Seconds for an event through functions that start cold, on two busy cores."""


@pytest.fixture(scope="module")
def receiver(stack: Stack) -> Receiver:
    return Receiver(stack)


@pytest.fixture(scope="module")
def device(sdk: Any, stack: Stack) -> Any:
    """A device that has reported two types."""
    made = sdk.Emulator.create_device(
        project_id=stack.ready["project"],
        device_type=sdk.Device.TEMPERATURE,
        display_name="Freezer",
        labels={"shelf": "end-to-end"},
    )
    publish(sdk, made, sdk.events.Temperature(celsius=-18.5))
    publish(sdk, made, sdk.events.Touch())
    return made


def arrived(receiver: Receiver, name: str, enough: Callable[[list[Any]], bool]) -> list[Any]:
    """The verified deliveries of the receiver, as soon as there are enough."""
    requests = receiver.wait_for(
        name, lambda listed: enough([verified(each) for each in listed]), ARRIVAL_SECONDS
    )
    return [verified(each) for each in requests]


def test_a_changed_label_arrives_as_an_event_and_is_on_the_next(
    sdk: Any, stack: Stack, receiver: Receiver
) -> None:
    project = stack.ready["project"]
    made = sdk.Emulator.create_device(project, sdk.Device.TOUCH, "Door")
    connect(sdk, stack, receiver, "labels", event_types=["labelsChanged", "touch"])
    assert sdk.Device.set_label(made.device_id, project, "room", "12") == []
    publish(sdk, made, sdk.events.Touch())

    def both(payloads: list[Any]) -> bool:
        mine = [each for each in payloads if each.event.device_id == made.device_id]
        return {each.event.event_type for each in mine} == {"labelsChanged", "touch"}

    payloads = arrived(receiver, "labels", both)
    by_type = {
        each.event.event_type: each for each in payloads if each.event.device_id == made.device_id
    }
    assert by_type["touch"].labels == {"name": "Door", "room": "12"}
    assert by_type["labelsChanged"].event.data.added == {"room": "12"}


def test_history_and_last_values_are_read_back(sdk: Any, device: Any) -> None:
    history = sdk.EventHistory.list_events(device.device_id, device.project_id)
    assert [event.event_type for event in history] == ["touch", "temperature"]
    week = sdk.EventHistory.list_events(
        device.device_id,
        device.project_id,
        event_types=["temperature"],
        start_time=datetime.now(UTC) - timedelta(days=7),
        end_time=datetime.now(UTC) + timedelta(minutes=1),
    )
    assert [event.data.celsius for event in week] == [-18.5]
    assert sdk.Device.get_device(device.device_id).reported.temperature.celsius == -18.5


def test_devices_are_listed_with_filters_and_order(sdk: Any, device: Any) -> None:
    found = sdk.Device.list_devices(
        device.project_id,
        query="freezer",
        device_types=[sdk.Device.TEMPERATURE],
        label_filters={"shelf": "end-to-end"},
        order_by="-reported.temperature.value",
    )
    assert [each.device_id for each in found] == [device.device_id]


def test_a_sync_sends_the_latest_events_again_to_one_connector(
    sdk: Any, stack: Stack, receiver: Receiver, device: Any
) -> None:
    connector = connect(sdk, stack, receiver, "synced", event_types=["temperature"])
    other = connect(sdk, stack, receiver, "not-synced", event_types=["temperature"])
    begun = time.monotonic()
    sdk.DataConnector.sync_data_connector(connector.data_connector_id, connector.project_id)
    assert time.monotonic() - begun < 3
    payloads = arrived(
        receiver,
        "synced",
        lambda found: any(each.event.device_id == device.device_id for each in found),
    )
    (mine,) = [each for each in payloads if each.event.device_id == device.device_id]
    assert mine.event.data.celsius == -18.5
    assert receiver.requests("not-synced") == []
    assert other.status == "ACTIVE"


def test_a_person_signs_in_works_and_is_in_the_audit_until_they_are_removed(stack: Stack) -> None:
    """The console's way without its page: sign-in page, code, id token, access token."""
    you, ann = Browser(stack.ready), Browser(stack.ready)
    project = f"/projects/{stack.ready['project']}"
    assert you.sign_in().status == 200
    refused = ann.sign_in("ann@example.com")
    assert (refused.status, "no member of any project" in refused.json["error"]) == (403, True)
    body = {"email": "Ann@example.com", "roles": ["roles/project.developer"]}
    made = you.call("POST", f"{project}/members", body)
    assert (made.status, made.json["status"]) == (200, "PENDING")
    assert ann.sign_in("ann@example.com").status == 200
    assert [each["name"] for each in ann.call("GET", "/projects").json["projects"]] == [project[1:]]
    assert ann.call("POST", f"{project}/devices", {"type": "touch"}).status == 200
    assert ann.call("POST", f"{project}/serviceaccounts", {}).status == 403
    member = f"/{made.json['name']}"
    assert you.call("GET", member).json["status"] == "ACCEPTED"
    actors = {each["actor"] for each in you.call("GET", f"{project}/audit").json["entries"]}
    assert {"you@example.com", "ann@example.com"} <= actors
    assert you.call("DELETE", member).status == 200
    assert ann.sign_in("ann@example.com").status == 403


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ("expired", 401, "Unauthorized"),
        ("early", 401, "Unauthorized"),
        ("audience", 401, "Unauthorized"),
        ("issuer", 401, "Unauthorized"),
        ("signature", 401, "Unauthorized"),
        ("nonce", 401, "belongs to another sign-in"),
        ("no-email", 403, "no email"),
        ("unverified", 403, "has not verified you@example.com"),
    ],
)
def test_an_id_token_that_is_not_as_it_should_be_is_refused(
    stack: Stack, fault: str, status: int, text: str
) -> None:
    """The emulator's JWT authorizer stands for that of API Gateway."""
    answer = Browser(stack.ready).sign_in(fault=fault)
    assert (answer.status, text in str(answer.json)) == (status, True), answer


def test_a_token_of_the_bundle_is_no_id_token(stack: Stack) -> None:
    you = Browser(stack.ready)
    answer = you.sign_in()
    for token in (answer.json["access_token"], "", "a.b.c"):
        assert you.exchange(token, "n").status == 401
