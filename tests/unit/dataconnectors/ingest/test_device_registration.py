"""How devices are registered by their events."""

from dataclasses import replace
from typing import Any

from dataconnectors.ingest.acceptance import AcceptResult
from tests.support.acceptor import CONNECTOR, DEVICE, AcceptorBench, Tables, envelope


def test_a_device_is_registered_by_its_first_event() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))

    def of(device: str, event_type: str, data: dict[str, Any]) -> dict[str, Any]:
        target = f"projects/p1/devices/{device}"
        return envelope(targetName=target, eventType=event_type, data={event_type: data})

    bench.accept(
        of("d1", "touch", {}),
        of("new", "touch", {}),
        of("new", "co2", {"ppm": 400}),
        of("quiet", "touch", {}),
    )
    made = [(device.id, device.type, device.labels) for device in bench.devices.registered]
    assert made == [("new", "co2", {}), ("quiet", "", {})]
    assert bench.devices.typed == []


def test_a_device_without_a_type_gets_it_from_the_event_that_shows_it() -> None:
    table = Tables(CONNECTOR)
    table.devices["d1"] = replace(DEVICE, type="")
    bench = AcceptorBench(table)
    bench.accept(envelope("e1", eventType="touch", data={"touch": {}}))
    assert bench.devices.typed == []
    bench.accept(envelope("e2"))
    assert bench.devices.typed == [DEVICE]
    assert [body["metadata"]["deviceType"] for body in bench.bodies()] == ["", "temperature"]
    assert bench.devices.registered == []


def test_labels_changed_registers_no_device() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    gone = envelope(targetName="projects/p1/devices/gone", eventType="labelsChanged", data=data)
    assert bench.acceptor.accept("p1", [gone], from_label_change=True) == AcceptResult(1)
    assert bench.devices.registered == []
    assert bench.bodies()[0]["event"]["data"] == data
