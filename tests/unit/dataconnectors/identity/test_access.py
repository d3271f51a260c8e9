"""How long roles are cached. A missing role is never cached."""

import pytest

from dataconnectors.aws.vault import CACHE_SECONDS
from dataconnectors.identity.roles import ADMIN, DEVELOPER, USER
from dataconnectors.kernel.errors import ForbiddenError, NotFoundError, UnauthorizedError
from tests.support.identity import ACCOUNT, Process


@pytest.mark.parametrize("taken_away", ["keys", "accounts", "members"])
def test_revoked_access_ends_when_the_cached_value_is_too_old(taken_away: str) -> None:
    process = Process()
    headers = process.headers()
    process.access.require(headers, "p1", "dataconnector.create")
    getattr(process.rows, taken_away).clear()
    process.clock.time = CACHE_SECONDS - 1
    process.access.require(headers, "p1", "dataconnector.create")
    process.clock.time = CACHE_SECONDS
    with pytest.raises((UnauthorizedError, NotFoundError)):
        process.access.require(headers, "p1", "dataconnector.create")


def test_a_new_role_works_at_once() -> None:
    process = Process()
    headers = process.headers()
    with pytest.raises(NotFoundError):
        process.access.require(headers, "p2", "project.read")
    process.rows.members[("projects/p2", ACCOUNT.email)] = (USER,)
    process.access.require(headers, "p2", "project.read")
    with pytest.raises(ForbiddenError, match=r"dataconnector\.update"):
        process.access.require(headers, "p2", "dataconnector.update")
    process.rows.members[("projects/p2", ACCOUNT.email)] = (DEVELOPER,)
    process.access.require(headers, "p2", "dataconnector.update")


def test_a_cached_caller_costs_no_read() -> None:
    process = Process()
    headers = process.headers()
    process.access.require(headers, "p1", "project.read")
    process.rows.reads.clear()
    process.access.require(headers, "p1", "project.read")
    assert process.rows.reads == []
    process.clock.time = CACHE_SECONDS
    process.access.require(headers, "p1", "project.read")
    assert process.rows.reads == ["caller", "roles in projects/p1"]


@pytest.mark.parametrize("project", ["", "p/1", "p 1", "ä", "p\x00", "x" * 1000])
def test_an_invalid_project_id_is_not_looked_up(project: str) -> None:
    process = Process()
    headers = process.headers()
    process.rows.reads.clear()
    with pytest.raises(NotFoundError):
        process.access.require(headers, project, "project.read")
    assert process.rows.reads == []


def test_a_role_that_permits_too_little_is_read_again_before_the_caller_is_refused() -> None:
    """A promotion therefore works at once, although a revocation may take half a minute."""
    process = Process()
    process.rows.members[("projects/p1", ACCOUNT.email)] = (USER,)
    headers = process.headers()
    process.access.require(headers, "p1", "project.read")
    process.rows.members[("projects/p1", ACCOUNT.email)] = (ADMIN,)
    process.access.require(headers, "p1", "dataconnector.create")
