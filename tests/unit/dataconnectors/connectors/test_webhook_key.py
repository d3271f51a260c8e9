"""Which bytes a signature secret is in Standard Webhooks: those that the official library takes."""

import base64

import pytest
from standardwebhooks import Webhook

from dataconnectors.connectors.webhook_key import webhook_key

RAW = bytes(range(200, 232))
BASE64 = base64.b64encode(RAW).decode()


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        (f"whsec_{BASE64}", RAW),
        (f"whsec_{BASE64.rstrip('=')}", RAW),
        (BASE64, BASE64.encode()),  # without the prefix, nobody could tell that it is base64
        ("a secret with spaces", b"a secret with spaces"),
        ("Kühlraum", "Kühlraum".encode()),
        ("x-whsec_AAAA", b"x-whsec_AAAA"),
    ],
)
def test_a_secret_is_decoded_only_after_the_prefix(secret: str, key: bytes) -> None:
    assert webhook_key(secret) == key
    # What the documentation tells receivers to give to the library.
    given = secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    assert Webhook(given)._whsecret == key


@pytest.mark.parametrize(
    "secret",
    ["whsec_", "whsec_====", "whsec_A", "whsec_AA AA", "whsec_-_-_", "whsec_AAAA!", "whsec_ü"],
)
def test_a_broken_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="after whsec_ there is no base64"):
        webhook_key(secret)
