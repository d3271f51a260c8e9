"""The signature on a delivery: the X-Dt-Signature token that the vendor's receivers verify.

Three lines of JWS compact serialization (RFC 7515, section 7.1) instead of PyJWT: the sender need
not import it, and a POST costs a twentieth less. Any secret signs: PyJWT refuses some that
customers may choose.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from dataconnectors.kernel.ids import new_id

LIFETIME = 3600
"""Seconds a token is valid, as the vendor's are. Every attempt is signed anew: retries go on for
12 hours."""

BACKDATING = 5
"""Seconds. A receiver refuses a token from its future, and its clock may be behind ours."""


def sign(body: bytes, secret: str, now: float, entropy: bytes) -> str:
    """The token for exactly these body bytes; `entropy` as in `ids.new_id`.

    Header `{"alg":"HS256","typ":"JWT"}`, claims in alphabetical order. No claim holds a dot,
    since one of the vendor's receivers splits the decoded text on dots.
    """
    issued = int(now) - BACKDATING
    claims = {
        "checksum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "checksum_sha256": hashlib.sha256(body).hexdigest(),
        "exp": issued + LIFETIME,
        "iat": issued,
        "jti": new_id(now, entropy),
    }
    signed = _HEADER + b"." + _encoded(_compact(claims))
    signature = hmac.digest(secret.encode(), signed, "sha256")
    return (signed + b"." + _encoded(signature)).decode()


def _compact(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _encoded(part: bytes) -> bytes:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(part).rstrip(b"=")


_HEADER = _encoded(_compact({"alg": "HS256", "typ": "JWT"}))
