"""The signature that the vendor's receivers verify."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import warnings
from pathlib import Path

import jwt
import pytest

from dataconnectors.endpoints import signing
from dataconnectors.endpoints.signing import BACKDATING, LIFETIME, sign

BODY = '{"event":{"labels":"Kühlraum"}}'.encode()
NOW = 1_700_000_000.75
ENTROPY = bytes(range(8))


def parts(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "==") for part in token.split(".")]


def test_the_header_and_the_claims_equal_the_vendors_byte_for_byte() -> None:
    header, payload, _ = parts(sign(BODY, "secret", NOW, ENTROPY))
    assert header == b'{"alg":"HS256","typ":"JWT"}'
    assert b"." not in payload
    assert b" " not in payload
    claims = json.loads(payload)
    assert list(claims) == ["checksum", "checksum_sha256", "exp", "iat", "jti"]
    assert claims["checksum"] == hashlib.sha1(BODY, usedforsecurity=False).hexdigest()
    assert claims["checksum_sha256"] == hashlib.sha256(BODY).hexdigest()
    assert claims["iat"] == int(NOW) - BACKDATING
    assert claims["exp"] == claims["iat"] + LIFETIME
    assert len(claims["jti"]) == 20


def test_the_signature_verifies_only_with_the_connectors_secret() -> None:
    secret = "0123456789abcdef0123456789abcdef"
    token = sign(BODY, secret, NOW, ENTROPY)
    jwt.decode(token, secret, ["HS256"], options={"verify_exp": False})
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, secret + "x", ["HS256"], options={"verify_exp": False})


@pytest.mark.parametrize(
    "secret",
    [
        "x",
        "Schlüssel",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ",
        "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----",
        '{"kty":"oct","k":"AAAA"}',
        "a" * 4000,
    ],
)
def test_any_secret_signs_without_a_warning(secret: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        token = sign(BODY, secret, NOW, ENTROPY)
    signed, _, signature = token.rpartition(".")
    expected = hmac.digest(secret.encode(), signed.encode(), "sha256")
    assert base64.urlsafe_b64decode(signature + "==") == expected


def test_signing_works_without_cryptography() -> None:
    """The package is not in the bundle. It has 11 MB, costs a tenth of a cold start, and serves
    algorithms that we do not use."""
    code = (
        "import sys; sys.modules['cryptography'] = None; sys.path.insert(0, sys.argv[1]);"
        "from dataconnectors.endpoints.signing import sign; print(sign(b'{}', 's', 1e9, bytes(8)))"
    )
    layer = Path(signing.__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code, str(layer)], capture_output=True, text=True, check=True
    )
    assert result.stdout.count(".") == 2
