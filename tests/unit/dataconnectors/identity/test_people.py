"""Which id tokens, verified by API Gateway, let a person in."""

from typing import Any

import pytest

from dataconnectors.identity.members import member_id
from dataconnectors.identity.people import LONGEST_NONCE, Person, signed_in
from dataconnectors.kernel.errors import BadRequestError, ForbiddenError, UnauthorizedError

GOOD = {"nonce": "n1", "email": "Ann@Example.com", "email_verified": "true", "sub": "00u1"}
"""Claims as API Gateway hands them over: every value is a text."""


@pytest.mark.parametrize("verified", ["true", True])
def test_a_verified_email_is_a_person_in_the_form_that_members_have(verified: Any) -> None:
    person = signed_in(GOOD | {"email_verified": verified}, "n1")
    assert person == Person("ann@example.com")
    assert person.id == member_id("ann@example.com")


@pytest.mark.parametrize(
    ("claims", "nonce", "error", "text"),
    [
        (GOOD, None, BadRequestError, "nonce: expected"),
        (GOOD, "", BadRequestError, "nonce: expected"),
        (GOOD, ["n1"], BadRequestError, "nonce: expected"),
        (GOOD | {"nonce": "n" * 257}, "n" * (LONGEST_NONCE + 1), BadRequestError, "nonce: exp"),
        (GOOD, "n2", UnauthorizedError, "belongs to another sign-in"),
        (GOOD | {"nonce": ""}, "n1", UnauthorizedError, "belongs to another sign-in"),
        ({**GOOD, "nonce": None}, "n1", UnauthorizedError, "belongs to another sign-in"),
        (GOOD | {"email_verified": "false"}, "n1", ForbiddenError, "not verified ann@example.com"),
        (GOOD | {"email_verified": False}, "n1", ForbiddenError, "not verified ann@example.com"),
        (GOOD | {"email_verified": "True"}, "n1", ForbiddenError, "not verified ann@example.com"),
        (GOOD | {"email_verified": 1.5}, "n1", ForbiddenError, "not verified ann@example.com"),
        ({**GOOD, "email_verified": None}, "n1", ForbiddenError, "not verified"),
        ({**GOOD, "email": None}, "n1", ForbiddenError, "no email in ASCII"),
        (GOOD | {"email": "ann"}, "n1", ForbiddenError, "no email in ASCII"),
        (GOOD | {"email": "änn@example.com"}, "n1", ForbiddenError, "no email in ASCII"),
        (
            GOOD | {"email": "c0@p1.serviceaccount.d21s.com"},
            "n1",
            ForbiddenError,
            "is a service account's",
        ),
    ],
)
def test_a_token_that_proves_no_email_lets_nobody_in(
    claims: dict[str, Any], nonce: Any, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        signed_in(claims, nonce)
