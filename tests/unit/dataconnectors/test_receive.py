"""Which deliveries a customer's receiver accepts."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jwt
import pytest

from dataconnectors import receive as module
from dataconnectors.endpoints.signing import sign
from dataconnectors.receive import (
    Event,
    RefusedError,
    UnreadableError,
    UnverifiedError,
    parse,
    receive,
    verify,
)

SECRET = "a secret of some thirty characters"
NOW = 1_790_000_000.0
CONTENT: dict[str, Any] = {
    "event": {
        "eventId": "c2jl4vg000000000abcd",
        "targetName": "projects/p/devices/d",
        "eventType": "temperature",
        "data": {"temperature": {"value": 21.5, "updateTime": "2026-09-21T14:13:20Z"}},
        "timestamp": "2026-09-21T14:13:20Z",
    },
    "labels": {"name": "Kühlraum"},
    "metadata": {"deviceId": "d", "projectId": "p", "deviceType": "temperature"},
}
BODY = json.dumps(CONTENT, ensure_ascii=False, separators=(",", ":")).encode()
HEADER: dict[str, Any] = {"alg": "HS256", "typ": "JWT"}


def signature(secret: str = SECRET, body: bytes = BODY, now: float = NOW) -> str:
    """The signature that the sender makes."""
    return sign(body, secret, now, bytes(8))


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a sender's signature, with changes; None leaves a claim out."""
    right = jwt.decode(
        signature(), SECRET, ["HS256"], options={"verify_exp": False, "verify_iat": False}
    )
    return {name: value for name, value in (right | changes).items() if value is not None}


def token(
    header: Any, payload: Any, secret: bytes = SECRET.encode(), digest: str = "sha256"
) -> str:
    """A signed token with any header and claims."""

    def encoded(part: Any) -> bytes:
        raw = part if isinstance(part, bytes) else json.dumps(part).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    signed = encoded(header) + b"." + encoded(payload)
    return (signed + b"." + encoded(hmac.digest(secret, signed, digest))).decode()


def test_a_signed_delivery_returns_its_event() -> None:
    event = receive({"x-dt-signature": signature()}, BODY, SECRET, now=NOW)
    assert event == Event(
        event_id="c2jl4vg000000000abcd",
        target_name="projects/p/devices/d",
        event_type="temperature",
        timestamp="2026-09-21T14:13:20Z",
        data=CONTENT["event"]["data"],
        labels={"name": "Kühlraum"},
        metadata=CONTENT["metadata"],
    )


@pytest.mark.parametrize("name", ["x-dt-signature", "X-Dt-Signature", "X-DT-SIGNATURE"])
def test_the_name_of_the_signature_header_may_be_in_any_case(name: str) -> None:
    assert receive({"accept": "*/*", name: signature()}, BODY, SECRET, now=NOW)


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-dt-signature": ""}, {"X-Dt-Signature": signature(), "x-dt-signature": signature()}],
)
def test_a_delivery_needs_exactly_one_signature(headers: dict[str, str]) -> None:
    with pytest.raises(UnverifiedError):
        receive(headers, BODY, SECRET, now=NOW)


def test_several_secrets_may_be_given_while_the_secret_changes() -> None:
    for secret in ("the old one", "the new one"):
        verify(signature(secret), BODY, ("the old one", "the new one"), now=NOW)
    with pytest.raises(UnverifiedError):
        verify(signature("a third one"), BODY, ("the old one", "the new one"), now=NOW)


@pytest.mark.parametrize("secrets", ["new", "old", ("old", "new"), ("new", "a third one")])
def test_while_a_secret_changes_each_of_the_two_is_enough(secrets: Any) -> None:
    both = {
        "X-Dt-Signature": signature("new"),
        "X-Dt-Signature-Previous": signature("old"),
    }
    assert receive(both, BODY, secrets, now=NOW).event_id == "c2jl4vg000000000abcd"


@pytest.mark.parametrize(
    "previous",
    [
        [],
        [("x-dt-signature-previous", "")],
        [("x-dt-signature-previous", signature("a third one"))],
        [("x-dt-signature-previous", signature("old", body=b"another body"))],
        [("x-dt-signature-previous", signature("old", now=NOW - 7200))],
        [("x-dt-signature-previous", signature("old")), ("X-Dt-Signature-Previous", "x")],
    ],
)
def test_a_signature_by_the_previous_secret_is_checked_like_the_other(
    previous: list[tuple[str, str]],
) -> None:
    class Repeated:
        """Headers of which one may come twice."""

        def items(self) -> list[tuple[str, str]]:
            return [("x-dt-signature", signature("new")), *previous]

    with pytest.raises(UnverifiedError):
        receive(Repeated(), BODY, "old", now=NOW)


def test_the_previous_signature_does_not_do_alone() -> None:
    with pytest.raises(UnverifiedError, match="0 headers x-dt-signature"):
        receive({"x-dt-signature-previous": signature()}, BODY, SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", (), ("a secret", "")])
def test_an_empty_secret_raises_a_value_error(secret: Any) -> None:
    with pytest.raises(ValueError, match="empty secret"):
        verify(signature(""), BODY, secret, now=NOW)


def test_a_secret_may_be_any_text() -> None:
    for secret in ("x", "geheim ü", "-----BEGIN PUBLIC KEY-----", "🔑" * 100):
        verify(signature(secret), BODY, secret, now=NOW)


# The sender dates each signature back by 5 s: one made at 0 s is accepted until -5 + 600 + 60 s.
@pytest.mark.parametrize(
    ("seconds_later", "accepted"),
    [(-66, False), (-64, True), (0, True), (300, True), (654, True), (656, False), (86_400, False)],
)
def test_an_attempt_is_refused_when_it_is_too_old_or_from_the_future(
    seconds_later: float, accepted: bool
) -> None:
    try:
        verify(signature(), BODY, SECRET, now=NOW + seconds_later)
    except UnverifiedError:
        assert not accepted
    else:
        assert accepted


def test_an_earlier_expiry_in_the_token_is_respected() -> None:
    short = token(HEADER, claims(exp=int(NOW) + 10))
    verify(short, BODY, SECRET, now=NOW + 69)
    with pytest.raises(UnverifiedError, match="expired"):
        verify(short, BODY, SECRET, now=NOW + 71)


REFUSED = {
    "another secret": signature("another secret"),
    "another body": signature(body=BODY + b" "),
    "no algorithm": token({"alg": "none", "typ": "JWT"}, claims()),
    "no algorithm and no signature": token({"alg": "none", "typ": "JWT"}, claims()).rpartition(".")[
        0
    ]
    + ".",
    "a public key's algorithm": token({"alg": "RS256", "typ": "JWT"}, claims()),
    "a longer hash": token({"alg": "HS512", "typ": "JWT"}, claims(), digest="sha512"),
    "a longer hash that is none": token({"alg": "HS512", "typ": "JWT"}, claims()),
    "an extension that must be understood": token(
        {**HEADER, "crit": ["b64"], "b64": False}, claims()
    ),
    "a header that is a list": token(["HS256"], claims()),
    "a header that is no JSON": token(b"HS256", claims()),
    "claims that are a list": token(HEADER, ["iat"]),
    "claims that are no Unicode": token(HEADER, b"\xff\xfe"),
    "claims without end": token(HEADER, b"[" * 2000),
    "no checksum": token(HEADER, claims(checksum=None)),
    "no SHA-256": token(HEADER, claims(checksum_sha256=None)),
    "another SHA-1": token(HEADER, claims(checksum=hashlib.sha1(b"").hexdigest())),
    "another SHA-256": token(HEADER, claims(checksum_sha256=hashlib.sha256(b"").hexdigest())),
    "a checksum that is a number": token(HEADER, claims(checksum=1)),
    "a checksum beyond ASCII": token(HEADER, claims(checksum="ü" * 40)),
    "no time": token(HEADER, claims(iat=None)),
    "no end": token(HEADER, claims(exp=None)),
    "a time that is a text": token(HEADER, claims(iat=str(int(NOW)))),
    "a time that is true": token(HEADER, claims(iat=True)),
    "an end that is not a number": token(HEADER, claims(exp=float("nan"))),
    "a far end, an old time": token(HEADER, claims(iat=0, exp=10**12)),
    "a bit more": signature() + "A",
    "a bit less": signature()[:-1],
    "padding": signature() + "=",
    "a line end": signature() + "\n",
    "a fourth part": signature() + "." + signature().rpartition(".")[2],
    "two parts": signature().partition(".")[2],
    "one part": "abc",
    "nothing": "",
    "dots": "..",
    "no ASCII": "ü.ü.ü",
    "half a character": "\ud800.\ud800.\ud800",
    "a lot": "a" * 100_000,
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_other_texts_are_not_accepted_as_a_signature(given: str) -> None:
    with pytest.raises(UnverifiedError) as refused:
        verify(given, BODY, SECRET, now=NOW)
    assert refused.value.status == 401
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"\xff", b"[]", b"{}", b"null", b"[" * 100_000]
    + [
        json.dumps(CONTENT | {"event": CONTENT["event"] | {name: None}}).encode()
        for name in CONTENT["event"]
    ]
    + [json.dumps(CONTENT | {"labels": []}).encode()],
)
def test_a_signed_body_without_an_event_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError) as refused:
        receive({"x-dt-signature": signature(body=body)}, body, SECRET, now=NOW)
    assert refused.value.status == 400
    assert isinstance(refused.value, RefusedError)


def test_an_event_that_no_device_published_may_lack_metadata() -> None:
    without = {name: value for name, value in CONTENT.items() if name != "metadata"}
    assert parse(json.dumps(without).encode()).metadata == {}


@pytest.mark.parametrize(
    ("labels", "is_test"),
    [
        ({"name": "x", "x-dt-test": "true"}, True),
        ({"name": "x"}, False),
        ({"x-dt-test": ""}, False),
    ],
)
def test_an_event_that_a_test_has_made_says_so(labels: dict[str, str], is_test: bool) -> None:
    body = json.dumps(CONTENT | {"labels": labels}).encode()
    headers = {"x-dt-signature": signature(body=body)}
    assert receive(headers, body, SECRET, now=NOW).is_test == is_test


def test_a_copy_of_the_file_runs_on_the_standard_library_alone(tmp_path: Path) -> None:
    """With `-I` Python finds no module of this folder, and with `-S` no installed package."""
    shutil.copy(str(module.__file__), tmp_path / "receive.py")
    program = (
        "import sys, runpy\n"
        f"receive = runpy.run_path({str(tmp_path / 'receive.py')!r})['receive']\n"
        "token, body, secret, now = sys.argv[1:]\n"
        "headers = {'x-dt-signature': token}\n"
        "print(receive(headers, body.encode(), secret, now=float(now)).event_id)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, signature(), BODY, SECRET, str(NOW)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert run.stdout == "c2jl4vg000000000abcd\n"
