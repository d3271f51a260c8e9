"""A small OpenID provider for `make run` and for tests, which takes everybody's word for it.

It speaks the authorization code flow with PKCE (RFC 7636) for one public client, as the console
uses it: its sign-in page asks for an email and no password. The page also offers faults, to see
what the API and the console make of an id token that is not as it should be.
"""

import base64
import hashlib
import hmac
import html
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from local.server import Answer, LoopbackServer, Request, json_answer

# A request is a form with a dozen short fields.
BODY_LIMIT = 64 * 1024
MAXIMUM_FIELDS = 50

# RFC 6749, 4.1.2, asks for ten minutes at most. The console exchanges a code at once.
CODE_LIFE_S = 60.0

# Codes that nobody has exchanged, the oldest out first.
CODES_KEPT = 100

# As long as the console needs to exchange the id token for an access token of the bundle.
ID_TOKEN_LIFE_S = 300

# RFC 8017. NIST counts 2,048 bits as enough until 2030, and API Gateway takes RSA alone.
KEY_BITS = 2048
KEY_ID = "local"

# RFC 7636, 4.1: the length of a code verifier.
VERIFIER_LENGTHS = range(43, 129)

FAULTS = {
    "": "none",
    "unverified": "the email is not verified",
    "no-email": "there is no email in the token",
    "nonce": "the nonce is that of another sign-in",
    "expired": "the token has expired",
    "early": "the token is not valid yet",
    "audience": "the token is for another client",
    "issuer": "the token is of another issuer",
    "signature": "the token is signed with another key",
}
"""What may be wrong with an id token, as the sign-in page offers it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code stands for. `expires_at` is in epoch seconds."""

    redirect_uri: str
    challenge: str
    nonce: str
    email: str
    fault: str
    expires_at: float


class _RefusedError(Exception):
    """A request that is answered with an error of OAuth 2.0: its code, and what was expected."""

    def __init__(self, code: str, expected: str) -> None:
        super().__init__(expected)
        self.code = code


class Provider:
    """Serves one client, `client_id`, that people are sent back to at one of `redirect_uris`."""

    def __init__(
        self,
        host: str,
        port: int,
        client_id: str,
        redirect_uris: Sequence[str],
        *,
        email: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make a key, and open nothing yet. `port` 0 lets the system choose.

        `email` is what the sign-in page has filled in; `now` gives epoch seconds.
        """
        self._host = host
        self._client_id = client_id
        self._redirect_uris = redirect_uris
        self._origins = {"{0.scheme}://{0.netloc}".format(urlsplit(uri)) for uri in redirect_uris}
        self._email = email
        self._now = now
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        self._grants: OrderedDict[str, Grant] = OrderedDict()
        self._lock = threading.Lock()
        self._server = LoopbackServer(host, port, self._respond, body_limit=BODY_LIMIT)

    @property
    def issuer(self) -> str:
        """The URL that its tokens name, and under which everything is found."""
        return f"http://{self._host}:{self._server.port}"

    def start(self) -> None:
        """Open the port and serve in the background."""
        self._server.start()

    def stop(self) -> None:
        """Close the port and every connection."""
        self._server.stop()

    def _respond(self, request: Request) -> Answer:
        parts = urlsplit(request.target)
        try:
            match request.method, parts.path:
                case "GET", "/.well-known/openid-configuration":
                    return self._for_browsers(request, json_answer(200, self._configuration()))
                case "GET", "/jwks":
                    return self._for_browsers(request, json_answer(200, {"keys": [self._jwk()]}))
                case "GET", "/authorize":
                    return self._page(_fields(parts.query))
                case "POST", "/authorize":
                    return self._back(_fields(request.body.decode()))
                case "POST", "/token":
                    answer = self._token(_fields(request.body.decode()))
                    return self._for_browsers(request, answer)
                case "OPTIONS", _:
                    return self._for_browsers(request, Answer(204))
            return json_answer(404, {"error": f"{parts.path:.200} is not served here"})
        except ValueError:  # Not UTF-8, or too many fields
            return json_answer(400, {"error": "invalid_request"})

    def _for_browsers(self, request: Request, answer: Answer) -> Answer:
        """The answer with the headers that let the console's page read it (CORS)."""
        origin = request.headers.get("Origin", "")
        shared = (
            ("Vary", "Origin"),
            *((("Access-Control-Allow-Origin", origin),) if origin in self._origins else ()),
            ("Access-Control-Allow-Methods", "GET, POST"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Cache-Control", "no-store"),
        )
        return Answer(answer.status, answer.body, (*answer.headers, *shared))

    def _configuration(self) -> dict[str, object]:
        """OpenID Connect Discovery 1.0, 3."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email"],
            "token_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
        }

    def _jwk(self) -> dict[str, Any]:
        key: dict[str, Any] = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return key | {"kid": KEY_ID, "use": "sig", "alg": "RS256"}

    def _page(self, fields: Mapping[str, str]) -> Answer:
        """The sign-in page, which sends all fields on with the email and the fault."""
        if error := self._wrong_client(fields):
            return error
        try:
            _check_request(fields)
        except _RefusedError as refused:
            return _redirect(fields, {"error": refused.code, "error_description": str(refused)})
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in fields.items()
        )
        faults = "".join(f'<option value="{name}">{text}</option>' for name, text in FAULTS.items())
        page = PAGE.format(
            hidden=hidden,
            email=html.escape(fields.get("login_hint") or self._email),
            faults=faults,
        )
        return Answer(200, page.encode(), (("Content-Type", "text/html; charset=utf-8"),))

    def _back(self, fields: Mapping[str, str]) -> Answer:
        """Back to the client, with a code for the email that was entered."""
        if error := self._wrong_client(fields):
            return error
        try:
            _check_request(fields)
            if fields.get("fault", "") not in FAULTS:
                raise _RefusedError("invalid_request", f"fault: one of {', '.join(FAULTS)}")
        except _RefusedError as refused:
            return _redirect(fields, {"error": refused.code, "error_description": str(refused)})
        code = secrets.token_urlsafe(24)
        grant = Grant(
            redirect_uri=fields["redirect_uri"],
            challenge=fields["code_challenge"],
            nonce=fields.get("nonce", ""),
            email=fields.get("email", "").strip(),
            fault=fields.get("fault", ""),
            expires_at=self._now() + CODE_LIFE_S,
        )
        with self._lock:
            self._grants[code] = grant
            while len(self._grants) > CODES_KEPT:
                self._grants.popitem(last=False)
        return _redirect(fields, {"code": code})

    def _token(self, fields: Mapping[str, str]) -> Answer:
        """The answer of the token endpoint (OpenID Connect Core 1.0, 3.1.3.3)."""
        try:
            grant = self._redeemed(fields)
        except _RefusedError as refused:
            return json_answer(400, {"error": refused.code, "error_description": str(refused)})
        return json_answer(
            200,
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": ID_TOKEN_LIFE_S,
                "id_token": self.id_token(grant.email, grant.nonce, grant.fault),
            },
        )

    def _redeemed(self, fields: Mapping[str, str]) -> Grant:
        """What a code was given for. It is used up, whether the other fields are right or not."""
        if fields.get("grant_type") != "authorization_code":
            raise _RefusedError("unsupported_grant_type", "grant_type: authorization_code")
        if fields.get("client_id") != self._client_id:
            raise _RefusedError("invalid_client", f"client_id: {self._client_id}")
        with self._lock:
            grant = self._grants.pop(fields.get("code", ""), None)
        if grant is None or grant.expires_at <= self._now():
            raise _RefusedError("invalid_grant", "code: one that is new and was not used yet")
        if fields.get("redirect_uri") != grant.redirect_uri:
            raise _RefusedError("invalid_grant", f"redirect_uri: {grant.redirect_uri}")
        verifier = fields.get("code_verifier", "")
        if len(verifier) not in VERIFIER_LENGTHS or not hmac.compare_digest(
            challenge_of(verifier), grant.challenge
        ):
            raise _RefusedError("invalid_grant", "code_verifier: the one of the challenge")
        return grant

    def id_token(self, email: str, nonce: str, fault: str = "") -> str:
        """An id token, with one of `FAULTS` or none."""
        now = int(self._now())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "aud": self._client_id,
            "sub": hashlib.sha256(email.encode()).hexdigest()[:16],
            "iat": now,
            "exp": now + ID_TOKEN_LIFE_S,
            "email": email,
            "email_verified": True,
        } | ({"nonce": nonce} if nonce else {})
        key = self._key
        match fault:
            case "unverified":
                claims["email_verified"] = False
            case "no-email":
                del claims["email"], claims["email_verified"]
            case "nonce":
                claims["nonce"] = secrets.token_urlsafe(16)
            case "expired":
                claims |= {"iat": now - 2 * ID_TOKEN_LIFE_S, "exp": now - ID_TOKEN_LIFE_S}
            case "early":
                claims["nbf"] = now + ID_TOKEN_LIFE_S
            case "audience":
                claims["aud"] = "another-client"
            case "issuer":
                claims["iss"] = "https://another-issuer.example"
            case "signature":
                key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        return jwt.encode(claims, key, "RS256", headers={"kid": KEY_ID})

    def _wrong_client(self, fields: Mapping[str, str]) -> Answer | None:
        """An error for a client that nobody must be sent to; None for ours (RFC 6749, 4.1.2.1)."""
        if fields.get("client_id") != self._client_id:
            return _error_page(f"client_id: expected {self._client_id}")
        if fields.get("redirect_uri") not in self._redirect_uris:
            return _error_page(f"redirect_uri: expected {' or '.join(self._redirect_uris)}")
        return None


def challenge_of(verifier: str) -> str:
    """The code challenge of a verifier by the method S256 (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _check_request(fields: Mapping[str, str]) -> None:
    """Raise `_RefusedError` unless the fields ask for a code, and commit to a verifier."""
    if fields.get("response_type") != "code":
        raise _RefusedError("unsupported_response_type", "response_type: code")
    if "openid" not in fields.get("scope", "").split():
        raise _RefusedError("invalid_scope", "scope: openid, and email for the address")
    if fields.get("code_challenge_method") != "S256" or len(fields.get("code_challenge", "")) != 43:
        raise _RefusedError("invalid_request", "code_challenge, by code_challenge_method S256")


def _fields(text: str) -> dict[str, str]:
    """The fields of a form or query; raises ValueError. The first of several values counts."""
    found = parse_qs(text, keep_blank_values=True, max_num_fields=MAXIMUM_FIELDS)
    return {name: values[0] for name, values in found.items()}


def _redirect(fields: Mapping[str, str], result: Mapping[str, str]) -> Answer:
    """Send the browser back to the client, which finds its `state` again."""
    state = {"state": fields["state"]} if "state" in fields else {}
    location = f"{fields['redirect_uri']}?{urlencode({**result, **state})}"
    return Answer(303, b"", (("Location", location), ("Cache-Control", "no-store")))


def _error_page(text: str) -> Answer:
    page = f'<!doctype html><html lang="en"><title>Error</title><p>{html.escape(text)}</p></html>'
    return Answer(400, page.encode(), (("Content-Type", "text/html; charset=utf-8"),))


PAGE = """\
<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
form {{ max-width: 22rem; margin: 12vh auto; padding: 0 1rem; display: grid; gap: .75rem }}
input, select, button {{ font: inherit; padding: .5rem; width: 100%; box-sizing: border-box }}
</style>
<form method="post" action="authorize">
<h1>Sign in</h1>
<p>This is the provider of <code>make run</code>. It believes every email.</p>
{hidden}
<label>Email <input name="email" type="text" value="{email}" autofocus></label>
<label>What is wrong with the id token <select name="fault">{faults}</select></label>
<button>Sign in</button>
</form></html>
"""
