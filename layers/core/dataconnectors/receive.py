"""Your side of a delivery: verifies that it is from your connector, and reads its event.

This file is for receivers, who run an endpoint. Copy it next to your code, or install the package.
It needs only the standard library (Python 3.10 or newer) and nothing else of this repository.

    event = receive(headers, body, secret)  # raises RefusedError: answer error.status
    save(event)                             # durable, and once for each event.event_id
    # only now: answer 200

The golden rule: answer 200 only after the event is saved. A 200 takes the event off our queue for
good. After anything else (another status, an exception, a timeout) the event comes again, for 12
hours.

The same event may come more than once, even at the same time, because an answer can get lost on its
way back. Events may also come out of order. `event_id` is the same each time. So make it the key
that you save under, and let the database ignore the second one (INSERT ... ON CONFLICT DO NOTHING,
or a conditional put). A list of ids in memory does not replace that. It is lost when the process
ends, and if it gets an id before the event is saved, a failed save loses the event.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

SIGNATURE_HEADER = "x-dt-signature"

PREVIOUS_SIGNATURE_HEADER = "x-dt-signature-previous"
"""A second signature, by the secret that the connector's has replaced, while both are valid."""

TEST_LABEL = "x-dt-test"
"""A label with the value `true`, in the events that a test of the connector makes (`:test`). They
also have the header `x-dt-test: true`, which is not signed."""

LEEWAY = 60.0
"""Seconds that your clock and ours may differ."""

MAXIMUM_AGE = 600.0
"""Seconds since the attempt was signed. Each attempt has a new signature and takes at most 300 s.
An older signature is from a delivery that somebody recorded and sends again."""

LONGEST_SIGNATURE = 4096
"""Characters. Our signatures have about 350."""

_HEADER = {"alg": "HS256", "typ": "JWT"}

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)


class Headers(Protocol):
    """Header names, in any case, with their values: a dict, or the headers of http.server, Flask or
    an API Gateway event."""

    def items(self) -> Any:
        """Pairs of name and value."""


class RefusedError(Exception):
    """The request is not a delivery that you should save. Answer with `status`; the text says why.

    The text has neither the secret nor the body, so you may log it and send it.
    """

    status = 400


class UnverifiedError(RefusedError):
    """The delivery is not from your connector, was changed on its way, or is an old one
    repeated."""

    status = 401


class UnreadableError(RefusedError):
    """The delivery is from your connector, but this code cannot read it."""


@dataclass(frozen=True, slots=True)
class Event:
    """What a device has reported.

    `event_id` identifies the event, however often it comes. `event_type` is a text such as
    "temperature", and `data` has the reported values under that key. `timestamp` is the RFC 3339
    time at which it happened, up to 12 hours ago. `labels` are the device's labels that your
    connector includes. `metadata` has deviceId, projectId, deviceType and productNumber.
    """

    event_id: str
    target_name: str
    event_type: str
    timestamp: str
    data: Mapping[str, Any]
    labels: Mapping[str, str]
    metadata: Mapping[str, Any]

    @property
    def is_test(self) -> bool:
        """Whether somebody made it to test the connector: no device has reported it. Answer 200,
        and keep it apart from what devices report."""
        return self.labels.get(TEST_LABEL) == "true"


def receive(
    headers: Headers,
    body: bytes,
    secret: str | Sequence[str],
    *,
    now: float | None = None,
    leeway: float = LEEWAY,
    maximum_age: float = MAXIMUM_AGE,
) -> Event:
    """Verify a delivery and return its event; raises `RefusedError` when you should not save it.

    `body` is exactly the bytes that arrived. JSON that was parsed and written again has another
    checksum. `secret` is your connector's signatureSecret, or several while you change it. While
    the connector keeps its previous secret, that one is accepted too, or the new one alone: the
    delivery has a signature by each. `now` is in epoch seconds.
    """
    signature, previous = _signatures(headers)
    check = partial(
        verify, body=body, secret=secret, now=now, leeway=leeway, maximum_age=maximum_age
    )
    try:
        check(signature)
    except UnverifiedError as refused:
        try:
            check(previous)
        except UnverifiedError:
            raise refused from None
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
    """Return if `signature` is the x-dt-signature of this body; raises `UnverifiedError` if not.

    The algorithm is always HMAC with SHA-256, whatever algorithm the token names. Nothing in the
    token is read before its signature is verified. All comparisons take the same time, wherever
    the difference is.
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
    """Read the event in a body; raises `UnreadableError` when there is none."""
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
        # Events that no device has published may lack it.
        metadata=_field(content, "metadata", dict) if "metadata" in content else {},
    )


def _signatures(headers: Headers) -> tuple[str, str]:
    """The signature of a delivery, and the one by the previous secret, "" without one."""
    current, previous = (
        [value for header, value in headers.items() if header.lower() == name]
        for name in (SIGNATURE_HEADER, PREVIOUS_SIGNATURE_HEADER)
    )
    if len(current) != 1:
        raise UnverifiedError(f"{len(current)} headers {SIGNATURE_HEADER}, expected one")
    if len(previous) > 1:
        raise UnverifiedError(f"{len(previous)} headers {PREVIOUS_SIGNATURE_HEADER}, expected one")
    return current[0], "".join(previous)


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
    """The JSON object in one part of the token."""
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
    """Compare in constant time, as bytes, because `compare_digest` refuses texts beyond ASCII."""
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
