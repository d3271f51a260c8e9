"""The OpenID provider of the local stack gives an id token to whoever proves to have asked."""

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

import jwt
import pytest
import urllib3

from local.openid import CODE_LIFE_S, CODES_KEPT, FAULTS, Provider, challenge_of

BACK = "http://127.0.0.1:8000/console/"
VERIFIER = "v" * 43
ASKED = {
    "client_id": "console",
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid email",
    "state": "s1",
    "nonce": "n1",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}
ANN = {"email": "ann@example.com"}
HTTP = urllib3.PoolManager(retries=False, timeout=5)


class Clock:
    time = 1_790_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def provider(clock: Clock) -> Iterator[Provider]:
    provider = Provider("127.0.0.1", 0, "console", [BACK], email="you@example.com", now=clock)
    provider.start()
    yield provider
    provider.stop()


def authorize(provider: Provider, **changes: str) -> Any:
    """The status and the parameters that the browser is sent back with."""
    body = urlencode(ASKED | ANN | changes)
    answer = HTTP.request("POST", f"{provider.issuer}/authorize", body=body, redirect=False)
    location = answer.headers.get("Location", "")
    assert not location or location.startswith(f"{BACK}?")
    return answer.status, {
        name: value[0] for name, value in parse_qs(location[len(BACK) + 1 :]).items()
    }


def token(provider: Provider, code: str, **changes: str) -> Any:
    fields = {
        "grant_type": "authorization_code",
        "client_id": "console",
        "redirect_uri": BACK,
        "code": code,
        "code_verifier": VERIFIER,
    } | changes
    answer = HTTP.request(
        "POST",
        f"{provider.issuer}/token",
        body=urlencode(fields),
        headers={"Origin": "http://127.0.0.1:8000"},
    )
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1:8000"
    return answer.status, answer.json()


def test_a_code_is_exchanged_for_a_token_that_its_published_key_verifies(
    provider: Provider, clock: Clock
) -> None:
    found = HTTP.request("GET", f"{provider.issuer}/.well-known/openid-configuration").json()
    assert found["issuer"] == provider.issuer
    assert found["authorization_endpoint"] == f"{provider.issuer}/authorize"
    status, back = authorize(provider)
    assert (status, back["state"]) == (303, "s1")
    status, answer = token(provider, back["code"])
    assert (status, answer["token_type"]) == (200, "Bearer")
    (jwk,) = HTTP.request("GET", found["jwks_uri"]).json()["keys"]
    assert jwt.get_unverified_header(answer["id_token"])["kid"] == jwk["kid"]
    claims = jwt.decode(
        answer["id_token"],
        jwt.PyJWK(jwk),
        algorithms=["RS256"],
        audience="console",
        issuer=provider.issuer,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["email"], claims["email_verified"], claims["nonce"]) == (
        "ann@example.com",
        True,
        "n1",
    )
    assert claims["iat"] == int(clock.time) < claims["exp"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:8000/"}, "invalid_grant"),
        ({"client_id": "another"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "unknown"}, "invalid_grant"),
    ],
)
def test_a_code_is_refused_to_whoever_did_not_ask_for_it(
    provider: Provider, changes: dict[str, str], error: str
) -> None:
    code = authorize(provider)[1]["code"]
    status, answer = token(provider, **{"code": code} | changes)
    assert (status, answer["error"]) == (400, error)


def test_a_code_is_good_for_one_exchange_within_a_minute(provider: Provider, clock: Clock) -> None:
    code = authorize(provider)[1]["code"]
    assert token(provider, code)[0] == 200
    assert token(provider, code)[0] == 400
    code = authorize(provider)[1]["code"]
    clock.time += CODE_LIFE_S
    assert token(provider, code)[0] == 400
    oldest = authorize(provider)[1]["code"]
    for _ in range(CODES_KEPT):
        newest = authorize(provider)[1]["code"]
    assert token(provider, oldest)[0] == 400
    assert token(provider, newest)[0] == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
def test_what_it_does_not_do_is_said_to_the_client(
    provider: Provider, changes: dict[str, str], error: str
) -> None:
    status, back = authorize(provider, **changes)
    assert (status, back["error"], back["state"]) == (303, error, "s1")


@pytest.mark.parametrize(
    "changes", [{"client_id": "x"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": ""}]
)
def test_nobody_is_sent_to_another_client(provider: Provider, changes: dict[str, str]) -> None:
    for method, path, body in (
        ("GET", f"/authorize?{urlencode(ASKED | changes)}", None),
        ("POST", "/authorize", urlencode(ASKED | ANN | changes)),
    ):
        answer = HTTP.request(method, provider.issuer + path, body=body, redirect=False)
        assert (answer.status, "Location" in answer.headers) == (400, False)


def test_the_sign_in_page_hands_on_what_the_client_asked_as_text(provider: Provider) -> None:
    asked = ASKED | {"state": '"><script>alert(1)</script>', "login_hint": "a&b@example.com"}
    answer = HTTP.request("GET", f"{provider.issuer}/authorize?{urlencode(asked)}")
    page = answer.data.decode()
    assert answer.status == 200
    assert "<script>" not in page
    assert 'value="a&amp;b@example.com"' in page
    assert set(re.findall(r'<option value="([a-z-]*)">', page)) == set(FAULTS)
    assert set(asked) < set(re.findall(r'name="(\w+)"', page))


def test_other_origins_may_not_read_its_answers(provider: Provider) -> None:
    for origin, shared in (("http://127.0.0.1:8000", True), ("https://evil.example", False)):
        for method, path in (("GET", "/jwks"), ("OPTIONS", "/token")):
            answer = HTTP.request(method, provider.issuer + path, headers={"Origin": origin})
            assert ("Access-Control-Allow-Origin" in answer.headers) is shared


@pytest.mark.parametrize(
    ("fault", "is_as_it_should_be"),
    [
        ("unverified", lambda claims, _: claims["email_verified"] is False),
        ("no-email", lambda claims, _: "email" not in claims),
        ("nonce", lambda claims, _: claims["nonce"] != "n1"),
        ("expired", lambda claims, now: claims["exp"] < now),
        ("early", lambda claims, now: claims.get("nbf", now) > now),
        ("audience", lambda claims, _: claims["aud"] != "console"),
        ("issuer", lambda claims, _: not claims["iss"].startswith("http://127.0.0.1")),
    ],
)
def test_a_fault_is_in_the_token(
    provider: Provider, clock: Clock, fault: str, is_as_it_should_be: Any
) -> None:
    def claims(text: str) -> Any:
        return jwt.decode(text, options={"verify_signature": False})

    good = claims(provider.id_token("ann@example.com", "n1"))
    bad = claims(provider.id_token("ann@example.com", "n1", fault))
    assert is_as_it_should_be(bad, clock.time)
    assert not is_as_it_should_be(good, clock.time)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nothing", None, 404),
        ("POST", "/token", b"\xff", 400),
        ("POST", "/token", b"&".join([b"a=b"] * 51), 400),
    ],
)
def test_nonsense_is_refused(
    provider: Provider, method: str, path: str, body: bytes | None, status: int
) -> None:
    answer = HTTP.request(method, provider.issuer + path, body=body)
    assert answer.status == status
    assert json.loads(answer.data)["error"]
