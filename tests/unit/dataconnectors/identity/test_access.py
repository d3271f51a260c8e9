"""How long a caller is believed, and what is never remembered."""

import base64
from contextlib import nullcontext
from dataclasses import replace

import jwt
import pytest

from dataconnectors.aws.vault import CACHE_SECONDS
from dataconnectors.identity import tokens
from dataconnectors.identity.access import Access
from dataconnectors.identity.accounts import ROTATION_SECONDS, AccountKey, ServiceAccount, TokenKey
from dataconnectors.identity.roles import (
    ADMIN,
    DEVELOPER,
    ORGANIZATION_ADMIN,
    PUBLISHER,
    USER,
    permits,
)
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import ForbiddenError, NotFoundError, UnauthorizedError

NOW = 1_790_000_000.0
ACCOUNT = ServiceAccount("p1", "s1", "s1@p1.example", "", enable_basic_auth=True, create_time="")
KEY = AccountKey("k1", "p1", "s1", b"the-secret-of-k1-has-32-or-more-bytes", "")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Table:
    """Keys, accounts and roles that a test can take away."""

    def __init__(self) -> None:
        self.keys = {"k1": KEY}
        self.accounts = {"s1": ACCOUNT}
        self.members = {("projects/p1", ACCOUNT.email): (ADMIN,)}
        self.signing: list[TokenKey] = []
        self.reads: list[str] = []

    def caller(self, key_id: str) -> tuple[AccountKey, ServiceAccount] | None:
        self.reads.append("caller")
        key = self.keys.get(key_id)
        account = key and self.accounts.get(key.account)
        return (key, account) if key and account else None

    def roles(self, parent: str, account: ServiceAccount) -> tuple[str, ...]:
        self.reads.append(f"roles in {parent}")
        return self.members.get((parent, account.email), ())

    def token_keys(self) -> list[TokenKey]:
        return list(self.signing)

    def add_token_key(self, key: TokenKey) -> None:
        self.signing.append(key)


class OpenVault:
    """Seals nothing: what it is given is what it gives."""

    def open(self, ciphertext: bytes, name: str) -> bytes:
        return ciphertext

    def seal(self, plaintext: bytes, name: str) -> bytes:
        return plaintext


class Bench:
    """One process's Access over the table."""

    def __init__(self, table: Table | None = None) -> None:
        self.table = table or Table()
        self.clock = Clock()
        self.access = Access(
            self.table,
            OpenVault(),  # type: ignore[arg-type]  # no KMS here
            entropy=lambda count: bytes(range(count)),
            now=lambda: NOW + self.clock.time,
            clock=self.clock,
        )

    def headers(self) -> dict[str, str]:
        form = f"grant_type={tokens.GRANT_TYPE}&assertion=" + jwt.encode(
            {
                "iat": int(NOW + self.clock.time),
                "exp": int(NOW + self.clock.time) + 3600,
                "iss": ACCOUNT.email,
                "aud": "https://h/v2/oauth2/token",
            },
            KEY.secret,
            "HS256",
            headers={"kid": "k1"},
        )
        return {
            "authorization": f"Bearer {self.access.exchange(form.encode(), 'h')['access_token']}"
        }


@pytest.mark.parametrize(
    ("audience", "host", "is_ours"),
    [
        ("https://h/v2/oauth2/token", "h", True),
        ("https://h/v2/oauth2/token", "i", False),
        ("https://h/v2/oauth2/token", "", False),
        ("http://127.0.0.1:8000/v2/oauth2/token", "a1.execute-api.localhost:4566", True),
        ("http://localhost:8000/v2/oauth2/token", "127.0.0.1:4566", True),
        ("http://[::1]:8000/v2/oauth2/token", "localhost", True),
        ("http://127.0.0.1:8000/v2/oauth2/token", "h", False),
        ("https://h/v2/oauth2/token", "localhost:4566", False),
        ("https://mylocalhost/v2/oauth2/token", "localhost", False),
    ],
)
def test_an_assertion_is_for_the_host_that_was_called(
    audience: str, host: str, is_ours: bool
) -> None:
    claims = {"iat": NOW, "exp": NOW + 60, "iss": ACCOUNT.email, "aud": audience}
    assertion = jwt.encode(claims, KEY.secret, "HS256")
    with nullcontext() if is_ours else pytest.raises(UnauthorizedError, match="aud"):
        tokens.check_assertion(assertion, KEY.secret, ACCOUNT.email, NOW, host=host)


@pytest.mark.parametrize("taken_away", ["keys", "accounts", "members"])
def test_what_is_revoked_ends_within_the_time_that_it_is_remembered(taken_away: str) -> None:
    bench = Bench()
    headers = bench.headers()
    bench.access.require(headers, "p1", "dataconnector.create")
    getattr(bench.table, taken_away).clear()
    bench.clock.time = CACHE_SECONDS - 1
    bench.access.require(headers, "p1", "dataconnector.create")
    bench.clock.time = CACHE_SECONDS
    with pytest.raises((UnauthorizedError, NotFoundError)):
        bench.access.require(headers, "p1", "dataconnector.create")


def test_a_role_that_was_missing_works_as_soon_as_it_is_given() -> None:
    bench = Bench()
    headers = bench.headers()
    with pytest.raises(NotFoundError):
        bench.access.require(headers, "p2", "project.read")
    bench.table.members[("projects/p2", ACCOUNT.email)] = (USER,)
    bench.access.require(headers, "p2", "project.read")
    with pytest.raises(ForbiddenError, match=r"dataconnector\.update"):
        bench.access.require(headers, "p2", "dataconnector.update")
    bench.table.members[("projects/p2", ACCOUNT.email)] = (DEVELOPER,)
    bench.access.require(headers, "p2", "dataconnector.update")


def test_who_is_known_costs_no_read() -> None:
    bench = Bench()
    headers = bench.headers()
    bench.access.require(headers, "p1", "project.read")
    bench.table.reads.clear()
    bench.access.require(headers, "p1", "project.read")
    assert bench.table.reads == []
    bench.clock.time = CACHE_SECONDS
    bench.access.require(headers, "p1", "project.read")
    assert bench.table.reads == ["caller", "roles in projects/p1"]


@pytest.mark.parametrize("project", ["", "p/1", "p 1", "ä", "p\x00", "x" * 1000])
def test_what_can_be_no_projects_id_is_not_looked_up(project: str) -> None:
    bench = Bench()
    headers = bench.headers()
    bench.table.reads.clear()
    with pytest.raises(NotFoundError):
        bench.access.require(headers, project, "project.read")
    assert bench.table.reads == []


def test_a_lesser_role_is_read_once_more_before_it_is_refused() -> None:
    """So that a promotion works at once, though a revocation may take half a minute."""
    bench = Bench()
    bench.table.members[("projects/p1", ACCOUNT.email)] = (USER,)
    headers = bench.headers()
    bench.access.require(headers, "p1", "project.read")
    bench.table.members[("projects/p1", ACCOUNT.email)] = (ADMIN,)
    bench.access.require(headers, "p1", "dataconnector.create")


def test_a_token_signed_by_another_process_is_known_at_once() -> None:
    here = Bench()
    here.headers()
    there = Bench(here.table)
    made = times.to_text(NOW)
    here.table.signing.append(TokenKey("newer", b"another-signing-key-of-32-bytes!", made))
    here.access.require(there.headers(), "p1", "project.read")


def test_a_token_lives_two_minutes_longer_than_it_says() -> None:
    bench = Bench()
    headers = bench.headers()
    bench.clock.time = 3600 + 119
    bench.access.require(headers, "p1", "project.read")
    bench.clock.time = 3600 + 120
    with pytest.raises(UnauthorizedError, match="expired"):
        bench.access.require(headers, "p1", "project.read")


def test_basic_auth_has_to_be_enabled() -> None:
    bench = Bench()
    encoded = base64.b64encode(b"k1:" + KEY.secret).decode()
    headers = {"authorization": f"Basic {encoded}"}
    bench.access.require(headers, "p1", "project.read")
    off = Bench()
    off.table.accounts["s1"] = replace(ACCOUNT, enable_basic_auth=False)
    with pytest.raises(UnauthorizedError, match="does not allow Basic auth"):
        off.access.require(headers, "p1", "project.read")


def test_one_signing_key_is_made_and_kept() -> None:
    bench = Bench()
    bench.headers()
    bench.headers()
    assert len(bench.table.signing) == 1


def test_a_new_signing_key_logs_nobody_out() -> None:
    bench = Bench()
    bench.clock.time = 0
    bench.headers()
    bench.clock.time = ROTATION_SECONDS - 1
    last = bench.headers()
    assert len(bench.table.signing) == 1
    bench.clock.time = ROTATION_SECONDS
    first = bench.headers()
    assert len(bench.table.signing) == 2
    for process in (bench, Bench(bench.table)):
        for headers in (last, first):
            process.clock.time = ROTATION_SECONDS + tokens.LIFETIME
            process.access.require(headers, "p1", "project.read")


def test_what_an_old_key_signed_is_not_believed_for_ever() -> None:
    """Whoever got hold of it: after its last token has expired, it proves nothing."""
    bench = Bench()
    bench.headers()
    (old,) = bench.table.signing
    bench.clock.time = old.expires_at - NOW
    claims = {"iss": tokens.ISSUER, "sub": "k1", "iat": 0, "exp": int(old.expires_at) + 10**6}
    forged = jwt.encode(claims, old.sealed, "HS256", headers={"kid": old.id})
    with pytest.raises(UnauthorizedError, match="signed long ago"):
        bench.access.require({"authorization": f"Bearer {forged}"}, "p1", "project.read")
    bench.clock.time -= 1
    bench.access.require({"authorization": f"Bearer {forged}"}, "p1", "project.read")


def test_a_key_that_another_process_has_just_made_is_used() -> None:
    here = Bench()
    there = Bench(here.table)
    assert there.access.roles(there.access.caller(here.headers()), "projects/p1") == (ADMIN,)
    there.headers()
    assert len(here.table.signing) == 1


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("dataconnector.read", {USER, DEVELOPER, ADMIN}),
        ("dataconnector.update", {DEVELOPER, ADMIN}),
        ("event.publish", {DEVELOPER, ADMIN, PUBLISHER}),
        ("dataconnector.create", {ADMIN}),
        ("dataconnector.delete", {ADMIN}),
        ("membership.create", {ADMIN}),
        ("audit.read", {ADMIN}),
        ("project.create", set()),
        ("organization.read", set()),
        ("no.such", set()),
    ],
)
def test_each_role_permits_what_the_contract_says(permission: str, allowed: set[str]) -> None:
    project_roles = (USER, DEVELOPER, ADMIN, PUBLISHER)
    assert {role for role in project_roles if permits([role], permission)} == allowed
    assert permits([ORGANIZATION_ADMIN], permission) == (permission != "no.such")
    assert not permits(["roles/unknown"], permission)
