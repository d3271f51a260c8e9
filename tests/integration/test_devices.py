"""Devices and their labels over the API, as plain requests and by the vendor's SDK."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import disruptive as dt
import pytest

from dataconnectors.kernel import times
from functions.config_api import app as config_api
from functions.ingest import app as ingest
from tests.integration.conftest import Client, new_administrator
from tests.support.api_server import serving


def make(client: Client, device_type: str = "touch", **labels: str) -> str:
    """A new emulated device's id."""
    status, made = client.call("POST", "/devices", {"type": device_type, "labels": labels})
    assert status == 200, made
    return str(made["name"]).rsplit("/", 1)[1]


def publish(client: Client, device: str, event_type: str, **data: Any) -> None:
    answer = client.call("POST", f"/devices/{device}:publish", {event_type: data})
    assert answer == (200, {})


def listed(client: Client, query: str = "") -> list[str]:
    """The ids on all pages."""
    found: list[str] = []
    token = ""
    while True:
        status, answer = client.call("GET", "/devices", query=f"{query}&pageToken={token}")
        assert status == 200, answer
        found += [device["name"].rsplit("/", 1)[1] for device in answer["devices"]]
        token = answer["nextPageToken"]
        if not token:
            return found


def labels_of(client: Client, device: str) -> Any:
    return client.call("GET", f"/devices/{device}")[1]["labels"]


def test_a_device_shows_what_it_reported_last(client: Client) -> None:
    device = make(client, "temperature")
    assert "reported" not in client.call("GET", f"/devices/{device}")[1]
    publish(client, device, "temperature", value=21)
    publish(client, device, "temperature", value=22)
    publish(client, device, "touch")
    shown = client.call("GET", f"/devices/{device}")[1]
    assert set(shown["reported"]) == {"temperature", "touch"}
    assert shown["reported"]["temperature"]["value"] == 22
    assert client.call("GET", "/devices")[1]["devices"] == [shown]


def test_a_real_sensor_can_be_listed_and_labelled_after_its_first_event(client: Client) -> None:
    stamp = times.to_text(time.time())
    name = f"projects/{client.project}/devices/sensor1"
    event = {
        "eventId": "e1",
        "targetName": name,
        "eventType": "co2",
        "data": {"co2": {"ppm": 500}},
        "timestamp": stamp,
    }
    events = [event, event | {"eventId": "e2", "targetName": f"{name}b"}]
    for _ in range(2):
        assert client.call("POST", "/events", {"events": events})[0] == 200
    assert sorted(listed(client)) == ["sensor1", "sensor1b"]
    shown = client.call("GET", "/devices/sensor1")[1]
    assert shown["type"] == "co2"
    assert shown["reported"] == {"co2": {"ppm": 500, "updateTime": stamp}}
    assert client.call("GET", "")[1]["sensorCount"] == 2
    body = {"devices": [shown["name"]], "addLabels": {"name": "CO2"}}
    assert client.call("POST", "/devices:batchUpdate", body) == (200, {"batchErrors": []})
    assert labels_of(client, "sensor1") == {"name": "CO2"}
    assert client.call("DELETE", "/devices/sensor1")[0] == 400


def test_a_deleted_device_is_gone_with_its_values_and_its_count(client: Client) -> None:
    device = make(client, "ccon")
    publish(client, device, "touch")
    assert client.call("GET", "")[1]["cloudConnectorCount"] == 1
    assert client.call("DELETE", f"/devices/{device}") == (200, {})
    assert client.call("DELETE", f"/devices/{device}")[0] == 404
    assert client.call("GET", f"/devices/{device}")[0] == 404
    assert listed(client) == []
    assert client.call("GET", "")[1]["cloudConnectorCount"] == 0
    assert len(client.call("GET", f"/devices/{device}/events")[1]["events"]) == 1


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abc"),
        ("device_types=touch&device_types=co2", "bc"),
        ("device_types=touch,co2", "bc"),
        ("label_filters=room%3D1", "a"),
        ("label_filters=room%3D", "ab"),
        ("label_filters=room", "ab"),
        ("label_filters=room%3D2&label_filters=name%3DB", "b"),
        ("label_filters=note%3Dx%2Cy", "c"),
        ("query=FRIDGE", "a"),
        ("query=touch+b", "b"),
        ("query=nothing", ""),
        ("product_numbers=1", ""),
        ("order_by=labels.name", "abc"),
        ("order_by=-labels.name", "cba"),
        ("order_by=labels.room", "abc"),
        ("order_by=-labels.room", "bac"),
        ("order_by=type", "cab"),
        ("order_by=reported.temperature.value", "bca"),
        ("order_by=-reported.temperature.value", "cba"),
    ],
)
def test_devices_are_filtered_and_ordered(client: Client, query: str, expected: str) -> None:
    ids = {
        "a": make(client, "temperature", name="Afridge", room="1"),
        "b": make(client, "touch", name="B", room="2"),
        "c": make(client, "co2", name="C", note="x,y"),
    }
    publish(client, ids["b"], "temperature", value=9)
    publish(client, ids["c"], "temperature", value=10)
    names = {device: name for name, device in ids.items()}
    for size in ("", "&pageSize=1", "&page_size=2"):
        found = [names[device] for device in listed(client, query + size)]
        if "order_by" not in query:
            found.sort()
        assert "".join(found) == expected


def test_devices_are_listed_by_their_ids(client: Client) -> None:
    first, second, _ = (make(client) for _ in range(3))
    query = f"device_ids={first}&device_ids={second}&device_ids=absent"
    assert sorted(listed(client, query)) == sorted([first, second])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("device_types=fridge", "device_types"),
        ("device_ids=a/b", "device_ids"),
        ("device_ids=" + ",".join(f"d{n}" for n in range(101)), "device_ids"),
        ("order_by=colour", "order_by"),
        ("order_by=reported.temperature", "order_by"),
        ("order_by=reported.bogus.value", "order_by"),
        ("order_by=name,type", "order_by"),
        ("pageSize=x", "pageSize"),
        ("pageToken=x", "pageToken"),
        ("pageToken=W10", "pageToken"),
        ("order_by=name&pageToken=WyJhIiwiYiJd", "pageToken"),
    ],
)
def test_a_wrong_list_query_is_a_400_that_names_the_field(
    client: Client, query: str, field: str
) -> None:
    status, error = client.call("GET", "/devices", query=query)
    assert status == 400
    assert error["error"].startswith(field)


class TestBatchUpdate:
    def update(self, client: Client, *devices: str, **change: Any) -> Any:
        names = [f"projects/{client.project}/devices/{device}" for device in devices]
        body = {"devices": names} | change
        status, answer = client.call("POST", "/devices:batchUpdate", body)
        assert status == 200, answer
        return answer["batchErrors"]

    def test_labels_are_added_changed_and_removed(self, client: Client) -> None:
        first, second = make(client, name="A", room="1"), make(client, name="B")
        change = {"addLabels": {"room": "2", "ä b": "c"}, "removeLabels": ["name", "absent"]}
        assert self.update(client, first, second, **change) == []
        assert labels_of(client, first) == labels_of(client, second) == {"room": "2", "ä b": "c"}

    def test_each_device_fails_by_itself(self, client: Client) -> None:
        device = make(client)
        full = make(client, **{f"k{n}": "" for n in range(50)})
        names = [
            f"projects/{client.project}/devices/{device}",
            f"projects/{client.project}/devices/{full}",
            f"projects/{client.project}/devices/absent",
            f"projects/c0000000000000000000/devices/{device}",
            "nonsense",
        ]
        body = {"devices": [*names, names[0]], "addLabels": {"a": "1"}}
        status, answer = client.call("POST", "/devices:batchUpdate", body)
        assert status == 200
        assert [(e["device"], e["status"]["code"]) for e in answer["batchErrors"]] == [
            (names[1], "INVALID_ARGUMENT"),
            (names[2], "NOT_FOUND"),
            (names[3], "NOT_FOUND"),
            (names[4], "INVALID_ARGUMENT"),
        ]
        assert labels_of(client, device) == {"a": "1"}

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ([], "body"),
            ({}, "devices"),
            ({"devices": []}, "devices"),
            ({"devices": "d"}, "devices"),
            ({"devices": [1]}, "devices"),
            ({"devices": ["d"] * 251, "addLabels": {"a": "1"}}, "devices"),
            ({"devices": ["d"]}, "addLabels, removeLabels"),
            ({"devices": ["d"], "addLabels": {}, "removeLabels": []}, "addLabels, removeLabels"),
            ({"devices": ["d"], "addLabels": {"a": 1}}, "addLabels"),
            ({"devices": ["d"], "addLabels": {"": "x"}}, "addLabels"),
            ({"devices": ["d"], "addLabels": {"a": "\ud800"}}, "addLabels"),
            ({"devices": ["d"], "removeLabels": {"a": "1"}}, "removeLabels"),
            ({"devices": ["d"], "removeLabels": [["a"]]}, "removeLabels"),
            ({"devices": ["d"], "addLabels": {"a": "1"}, "removeLabels": ["a"]}, "removeLabels"),
        ],
    )
    def test_a_wrong_body_is_a_400_that_names_the_field(
        self, client: Client, body: Any, field: str
    ) -> None:
        status, error = client.call("POST", "/devices:batchUpdate", body)
        assert status == 400
        assert error["error"].startswith(field)

    def test_the_next_event_carries_the_labels(self, client: Client) -> None:
        device = make(client)
        self.update(client, device, addLabels={"room": "7"})
        found = ingest.acceptor._projects.snapshot(client.project, [device])
        assert found is not None
        assert found.devices[device].labels == {"room": "7"}


def test_a_single_label_is_set_as_in_the_old_api(client: Client) -> None:
    device = make(client, room="1", name="x")
    path = f"/devices/{device}/labels/room%20no"
    status, answer = client.call("PATCH", path, {"value": "9"}, query="updateMask=value")
    assert (status, answer["value"]) == (200, "9")
    assert labels_of(client, device) == {"room": "1", "name": "x", "room no": "9"}
    assert client.call("PATCH", path, {"value": 9})[0] == 400
    assert client.call("PATCH", path, [])[0] == 400
    assert client.call("PATCH", "/devices/absent/labels/a", {"value": "1"})[0] == 404


def test_terraform_renames_a_device_with_put(client: Client) -> None:
    device = make(client, name="Old")
    name = f"projects/{client.project}/devices/{device}"
    body = {"name": name, "type": "touch", "labels": {"name": "New"}}
    status, answer = client.call("PUT", f"/devices/{device}", body)
    assert (status, answer["labels"]) == (200, {"name": "New"})
    assert labels_of(client, device) == {"name": "New"}
    assert client.call("PUT", f"/devices/{device}", {"labels": None})[0] == 400
    assert client.call("PUT", "/devices/absent", body)[0] == 404


class TestTransfer:
    @pytest.fixture
    def target(self, client: Client) -> Client:
        """The same account in a second project that it administers."""
        other = new_administrator("Target")
        member = {"email": client.account["email"], "roles": ["roles/project.admin"]}
        assert other.call("POST", "/members", member)[0] == 200
        target = Client(client.account, other.project)
        target.headers = client.headers
        return target

    def test_a_device_moves_with_labels_and_last_values(
        self, client: Client, target: Client
    ) -> None:
        device = make(client, "temperature", name="Fridge")
        publish(client, device, "temperature", value=4)
        name = f"projects/{client.project}/devices/{device}"
        answer = target.call("POST", "/devices:transfer", {"devices": [name]})
        assert answer == (200, {"transferredDevices": [name], "transferErrors": []})
        assert client.call("GET", f"/devices/{device}")[0] == 404
        moved = target.call("GET", f"/devices/{device}")[1]
        assert moved["name"] == f"projects/{target.project}/devices/{device}"
        assert moved["labels"] == {"name": "Fridge"}
        assert moved["reported"]["temperature"]["value"] == 4
        assert client.call("GET", "")[1]["sensorCount"] == 0
        assert target.call("GET", "")[1]["sensorCount"] == 1
        assert target.call("GET", f"/devices/{device}/events")[1]["events"] == []

    def test_devices_that_were_registered_by_their_events_can_leave_a_project(
        self, client: Client, target: Client
    ) -> None:
        """Such devices cannot be deleted. A project can be deleted only after they are
        transferred."""
        name = f"projects/{client.project}/devices/real"
        event = {
            "eventId": "e1",
            "targetName": name,
            "eventType": "touch",
            "data": {"touch": {}},
            "timestamp": times.to_text(time.time()),
        }
        assert client.call("POST", "/events", {"events": [event]})[1]["accepted"] == 1
        for path in ("", "/devices/real"):
            status, error = client.call("DELETE", path)
            assert (status, "devices:transfer" in error["error"]) == (400, True)
        answer = target.call("POST", "/devices:transfer", {"devices": [name]})
        assert answer == (200, {"transferredDevices": [name], "transferErrors": []})
        assert target.call("GET", "/devices/real")[0] == 200
        assert client.call("DELETE", "") == (200, {})
        assert client.call("GET", "")[0] == 404

    def test_a_device_that_cannot_be_transferred_is_named(
        self, client: Client, target: Client
    ) -> None:
        here = f"projects/{target.project}/devices/{make(target)}"
        absent = f"projects/{client.project}/devices/absent"
        foreign = "projects/c0000000000000000000/devices/d1"
        body = {"devices": [here, absent, foreign, "nonsense"]}
        status, answer = target.call("POST", "/devices:transfer", body)
        assert status == 200
        assert answer["transferredDevices"] == []
        assert [(e["device"], e["status"]["code"]) for e in answer["transferErrors"]] == [
            (here, "INVALID_ARGUMENT"),
            (absent, "NOT_FOUND"),
            (foreign, "NOT_FOUND"),
            ("nonsense", "INVALID_ARGUMENT"),
        ]

    def test_a_transfer_needs_the_administrators_role_in_both_projects(
        self, client: Client, target: Client
    ) -> None:
        name = f"projects/{client.project}/devices/{make(client)}"
        developer = target.account_with("roles/project.developer")
        assert developer.call("POST", "/devices:transfer", {"devices": [name]})[0] == 403
        only_target = target.account_with("roles/project.admin")
        status, answer = only_target.call("POST", "/devices:transfer", {"devices": [name]})
        assert (status, answer["transferErrors"][0]["status"]["code"]) == (200, "NOT_FOUND")


class TestWildcard:
    def test_a_device_is_found_in_whichever_project_has_it(self, client: Client) -> None:
        device = make(client)
        anywhere = Client(client.account, "-")
        anywhere.headers = client.headers
        status, shown = anywhere.call("GET", f"/devices/{device}")
        assert (status, shown["name"]) == (200, f"projects/{client.project}/devices/{device}")
        assert anywhere.call("GET", "/devices/absent")[0] == 404
        assert listed(anywhere, "organization=organizations/default") == [device]
        assert listed(anywhere, f"projects=projects/{client.project}") == [device]
        assert anywhere.call("GET", "/devices", query="projects=projects/x")[0] == 404
        assert anywhere.call("GET", "/devices", query="organization=organizations/x")[0] == 404

    def test_a_foreign_device_is_not_found(self, client: Client) -> None:
        device = make(client)
        stranger = Client(new_administrator("Stranger").account, "-").log_in()
        assert stranger.call("GET", f"/devices/{device}")[0] == 404
        assert listed(stranger) == []
        nobody = Client(client.account, "-")
        assert nobody.call("GET", f"/devices/{device}")[0] == 401
        assert nobody.call("GET", "/devices")[0] == 401


class TestTheVendorsSdk:
    @pytest.fixture(autouse=True)
    def sdk(self, client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        routes = {
            "POST /v2/projects/{project}/devices/{device}": ingest.lambda_handler,
            "POST /v2/projects/{project}/events": ingest.lambda_handler,
        }
        with serving(routes, config_api.lambda_handler) as base:
            account = client.account
            auth = dt.Auth.service_account(account["keyId"], account["secret"], account["email"])
            auth.token_endpoint = f"{base}/oauth2/token"
            monkeypatch.setattr(dt, "default_auth", auth)
            monkeypatch.setattr(dt, "base_url", base)
            monkeypatch.setattr(dt, "emulator_base_url", base)
            yield

    def test_devices_and_labels(self, client: Client) -> None:
        project = client.project
        made = dt.Emulator.create_device(project, dt.Device.TEMPERATURE, "Fridge", {"room": "1"})
        assert (made.display_name, made.labels) == ("Fridge", {"room": "1", "name": "Fridge"})
        assert made.is_emulated
        assert dt.Device.get_device(made.device_id).project_id == project
        assert dt.Device.get_device(made.device_id, project).reported is None
        assert dt.Device.set_label(made.device_id, project, "room", "2") == []
        assert dt.Device.remove_label(made.device_id, project, "absent") == []
        errors = dt.Device.batch_update_labels(
            [made.device_id, "absent"], project, {"floor": "3"}, ["room"]
        )
        assert [(error.device_id, error.status_code) for error in errors] == [
            ("absent", "NOT_FOUND")
        ]
        with pytest.raises(dt.errors.BadRequest):
            dt.Device.batch_update_labels([made.device_id], project)
        assert dt.Device.get_device(made.device_id).labels == {"name": "Fridge", "floor": "3"}
        other = dt.Emulator.create_device(project, dt.Device.TOUCH)
        found = dt.Device.list_devices(
            project,
            query="fridge",
            device_ids=[made.device_id, other.device_id],
            device_types=[dt.Device.TEMPERATURE],
            label_filters={"floor": "3", "name": ""},
            order_by="-reported.temperature.updateTime",
        )
        assert [device.device_id for device in found] == [made.device_id]
        everywhere = dt.Device.list_devices("-", organization_id="default", project_ids=[project])
        assert {d.device_id for d in everywhere} == {made.device_id, other.device_id}
        stays = dt.Device.transfer_devices([other.device_id], project, project)
        assert [error.status_code for error in stays] == ["INVALID_ARGUMENT"]
        dt.Emulator.delete_device(other.device_id, project)
        with pytest.raises(dt.errors.NotFound):
            dt.Device.get_device(other.device_id, project)

    def test_every_type_of_event_is_published_reported_and_in_history(self, client: Client) -> None:
        events: list[Any] = [
            dt.events.Touch(),
            dt.events.Temperature(21.5),
            dt.events.ObjectPresent("PRESENT"),
            dt.events.Humidity(22, 51),
            dt.events.ObjectPresentCount(3),
            dt.events.TouchCount(4),
            dt.events.WaterPresent("NOT_PRESENT"),
            dt.events.NetworkStatus(
                80,
                cloud_connectors=[dt.events.NetworkStatusCloudConnector("c1", 80, -64)],
            ),
            dt.events.BatteryStatus(99),
            dt.events.ConnectionStatus("ETHERNET", ["ETHERNET"]),
            dt.events.EthernetStatus("f0:b5", "10.0.0.1"),
            dt.events.CellularStatus(50),
            dt.events.Co2(500),
            dt.events.Pressure(92000),
            dt.events.Motion("MOTION_DETECTED"),
            dt.events.DeskOccupancy("OCCUPIED", remarks=["INACTIVE"]),
            dt.events.Contact("OPEN"),
            dt.events.ProbeWireStatus("TWO_WIRE"),
        ]
        project = client.project
        device = dt.Emulator.create_device(project, dt.Device.TEMPERATURE).device_id
        for event in events:
            dt.Emulator.publish_event(device, project, event)
        reported: Any = dt.Device.get_device(device, project).reported
        assert reported.temperature.celsius == 21.5
        assert reported.humidity.samples[0].celsius == 22
        assert reported.network_status.cloud_connectors[0].device_id == "c1"
        history = dt.EventHistory.list_events(device, project)
        assert {event.event_type for event in history} == {event.event_type for event in events}
        assert all(event.data is not None for event in history)
        now = datetime.now(UTC)
        some = dt.EventHistory.list_events(
            device, project, ["touch", "co2"], now - timedelta(days=7), now + timedelta(minutes=1)
        )
        assert {event.event_type for event in some} == {"touch", "co2"}
        assert len(history) == len(events)
