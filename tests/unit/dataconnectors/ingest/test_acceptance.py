"""Which events of a call are accepted, and which messages are sent for them."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Status
from dataconnectors.ingest.acceptance import AcceptResult
from dataconnectors.kernel.errors import (
    BadRequestError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from tests.support.acceptor import CONNECTOR, AcceptorBench, Tables, envelope
from tests.support.sqs_sends import SqsSends, refuse


def test_invalid_events_are_refused_by_index_and_the_others_accepted() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    result = bench.accept(envelope("e0", eventType="x"), envelope("e1"), 3, envelope("e3"))
    assert result.accepted == 2
    assert [error["index"] for error in result.errors()] == [0, 2]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e1", "e3"]


def test_an_event_too_large_as_a_message_is_refused_by_index() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    wide = {"temperature": {"value": 1, "note": "é" * 12_000}}  # 24 kB as UTF-8, 84 kB escaped
    result = bench.accept(envelope("e0", data=wide), envelope("e1"))
    assert result.accepted == 1
    assert "at most 65536" in result.refused[0]


@pytest.mark.parametrize("code", ["RequestThrottled", "InternalError"])
def test_an_event_is_accepted_only_when_every_queue_has_confirmed_it(code: str) -> None:
    other = replace(CONNECTOR, id="c2", queue_url="https://sqs/q2", event_types=("touch",))

    def only_q1(url: str, entries: list[dict[str, str]]) -> list[str]:
        return refuse(code)(url, entries) if "q2" in url else [entry["Id"] for entry in entries]

    bench = AcceptorBench(Tables(CONNECTOR, other), SqsSends(only_q1, only_q1))
    touch = envelope("e1", eventType="touch", data={"touch": {}})
    result = bench.accept(envelope("e0"), touch, {"bad": 1})
    assert result.accepted == 1
    assert set(result.refused) == {2}
    assert set(result.unconfirmed) == {1}
    assert "projects/p1/dataconnectors/c2" in result.unconfirmed[1]


def test_events_are_accepted_when_a_deleted_connectors_queue_is_gone() -> None:
    table = Tables(CONNECTOR)
    bench = AcceptorBench(table, SqsSends(refuse("QueueDoesNotExist"), refuse("QueueDoesNotExist")))
    assert bench.accept(envelope()).unconfirmed.keys() == {0}
    table.rows = []  # the connector was deleted after it was read
    assert bench.accept(envelope()) == AcceptResult(1)


@pytest.mark.parametrize(
    ("envelopes", "error"),
    [
        (None, BadRequestError),
        ({}, BadRequestError),
        ([], BadRequestError),
        ([{}] * 101, BadRequestError),
    ],
)
def test_a_body_without_a_list_of_events_is_refused(envelopes: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="events: "):
        AcceptorBench(Tables(CONNECTOR)).acceptor.accept("p1", envelopes)


def test_events_for_a_project_that_does_not_exist_are_not_found() -> None:
    with pytest.raises(NotFoundError, match="projects/p2"):
        AcceptorBench(Tables(CONNECTOR)).acceptor.accept("p2", [envelope()])


def test_a_call_that_would_make_too_many_messages_is_refused_before_any_is_sent() -> None:
    rows = [replace(CONNECTOR, id=f"c{n}", queue_url=f"https://sqs/{n}") for n in range(21)]
    bench = AcceptorBench(Tables(*rows))
    with pytest.raises(TooLargeError, match=r"2100 messages, at most 2000: split"):
        bench.accept(*[envelope(f"e{n}") for n in range(100)])
    assert bench.sqs.messages == {}
    assert bench.accept(*[envelope(f"e{n}") for n in range(95)]).accepted == 95


def test_an_emulated_device_publishes_one_event() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    bench.acceptor.accept_emulated("p1", "d1", {"touch": {}}, "e9")
    assert bench.bodies()[0]["event"]["eventId"] == "e9"


@pytest.mark.parametrize(
    ("device", "payload", "error"),
    [
        ("d2", {"touch": {}}, NotFoundError),
        ("a/b", {"touch": {}}, NotFoundError),
        ("d1", {"bogus": {}}, BadRequestError),
        ("d1", {"temperature": {"value": 1, "note": "é" * 12_000}}, BadRequestError),
    ],
)
def test_a_publish_call_that_cannot_be_accepted_says_why(
    device: str, payload: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        AcceptorBench(Tables(CONNECTOR)).acceptor.accept_emulated("p1", device, payload, "e1")


def test_a_publish_call_that_is_not_confirmed_raises() -> None:
    bench = AcceptorBench(Tables(CONNECTOR), SqsSends(refuse("InternalError")))
    with pytest.raises(UnavailableError, match="dataconnectors/c1"):
        bench.acceptor.accept_emulated("p1", "d1", {"touch": {}}, "e1")


def test_an_event_that_history_does_not_save_is_not_sent_to_any_queue() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    bench.history.fails = {"e1"}
    result = bench.accept(envelope("e0"), envelope("e1"), {"bad": 1}, envelope("e3"))
    assert result.accepted == 2
    assert result.unconfirmed == {1: "no history"}
    assert bench.history.written == ["e0", "e1", "e3"]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e0", "e3"]


def test_history_is_written_even_if_no_connector_is_active() -> None:
    bench = AcceptorBench(Tables(replace(CONNECTOR, status=Status.USER_DISABLED)))
    assert bench.accept(envelope()) == AcceptResult(1)
    assert bench.history.written == ["e1"]


def test_refused_events_are_not_written_to_history() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    wide = {"temperature": {"value": 1, "note": "é" * 12_000}}
    bench.accept(envelope("e0", data=wide), envelope("e1", eventType="x"))
    assert bench.history.written == []


def test_a_publisher_cannot_send_labels_changed() -> None:
    bench = AcceptorBench(Tables(CONNECTOR))
    data = {"added": {"a": "1"}, "modified": {}, "removed": []}
    result = bench.accept(envelope("e1"), envelope("e2", eventType="labelsChanged", data=data))
    assert result.accepted == 1
    assert list(result.refused) == [1]
    assert "not published" in result.refused[1]
    assert [body["event"]["eventId"] for body in bench.bodies()] == ["e1"]
