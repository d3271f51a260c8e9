"""When a signing key is made, and how long it signs and verifies tokens."""

import jwt
import pytest

from dataconnectors.identity import tokens
from dataconnectors.identity.roles import ADMIN
from dataconnectors.identity.signing_keys import ROTATION_SECONDS, SigningKey
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import UnauthorizedError
from tests.support.identity import NOW, Process


def test_one_signing_key_is_made_and_used_again() -> None:
    process = Process()
    process.headers()
    process.headers()
    assert len(process.rows.keys_that_sign) == 1


def test_a_token_that_another_process_signed_is_accepted_at_once() -> None:
    here = Process()
    here.headers()
    there = Process(here.rows)
    made = times.to_text(NOW)
    here.rows.keys_that_sign.append(SigningKey("newer", b"another-signing-key-of-32-bytes!", made))
    here.access.require(there.headers(), "p1", "project.read")


def test_a_key_that_another_process_has_just_made_is_used() -> None:
    here = Process()
    there = Process(here.rows)
    assert there.access.roles(there.access.caller(here.headers()), "projects/p1") == (ADMIN,)
    there.headers()
    assert len(here.rows.keys_that_sign) == 1


def test_tokens_stay_valid_when_a_new_signing_key_is_made() -> None:
    process = Process()
    process.clock.time = 0
    process.headers()
    process.clock.time = ROTATION_SECONDS - 1
    last = process.headers()
    assert len(process.rows.keys_that_sign) == 1
    process.clock.time = ROTATION_SECONDS
    first = process.headers()
    assert len(process.rows.keys_that_sign) == 2
    for each in (process, Process(process.rows)):
        for headers in (last, first):
            each.clock.time = ROTATION_SECONDS + tokens.LIFETIME
            each.access.require(headers, "p1", "project.read")


def test_a_key_verifies_nothing_after_its_last_token_has_expired() -> None:
    """A stolen key is therefore useless after some time."""
    process = Process()
    process.headers()
    (old,) = process.rows.keys_that_sign
    process.clock.time = old.expires_at - NOW
    claims = {"iss": tokens.ISSUER, "sub": "k1", "iat": 0, "exp": int(old.expires_at) + 10**6}
    forged = jwt.encode(claims, old.sealed, "HS256", headers={"kid": old.id})
    with pytest.raises(UnauthorizedError, match="signed long ago"):
        process.access.require({"authorization": f"Bearer {forged}"}, "p1", "project.read")
    process.clock.time -= 1
    process.access.require({"authorization": f"Bearer {forged}"}, "p1", "project.read")
