"""The headers of a delivery that the libraries of Standard Webhooks verify.

The specification is that of standardwebhooks.com, version 1: HMAC with SHA-256 over
`{id}.{timestamp}.{body}`, one signature for each valid secret. The sender imports this only for
connectors that ask for it.
"""

import base64
import hmac
from collections.abc import Iterable

from dataconnectors.connectors.webhook_key import webhook_key


def standard_webhook_headers(
    event_id: str, body: bytes, secrets: Iterable[str], now: float
) -> dict[str, str]:
    """The three headers, with a signature by each of the secrets, the newest first.

    The id is the event's, so that it is the same at each attempt and receivers recognise an event
    that comes twice. The timestamp is the attempt's, `now` in epoch seconds.
    """
    timestamp = str(int(now))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "Webhook-Id": event_id,
        "Webhook-Timestamp": timestamp,
        "Webhook-Signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = webhook_key(secret)
    except ValueError:
        # Only a secret that was replaced before Standard Webhooks were switched on can be broken:
        # its token in X-Dt-Signature-Previous is right, and no library takes it as a key.
        key = secret.encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
