"""Verifies a delivery as the documentation asks receivers to, with PyJWT."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt


@dataclass(frozen=True, slots=True)
class Verified:
    """A delivery whose signature and checksum are right."""

    event: Mapping[str, Any]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A delivery that a careful receiver would refuse, and why."""

    reason: str


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> Verified | Rejected:
    """Check one delivery as a receiver should: the token's signature, then the body's checksum.

    Header names may come in any case. The order matters: a checksum proves nothing until the
    token that carries it is known to be the sender's.
    """
    token = next((value for name, value in headers.items() if name.lower() == "x-dt-signature"), "")
    if not token:
        return Rejected("no X-Dt-Signature header")
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        return Rejected(f"signature: {error}")
    checksum = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(str(claims.get("checksum")), checksum):
        return Rejected("the body is not the one that was signed")
    try:
        value = json.loads(body)
        return Verified(event=value["event"], labels=value["labels"])
    except (ValueError, TypeError, KeyError) as error:
        return Rejected(f"signed, but no event: {error!r}")
