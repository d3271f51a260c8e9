"""Your side of a delivery: whether it is truly from your connector, and the event that it carries.

For whoever runs an endpoint. Copy this one file next to your code, or install the package: it needs
the standard library alone (Python 3.10 or newer) and nothing else of this repository.

    event = receive(headers, body, secret)  # raises RefusedError: answer error.status
    save(event)                             # durable, and once for each event.event_id
    # only now: answer 200

The golden rule: answer 200 only after the event is saved. A 200 takes it off our queue for good.
For everything else (another status, an exception, a timeout) it comes again, for 12 hours.

The same event may come more than once, at the same time even, and events may come out of order: an
answer can get lost on its way back. `event_id` is the same each time, so make it the key that you
save under and let the database refuse the second one (INSERT ... ON CONFLICT DO NOTHING, a
conditional put). A list of ids in memory is no substitute: it forgets when the process ends, and an
id that is noted before the event is saved loses the event if the saving fails.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

SIGNATURE_HEADER = "x-dt-signature"

LEEWAY = 60.0
"""Seconds that your clock and ours may differ."""

MAXIMUM_AGE = 600.0
"""Seconds since the attempt was signed. Each attempt is signed anew and lasts 300 s at most: what
is older was recorded by somebody and is sent again."""

LONGEST_SIGNATURE = 4096
"""Characters. Ours have about 350."""

_HEADER = {"alg": "HS256", "typ": "JWT"}

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


class Headers(Protocol):
    """A mapping of names to values, in any case: a dict, http.server's, Flask's, an API event's."""

    def items(self) -> Any:
        """Pairs of name and value."""


class RefusedError(Exception):
    """Not a delivery that you should save. `status` is what to answer; the text says why.

    The text holds neither secret nor body, so it may be logged and sent.
    """

    status = 400


class UnverifiedError(RefusedError):
    """It is not from your connector, was altered on its way, or is an old one sent again."""

    status = 401


class UnreadableError(RefusedError):
    """It is from your connector, but this code can't read it."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a device has reported.

    `event_id` identifies the event, however often it comes. `event_type` is such as "temperature",
    and the key of what matters in `data`. `timestamp` is RFC 3339, when it happened: up to 12
    hours ago. `labels` are those of the device that your connector includes. `metadata` has
    deviceId, projectId, deviceType and productNumber.
    """

    event_id: str
    target_name: str
    event_type: str
    timestamp: str
    data: Mapping[str, Any]
    labels: Mapping[str, str]
    metadata: Mapping[str, Any]


def receive(
    headers: Headers,
    body: bytes,
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    leeway: float = LEEWAY,
    maximum_age: float = MAXIMUM_AGE,
) -> Event:
    """The event of a delivery; `RefusedError` when it is none of yours or can't be read.

    `body` is exactly what arrived: parsed and written again it has other checksums. `secret` is
    your connector's signatureSecret, or several while you change it. `now` is the epoch second.
    """
    signatures = [value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER]
    if len(signatures) != 1:
        raise UnverifiedError(f"{len(signatures)} headers {SIGNATURE_HEADER}, expected one")
    verify(signatures[0], body, secret, now=now, leeway=leeway, maximum_age=maximum_age)
    return parse(body)


def verify(
    signature: str,
    body: bytes,
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    leeway: float = LEEWAY,
    maximum_age: float = MAXIMUM_AGE,
) -> None:
    """Return when `signature` is the x-dt-signature of this body; else raise `UnverifiedError`.

    Always HMAC with SHA-256: the token is never asked which algorithm it would like. Nothing in it
    is looked at before its signature is known to be right. All comparisons take the same time,
    wherever the difference is.
    """
    claims = _claims(signature, [secret] if isinstance(secret, str) else list(secret))
    moment = time.time() if now is None else now
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    if issued > moment + leeway:
        raise UnverifiedError("the signature is from the future: compare the clocks")
    if moment > min(expires, issued + maximum_age) + leeway:
        raise UnverifiedError("the signature has expired: an old delivery, or a wrong clock")
    sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    matches = [
        _equal(claims.get("checksum"), sha1),
        _equal(claims.get("checksum_sha256"), hashlib.sha256(body).hexdigest()),
    ]
    if not all(matches):
        raise UnverifiedError("the body is not the one that was signed: verify the raw bytes")


def parse(body: bytes) -> Event:
    """The event in a body; `UnreadableError` when there is none."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableError("the body is not JSON") from None
    event = _field(content, "event", dict)
    return Event(
        event_id=_field(event, "eventId", str),
        target_name=_field(event, "targetName", str),
        event_type=_field(event, "eventType", str),
        timestamp=_field(event, "timestamp", str),
        data=_field(event, "data", dict),
        labels=_field(content, "labels", dict),
        # It may look different for events that no device has published.
        metadata=_field(content, "metadata", dict) if "metadata" in content else {},
    )


def _claims(signature: str, secrets: Sequence[str]) -> Mapping[str, Any]:
    if not secrets or not all(secrets):
        raise ValueError("an empty secret would accept what anybody has signed")
    if len(signature) > LONGEST_SIGNATURE:
        raise UnverifiedError("the signature is too long")
    signed, _, mac = signature.rpartition(".")
    text = signed.encode(errors="replace")
    matches = [
        _equal(mac, _to_base64url(hmac.digest(each.encode(), text, "sha256"))) for each in secrets
    ]
    if not any(matches):
        raise UnverifiedError("the signature was not made with this secret")
    header, _, payload = signed.partition(".")
    if _object(header) != _HEADER:
        raise UnverifiedError('the header of the signature is not {"alg":"HS256","typ":"JWT"}')
    return _object(payload)


def _object(text: str) -> Mapping[str, Any]:
    """The JSON object in a part of the token."""
    try:
        if not _BASE64URL.fullmatch(text):
            raise ValueError
        value = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise UnverifiedError("the signature is not a JSON Web Token") from None
    if not isinstance(value, dict):
        raise UnverifiedError("the signature is not a JSON Web Token")
    return value


def _to_base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _equal(given: object, expected: str) -> bool:
    """In constant time. Not on texts: `compare_digest` refuses those beyond ASCII."""
    text = given if isinstance(given, str) else ""
    return hmac.compare_digest(text.encode(errors="replace"), expected.encode())


def _seconds(claims: Mapping[str, Any], name: str) -> int:
    value = claims.get(name)
    if type(value) is not int:
        raise UnverifiedError(f"the signature's {name} is not a whole number of seconds")
    return value


def _field(content: Any, name: str, kind: type) -> Any:
    value = content.get(name) if isinstance(content, dict) else None
    if type(value) is not kind:
        raise UnreadableError(f"the body's {name} is missing, or is no {kind.__name__}")
    return value
