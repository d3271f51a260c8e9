"""Which connectors get an event, and what the message for each of them says."""

import json
from dataclasses import replace

import pytest

from dataconnectors.ingest.acceptance import AcceptResult
from dataconnectors.kernel import times
from tests.support.acceptor import CONNECTOR, NOW, AcceptorBench, Tables, envelope


def test_the_message_carries_the_final_body_and_the_epoch() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    assert bench.accept(envelope()) == AcceptResult(1)
    (text,) = bench.sqs.messages["https://sqs/q1"]
    message = json.loads(text)
    stamp = times.to_text(NOW)
    assert {name: message[name] for name in message if name != "body"} == {
        "v": 1,
        "connector": "projects/p1/dataconnectors/c1",
        "epoch": 3,
        "eventId": "e1",
        "acceptedAt": 1_790_000_000_000,
    }
    assert message["body"] == (
        '{"event":{"eventId":"e1","targetName":"projects/p1/devices/d1","eventType":"temperature",'
        f'"data":{{"temperature":{{"value":24,"updateTime":"{stamp}",'
        f'"samples":[{{"value":24,"sampleTime":"{stamp}"}}],"isBackfilled":false}}}},'
        f'"timestamp":"{stamp}"}},"labels":{{"name":"Fridge"}},'
        '"metadata":{"deviceId":"d1","projectId":"p1","deviceType":"temperature",'
        '"productNumber":"100"}}'
    )


@pytest.mark.parametrize(
    ("event_types", "wanted"), [((), True), (("temperature",), True), (("touch",), False)]
)
def test_only_connectors_that_want_the_events_type_get_it(
    event_types: tuple[str, ...], wanted: bool
) -> None:
    bench = AcceptorBench(Tables(replace(CONNECTOR, event_types=event_types)))
    assert bench.accept(envelope()) == AcceptResult(1)
    assert len(bench.bodies()) == wanted


@pytest.mark.parametrize(
    ("chosen", "delivered"),
    [
        ((), {}),
        (("name",), {"name": "Fridge"}),
        (("room", "missing"), {"room": "ä"}),
    ],
)
def test_the_labels_that_a_connector_includes_are_delivered_if_the_device_has_them(
    chosen: tuple[str, ...], delivered: dict[str, str]
) -> None:
    bench = AcceptorBench(Tables(replace(CONNECTOR, labels=chosen)))
    bench.accept(envelope())
    assert bench.bodies()[0]["labels"] == delivered


def test_an_event_of_an_unknown_device_is_delivered_without_labels() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    assert bench.accept(envelope(targetName="projects/p1/devices/new")).accepted == 1
    body = bench.bodies()[0]
    assert body["labels"] == {}
    assert body["metadata"] == {
        "deviceId": "new",
        "projectId": "p1",
        "deviceType": "temperature",
        "productNumber": "",
    }
