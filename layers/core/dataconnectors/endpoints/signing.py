"""The signature of a delivery: the token in X-Dt-Signature that the vendor's receivers verify.

It is written in JWS compact serialization (RFC 7515, section 7.1) by three lines of our own instead
of PyJWT. The sender then need not import PyJWT, and a POST costs a twentieth less. Besides, PyJWT
refuses some secrets that customers may choose (decision 6).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from dataconnectors.kernel.ids import new_id

LIFETIME = 3600
"""Seconds that a token is valid, as the vendor's are. Every attempt is signed anew, because retries
go on for 12 hours."""

BACKDATING = 5
"""Seconds. A receiver whose clock is behind ours would refuse a token from its future."""


def sign(body: bytes, secret: str, now: float, entropy: bytes) -> str:
    """The token for exactly these bytes of a body.

    `now` is in epoch seconds, `entropy` as in `ids.new_id`. The header is
    `{"alg":"HS256","typ":"JWT"}`, the claims are in alphabetical order. No claim may hold a dot,
    because one of the vendor's receivers splits the decoded text at dots.
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
    """Base64 for URLs, without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(part).rstrip(b"=")


_HEADER = _encoded(_compact({"alg": "HS256", "typ": "JWT"}))
