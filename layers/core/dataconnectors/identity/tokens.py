"""Tokens: the assertion that a service account signs, and the access token that a caller gets."""

import base64
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, TypeGuard
from urllib.parse import urlsplit

from jwt.api_jws import get_unverified_header
from jwt.api_jwt import decode, encode
from jwt.exceptions import InvalidTokenError

from dataconnectors.kernel.errors import UnauthorizedError

ALGORITHM = "HS256"
"""HMAC with SHA-256 (RFC 7518, 3.2), for assertions and access tokens alike."""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""RFC 7523, 2.1: the `grant_type` of a request that sends an assertion."""

ISSUER = "dataconnectors"
"""The `iss` of every access token."""

LIFETIME = 3600
"""Seconds that an access token is said to live. The vendor's clients use it exactly so long."""

GRACE = 120
"""Seconds that an access token lives longer than its answer says, because clients neither renew it
early nor after a 401."""

CLOCK_SKEW = 60
"""Seconds that a client's clock may differ from ours."""

LONGEST_ASSERTION_LIFE = 3600 + CLOCK_SKEW
"""Seconds from `iat` to `exp`. The vendor's clients ask for an hour."""

LONGEST = 4096
"""Characters of a token. Ours have about 300."""

SIGNING_KEY_BYTES = 32
"""Bytes: as many as the hash of HS256 has (RFC 7518, 3.2, asks for no fewer)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key's id and its secret, as Basic auth carries them: as user name and password."""

    key_id: str
    secret: str


def key_id_of(token: str) -> str:
    """The key id (`kid`) of a token that is not yet verified; raises `UnauthorizedError`."""
    if len(token) > LONGEST:
        raise UnauthorizedError("the token is longer than any of ours")
    try:
        key_id = get_unverified_header(token).get("kid")
    except (InvalidTokenError, UnicodeEncodeError):
        raise UnauthorizedError("the token is not a JWT") from None
    if not isinstance(key_id, str) or not key_id:
        raise UnauthorizedError("the token names no key: kid is missing")
    return key_id


def check_assertion(
    assertion: str,
    secret: bytes,
    email: str,
    now: float,
    *,
    host: str,
    audiences: Collection[str] = (),
) -> None:
    """Raise `UnauthorizedError` unless an account signed the assertion, recently and for us.

    `secret` and `email` are the account's. `host` is the host name that the request was sent to;
    `audiences` are further URLs of our token endpoint.
    """
    claims = _verified(assertion, secret, now, CLOCK_SKEW)
    if claims.get("iss") != email:
        raise UnauthorizedError("the assertion's iss is not the email of the key's account")
    issued, expires = claims.get("iat"), claims["exp"]
    if not _is_time(issued) or issued > now + CLOCK_SKEW:
        raise UnauthorizedError("the assertion's iat is missing or ahead: check the clock")
    if expires - issued > LONGEST_ASSERTION_LIFE:
        raise UnauthorizedError("the assertion's exp is more than an hour after its iat")
    if not _is_for_us(claims.get("aud"), host, audiences):
        raise UnauthorizedError("the assertion's aud is not the URL of this token endpoint")


def access_token(signing_key_id: str, signing_key: bytes, subject: str, now: float) -> str:
    """An access token. `now` is in epoch seconds.

    `subject` is the id of a service account's key, or the email of a person.
    """
    claims = {"exp": int(now) + LIFETIME + GRACE, "iat": int(now), "iss": ISSUER, "sub": subject}
    return encode(claims, signing_key, ALGORITHM, headers={"kid": signing_key_id})


def subject_of(token: str, signing_key: bytes, now: float) -> str:
    """The `subject` that an access token is for; raises `UnauthorizedError`."""
    claims = _verified(token, signing_key, now, 0)
    if claims.get("iss") != ISSUER or not isinstance(claims.get("sub"), str):
        raise UnauthorizedError("the token is not one of ours")
    return str(claims["sub"])


def bearer(authorization: str) -> str | None:
    """The token of an `Authorization: Bearer` header; None for another scheme."""
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def basic(authorization: str) -> Credentials | None:
    """The credentials of an `Authorization: Basic` header; None for another scheme.

    Raises `UnauthorizedError` when they cannot be read.
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not ASCII, not base64, or not UTF-8
        raise UnauthorizedError("the Basic credentials are not base64") from None
    key_id, colon, secret = text.partition(":")
    if not colon:
        raise UnauthorizedError("the Basic credentials are not <key id>:<secret>")
    return Credentials(key_id, secret)


def _verified(token: str, key: bytes, now: float, leeway: float) -> Mapping[str, Any]:
    """The claims of a token that is signed with `key` and has not expired at `now`.

    PyJWT checks the signature alone: it would check times by the machine's own clock.
    """
    try:
        claims: dict[str, Any] = decode(
            token,
            key,
            algorithms=[ALGORITHM],
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_sub": False,
                "verify_jti": False,
            },
        )
    except InvalidTokenError:
        raise UnauthorizedError("the token's signature is not valid") from None
    expires = claims.get("exp")
    if not _is_time(expires):
        raise UnauthorizedError("the token has no exp")
    if expires + leeway <= now:
        raise UnauthorizedError("the token has expired")
    return claims


def _is_time(claim: Any) -> TypeGuard[float]:
    """Whether a claim is a finite number. A token whose `exp` is NaN, which Python's JSON reader
    accepts, would never expire.
    """
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return False
    return isinstance(claim, int) or math.isfinite(claim)


def _is_for_us(audience: Any, host: str, audiences: Collection[str]) -> bool:
    """Whether the claim `aud` is the URL of our token endpoint, alone or in a list.

    Without this check, the operator of another token endpoint could use an assertion that was
    signed for theirs to log in here. Clients sign the URL that they send to. It has the request's
    host name, unless a proxy changes that; the front of `make run` is such a proxy, so all loopback
    names count as one.
    """
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if not isinstance(audience, str):
        return False
    if audience.rstrip("/") in {url.rstrip("/") for url in audiences}:
        return True
    try:
        url = urlsplit(audience)
        named, own = url.hostname, urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    if not named or not own or not url.path.rstrip("/").endswith("/oauth2/token"):
        return False
    return named == own or (_is_loopback(named) and _is_loopback(own))


def _is_loopback(host: str) -> bool:
    """RFC 6761: `localhost` and the names below it are loopback addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
