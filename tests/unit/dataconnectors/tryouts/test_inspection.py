"""Which deliveries a try-out accepts, and what it keeps of each."""

import json
from typing import Any

import pytest

from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.signing import sign
from dataconnectors.tryouts.inspection import (
    KEPT_BODY,
    Verdict,
    answer_of,
    inspect,
    kept,
    senders,
)
from dataconnectors.tryouts.try_out import TryOut, TryOutAnswer
from tests.support.identity import OpenVault
from tests.support.rows import a_connector

NOW = 1_790_000_000.0
SECRET, PREVIOUS = "a secret of some thirty characters", "the secret that was there before it"
TRY_OUT = TryOut("p", "0" * 32, TryOutAnswer.OK, NOW - 10, NOW + 10)
URL = f"https://api.example.com{TRY_OUT.path}"


def connector(connector_id: str = "c", **secrets: Any) -> Connector:
    """A connector with these secrets, which the open vault does not encrypt."""
    sealed = Secrets(**secrets).to_bytes() if secrets else None
    return a_connector(id=connector_id, url=URL, sealed=sealed)


def body_of(target: str = "projects/p/devices/d", **data: Any) -> bytes:
    event = {
        "eventId": "e1",
        "targetName": target,
        "eventType": "touch",
        "data": {"touch": data},
        "timestamp": "2026-09-21T14:13:20Z",
    }
    return json.dumps({"event": event, "labels": {}, "metadata": {}}).encode()


BODY = body_of()


def judge(headers: dict[str, str], *connectors: Connector, body: bytes = BODY) -> Verdict:
    vault: Any = OpenVault()
    return inspect(connectors, vault, headers, body, NOW)


def signed(secret: str, body: bytes = BODY, now: float = NOW) -> dict[str, str]:
    return {"x-dt-signature": sign(body, secret, now, bytes(8))}


def test_a_delivery_with_the_connectors_signature_is_accepted() -> None:
    verdict = judge(signed(SECRET), connector(signature_secret=SECRET))
    assert (verdict.connector, verdict.signature_valid, verdict.problem) == (
        "projects/p/dataconnectors/c",
        True,
        "",
    )
    assert verdict.event is not None
    assert verdict.event.event_id == "e1"


@pytest.mark.parametrize(("until", "valid"), [(NOW + 1, True), (NOW - 1, False)])
def test_the_previous_secret_counts_for_as_long_as_it_signs(until: float, valid: bool) -> None:
    row = connector(signature_secret=SECRET, previous_secret=PREVIOUS, previous_until=until)
    assert judge(signed(PREVIOUS), row).signature_valid is valid
    assert judge(signed(SECRET), row).signature_valid is True


def test_of_two_connectors_with_one_address_the_one_that_signed_is_named() -> None:
    rows = connector("a", signature_secret=SECRET), connector("b", signature_secret=PREVIOUS)
    assert judge(signed(PREVIOUS), *rows).connector.endswith("/b")
    assert judge(signed(SECRET), *rows).connector.endswith("/a")


REFUSED: dict[str, tuple[dict[str, str], bytes, bool | None, int, str]] = {
    "another secret": (signed(PREVIOUS), BODY, False, 401, "not made with this secret"),
    "no signature": ({}, BODY, False, 401, "0 headers x-dt-signature"),
    "another body": (signed(SECRET), BODY + b" ", False, 401, "not the one that was signed"),
    "an old one": (signed(SECRET, now=NOW - 3000), BODY, False, 401, "has expired"),
    "no event": (signed(SECRET, b"{}"), b"{}", True, 400, "event is missing"),
    "no JSON": (signed(SECRET, b"\xff"), b"\xff", True, 400, "not JSON"),
    "another project's": (
        signed(SECRET, body_of("projects/q/devices/d")),
        body_of("projects/q/devices/d"),
        True,
        400,
        "another project",
    ),
}


@pytest.mark.parametrize(
    ("headers", "body", "valid", "status", "problem"), REFUSED.values(), ids=REFUSED
)
def test_what_a_receiver_would_refuse_leaves_neither_headers_nor_body(
    headers: dict[str, str], body: bytes, valid: bool | None, status: int, problem: str
) -> None:
    verdict = judge(headers, connector(signature_secret=SECRET), body=body)
    assert (verdict.signature_valid, verdict.status) == (valid, status)
    assert problem in verdict.problem
    answered = answer_of(verdict, TryOutAnswer.SLOW, 10)
    assert answered == (status, 0)
    delivery = kept(verdict, headers, body, answered, NOW)
    assert (delivery.headers, delivery.body, delivery.event_id) == ({}, "", "")
    assert (delivery.status, delivery.problem) == (status, verdict.problem)
    assert delivery.size == len(body)


def test_a_connector_without_a_secret_may_deliver_events_of_its_project_only() -> None:
    assert judge({}, connector()).signature_valid is None
    assert judge({}, connector()).problem == ""
    assert judge({}, connector(), body=b'{"a": "file"}').status == 400
    assert judge({}, connector(), body=body_of("projects/q/devices/d")).status == 400


def test_headers_are_kept_as_the_sender_sent_them_and_long_bodies_are_cut() -> None:
    own = {"content-type": "application/json", "x-mine": "<b>&"} | signed(SECRET)
    added = {"x-forwarded-for": "192.0.2.1", "x-amzn-trace-id": "1", "via": "1.1 x"}
    body = body_of(text="é" * KEPT_BODY)
    headers = own | signed(SECRET, body)
    verdict = judge(headers | added, connector(signature_secret=SECRET), body=body)
    delivery = kept(verdict, headers | added, body, (200, 0.0), NOW)
    assert delivery.headers == headers
    assert delivery.is_truncated
    assert body.decode().startswith(delivery.body)
    assert KEPT_BODY - 1 <= len(delivery.body.encode()) <= KEPT_BODY
    assert delivery.size == len(body)
    short = kept(judge(own, connector(signature_secret=SECRET)), own, BODY, (200, 0.0), NOW)
    assert (short.body, short.is_truncated) == (BODY.decode(), False)


@pytest.mark.parametrize(
    ("answer", "timeout", "expected"),
    [
        (TryOutAnswer.OK, 10, (200, 0)),
        (TryOutAnswer.ERROR, 10, (500, 0)),
        (TryOutAnswer.SLOW, 10, (200, 11)),
        (TryOutAnswer.SLOW, 300, (200, 20)),
    ],
)
def test_it_answers_as_it_was_asked_to(
    answer: TryOutAnswer, timeout: float, expected: tuple[int, float]
) -> None:
    verdict = judge(signed(SECRET), connector(signature_secret=SECRET))
    assert answer_of(verdict, answer, timeout) == expected


@pytest.mark.parametrize(
    ("url", "delivers"),
    [
        (URL, True),
        (URL.replace("api.example.com", "other.example.com:8443"), True),
        (URL + "/", False),
        (URL + "?a", False),
        (URL + "0", False),
        ("https://api.example.com", False),
    ],
)
def test_a_connector_delivers_to_the_address_that_is_its_url(url: str, delivers: bool) -> None:
    row = a_connector(url=url)
    assert senders(TRY_OUT, [row], NOW) == ([row] if delivers else [])


def test_an_address_whose_time_is_over_has_no_senders() -> None:
    assert senders(TRY_OUT, [connector()], TRY_OUT.expires_at) == []
