"""Which credentials are accepted, and for how long."""

import base64
from dataclasses import replace

import pytest

from dataconnectors.aws.vault import CACHE_SECONDS
from dataconnectors.identity.people import Person
from dataconnectors.identity.roles import USER
from dataconnectors.kernel.errors import ForbiddenError, UnauthorizedError
from tests.support.identity import ACCOUNT, KEY, Process


def test_a_token_is_accepted_two_minutes_longer_than_it_says() -> None:
    process = Process()
    headers = process.headers()
    process.clock.time = 3600 + 119
    process.access.require(headers, "p1", "project.read")
    process.clock.time = 3600 + 120
    with pytest.raises(UnauthorizedError, match="expired"):
        process.access.require(headers, "p1", "project.read")


def test_basic_auth_has_to_be_enabled() -> None:
    process = Process()
    encoded = base64.b64encode(b"k1:" + KEY.secret).decode()
    headers = {"authorization": f"Basic {encoded}"}
    process.access.require(headers, "p1", "project.read")
    off = Process()
    off.rows.accounts["s1"] = replace(ACCOUNT, enable_basic_auth=False)
    with pytest.raises(UnauthorizedError, match="does not allow Basic auth"):
        off.access.require(headers, "p1", "project.read")


ANN = Person("ann@example.com")


def test_a_person_calls_with_their_own_roles_and_without_a_key() -> None:
    process = Process()
    process.rows.people.add(ANN.id)
    process.rows.members["projects/p1", ANN.email] = (USER,)
    headers = process.headers_of_person(ANN.email)
    caller = process.access.require(headers, "p1", "project.read")
    actor = process.access.actor(caller, "192.0.2.1")
    assert (actor.email, actor.key_id) == ("ann@example.com", "")
    assert caller.counted_as == ANN.id
    with pytest.raises(ForbiddenError, match="needs a role with"):
        process.access.require(headers, "p1", "dataconnector.update")


def test_a_person_whose_last_membership_has_ended_is_nobody_within_the_caches_time() -> None:
    process = Process()
    process.rows.people.add(ANN.id)
    headers = process.headers_of_person(ANN.email)
    process.access.caller(headers)
    process.rows.people.remove(ANN.id)
    process.clock.time = CACHE_SECONDS - 0.1
    process.access.caller(headers)
    process.clock.time = CACHE_SECONDS
    with pytest.raises(UnauthorizedError, match="no member of anything"):
        process.access.caller(headers)
    process.rows.people.add(ANN.id)
    assert process.access.caller(headers).account == ANN
