"""The headers that the official library of Standard Webhooks verifies, unmodified."""

import base64
import json
from collections.abc import Mapping

import pytest
import time_machine
from standardwebhooks import Webhook, WebhookVerificationError

from dataconnectors.endpoints.standard_webhooks import standard_webhook_headers

NOW = 1_790_000_000.75
BODY = '{"event":{"eventId":"e1"},"labels":{"name":"Kühlraum ❄"}}'.encode()
CODED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TEXT = "a secret of some thirty characters"
TEXT_FOR_LIBRARY = base64.b64encode(TEXT.encode()).decode()


def headers(*secrets: str, now: float = NOW) -> dict[str, str]:
    return standard_webhook_headers("e1", BODY, secrets, now)


def accepts(secret: str, given: Mapping[str, str], body: bytes = BODY) -> bool:
    try:
        with time_machine.travel(NOW, tick=False):
            return bool(Webhook(secret).verify(body, dict(given)) == json.loads(body))
    except WebhookVerificationError:
        return False


@pytest.mark.parametrize(("secret", "given"), [(CODED, CODED), (TEXT, TEXT_FOR_LIBRARY)])
def test_the_official_library_accepts_a_delivery_and_nothing_else(secret: str, given: str) -> None:
    signed = headers(secret)
    assert accepts(given, signed)
    assert not accepts(given, signed, BODY + b" ")
    assert not accepts(given, signed | {"Webhook-Id": "e2"})
    assert not accepts(given, signed | {"Webhook-Timestamp": str(int(NOW) + 1)})
    assert not accepts(given, headers("another secret of thirty characters"))


def test_each_of_several_secrets_is_accepted() -> None:
    signed = headers(CODED, TEXT)
    assert accepts(CODED, signed)
    assert accepts(TEXT_FOR_LIBRARY, signed)
    assert not accepts("whsec_AAAA", signed)


def test_the_specifications_example_is_reproduced() -> None:
    """The library's own tests have these values."""
    body = b'{"test": 2432232314}'
    signed = standard_webhook_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", body, [CODED], 1_614_265_330.0
    )
    assert signed["Webhook-Signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_an_attempt_is_as_old_as_its_timestamp() -> None:
    assert accepts(CODED, headers(CODED, now=NOW - 299))
    assert not accepts(CODED, headers(CODED, now=NOW - 302))


def test_a_previous_secret_that_is_no_key_does_not_keep_the_delivery_back() -> None:
    assert accepts(CODED, headers(CODED, "whsec_not base64"))
