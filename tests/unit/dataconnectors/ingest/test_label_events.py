"""Which label changes are published, and from which one Lambda repeats the batch."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from dataconnectors.ingest.acceptance import AcceptResult
from dataconnectors.ingest.label_events import EVENTS_PER_CALL, LabelEventPublisher
from dataconnectors.kernel.errors import NotFoundError, UnavailableError

BUSY = ClientError({"Error": {"Code": "InternalServerError", "Message": ""}}, "BatchGetItem")
UNREACHABLE = EndpointConnectionError(endpoint_url="https://dynamodb")


class EventAcceptor:
    """A fake that accepts all events, except those with an answer: unconfirmed, refused, an
    error."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, list[str]]] = []

    def accept(
        self, project: str, envelopes: list[dict[str, Any]], *, from_label_change: bool
    ) -> AcceptResult:
        assert from_label_change
        names = [envelope["data"]["added"]["n"] for envelope in envelopes]
        self.calls.append((project, names))
        found = {
            index: self.answers[name] for index, name in enumerate(names) if name in self.answers
        }
        for answer in found.values():
            if isinstance(answer, Exception):
                raise answer
        refused = {index: "no" for index, answer in found.items() if answer == "refused"}
        unconfirmed = {index: "no" for index, answer in found.items() if answer == "unconfirmed"}
        return AcceptResult(len(names) - len(found), refused, unconfirmed)


def record(number: int, project: str = "p1") -> dict[str, Any]:
    def image(labels: dict[str, str]) -> dict[str, Any]:
        return {
            "pk": {"S": f"DEVICES#{project}#1"},
            "sk": {"S": "DEVICE#d1"},
            "type": {"S": "touch"},
            "labels": {"M": {key: {"S": value} for key, value in labels.items()}},
            "labelsTime": {"S": "2026-09-21T14:13:20Z"},
            "productNumber": {"S": ""},
            "createTime": {"S": ""},
        }

    new = image({"n": f"n{number}"})
    change = {"OldImage": image({}), "NewImage": new, "SequenceNumber": f"s{number}"}
    return {"eventID": f"r{number}", "dynamodb": change}


def publish(acceptor: EventAcceptor, *records: dict[str, Any]) -> str | None:
    return LabelEventPublisher(acceptor, lambda project, result: None).publish(records)  # type: ignore[arg-type]  # the call it makes


@pytest.mark.parametrize(
    ("answers", "again"),
    [
        ({}, None),
        ({"n2": "refused"}, None),
        ({"n2": "unconfirmed"}, "s2"),
        ({"n1": "unconfirmed", "n3": "unconfirmed"}, "s1"),
        ({"n0": "refused", "n3": "unconfirmed"}, "s3"),
        ({"n1": NotFoundError("gone")}, None),
        ({"n1": UnavailableError("busy")}, "s0"),
        ({"n1": BUSY}, "s0"),
        ({"n1": UNREACHABLE}, "s0"),
    ],
)
def test_lambda_continues_with_the_oldest_record_that_may_still_be_accepted(
    answers: dict[str, Any], again: str | None
) -> None:
    assert publish(EventAcceptor(**answers), *(record(number) for number in range(4))) == again


def test_a_failure_of_one_project_does_not_stop_the_others() -> None:
    acceptor = EventAcceptor(n1=BUSY)
    records = [record(number, "p2" if number % 2 else "p1") for number in range(6)]
    assert publish(acceptor, *records) == "s1"
    assert acceptor.calls == [("p1", ["n0", "n2", "n4"]), ("p2", ["n1", "n3", "n5"])]


def test_events_are_split_into_calls_that_stay_within_the_limit_of_messages() -> None:
    acceptor = EventAcceptor(n45="unconfirmed")
    assert publish(acceptor, *(record(number) for number in range(50))) == "s45"
    assert [len(names) for _, names in acceptor.calls] == [EVENTS_PER_CALL, EVENTS_PER_CALL, 10]
