"""A delivery, and how it is signed, by PyJWT and not by the code that is tested."""

import hashlib
import time
from typing import Any

import jwt

SECRET = "a secret of at least thirty-two bytes"
BODY = (
    b'{"event":{"eventId":"e1","targetName":"projects/p/devices/d","eventType":"temperature",'
    b'"data":{"temperature":{"value":21.4,"updateTime":"2026-01-01T00:00:00Z"}},'
    b'"timestamp":"2026-01-01T00:00:00.500000Z"},"labels":{"name":"Cold room"}}'
)


def sign(body: bytes, secret: str = SECRET, **claims: Any) -> dict[str, str]:
    """The header of a delivery's signature; `claims` replace or add some."""
    now = int(time.time())
    checksum = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    payload = {"iat": now, "exp": now + 3600, "checksum": checksum} | claims
    return {"X-Dt-Signature": jwt.encode(payload, secret, algorithm="HS256")}
