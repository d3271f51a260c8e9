"""Which deliveries our own programs accept, with PyJWT, as a careful receiver would."""

import jwt
import pytest

from client.signature import Rejected, Verified, verify
from tests.support.signed import BODY, SECRET, sign


@pytest.mark.parametrize("name", ["X-Dt-Signature", "x-dt-signature", "X-DT-SIGNATURE"])
def test_a_signed_delivery_is_verified(name: str) -> None:
    outcome = verify({name: sign(BODY)["X-Dt-Signature"]}, BODY, SECRET)
    assert isinstance(outcome, Verified)
    assert outcome.event["eventId"] == "e1"
    assert outcome.labels == {"name": "Cold room"}


UNSIGNED_TOKEN = jwt.encode({"checksum": "x"}, "", algorithm="none")


@pytest.mark.parametrize(
    ("headers", "body", "reason"),
    [
        ({}, BODY, "no X-Dt-Signature header"),
        ({"X-Dt-Signature": "no.to.ken"}, BODY, "signature: "),
        ({"X-Dt-Signature": UNSIGNED_TOKEN}, BODY, "signature: "),
        (sign(BODY, secret="some other secret of thirty-two b"), BODY, "signature: "),
        (sign(BODY, exp=1), BODY, "signature: "),
        (sign(BODY), BODY + b" ", "the body is not the one that was signed"),
        (sign(BODY, checksum=None), BODY, "the body is not the one that was signed"),
        (sign(b"{}"), b"{}", "signed, but no event"),
        (sign(b"[]"), b"[]", "signed, but no event"),
        (sign(b"\xff"), b"\xff", "signed, but no event"),
    ],
)
def test_anything_else_is_rejected_with_the_reason(
    headers: dict[str, str], body: bytes, reason: str
) -> None:
    outcome = verify(headers, body, SECRET)
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith(reason)
