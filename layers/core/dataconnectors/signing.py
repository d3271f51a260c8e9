"""The signature on a delivery: the X-Dt-Signature token that the vendor's receivers verify."""

import hashlib
import json

from jwt.algorithms import HMACAlgorithm
from jwt.api_jws import PyJWS

from dataconnectors.ids import new_id

LIFETIME = 3600
"""Seconds a token is valid, as the vendor's are. Every attempt is signed anew: retries go on for
12 hours."""

BACKDATING = 5
"""Seconds. A receiver refuses a token from its future, and its clock may be behind ours."""


class _AnySecret(HMACAlgorithm):
    """HS256 with whatever secret a customer has chosen.

    PyJWT warns about short keys and refuses those that look like a PEM file or a JSON key. That
    protects who verifies tokens of strangers. Here it would keep events from being delivered.
    """

    def prepare_key(self, key: str | bytes) -> bytes:
        return key.encode() if isinstance(key, str) else key

    def check_key_length(self, key: bytes) -> str | None:
        return None


_JWS = PyJWS(algorithms=[])
_JWS.register_algorithm("HS256", _AnySecret(HMACAlgorithm.SHA256))


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
    return _JWS.encode(json.dumps(claims, separators=(",", ":")).encode(), secret, "HS256")
