"""The headers of a delivery: what the connector asks for, and the signatures of its body."""

from collections.abc import Callable, Mapping

from dataconnectors.connectors.custom_headers import RESERVED_HEADERS
from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints.signing import sign
from dataconnectors.kernel.ids import ENTROPY_BYTES

USER_AGENT = "DataConnectors/1"

PREVIOUS_HEADER = "X-Dt-Signature-Previous"
"""The same token as X-Dt-Signature, by the secret that the connector's has replaced. It is a header
of its own because the vendor's receivers read X-Dt-Signature as one token."""

TEST_HEADER = "X-Dt-Test"
"""Is `true` with the deliveries that a test makes, so that a receiver can tell them without reading
the body."""

Headers = Mapping[str, str]


def delivery_headers(
    secrets: Secrets,
    body: bytes,
    event_id: str,
    *,
    is_test: bool,
    now: float,
    entropy: Callable[[int], bytes],
) -> Headers:
    """The headers of an attempt that is made at `now`, in epoch seconds, as `headers_of` says.

    `entropy` gives random bytes for the ids of signatures.
    """
    marks = _signatures(secrets, body, event_id, now, entropy)
    if is_test:
        marks[TEST_HEADER] = "true"
    return headers_of(secrets, marks)


def _signatures(
    secrets: Secrets,
    body: bytes,
    event_id: str,
    now: float,
    entropy: Callable[[int], bytes],
) -> dict[str, str]:
    """The headers that prove where the body comes from; none without a secret."""
    if not secrets.signature_secret:
        return {}
    secret, previous = secrets.signature_secret, secrets.at(now).previous_secret
    headers = {"X-Dt-Signature": sign(body, secret, now, entropy(ENTROPY_BYTES))}
    if previous:
        headers[PREVIOUS_HEADER] = sign(body, previous, now, entropy(ENTROPY_BYTES))
    if secrets.standard_webhooks:
        # Imported here, because few connectors ask for it and every cold start pays.
        from dataconnectors.endpoints.standard_webhooks import standard_webhook_headers

        valid = (secret, previous) if previous else (secret,)
        headers |= standard_webhook_headers(event_id, body, valid, now)
    return headers


def headers_of(secrets: Secrets, marks: Headers) -> Headers:
    """The headers of a delivery. The connection adds `Host` and `Content-Length`.

    `marks` are the signatures, and what marks a test.

    `Content-Type` is exactly what the vendor's receivers expect. A customer's headers cannot
    replace those that a receiver needs to read and verify the body. They may replace `User-Agent`.
    A connector that was stored before a header was reserved may still have it: it is not sent.
    """
    headers = {"Content-Type": "application/json", **marks}
    agent = USER_AGENT
    for name, value in secrets.headers:
        if name.lower() == "user-agent":
            agent = value
        elif name.lower() not in RESERVED_HEADERS:
            # http.client encodes texts in Latin-1. Of this text that makes the UTF-8 of `value`.
            headers[name] = value.encode().decode("latin-1")
    headers["User-Agent"] = agent
    return headers
