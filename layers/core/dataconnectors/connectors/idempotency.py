"""Idempotency: how a create call that is sent again is told from a call for a second connector."""

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # The sender imports this through the store and needs no configuration.
    from dataconnectors.connectors.configuration import Configuration

REMEMBERED_SECONDS = 60
"""How long an equal create call counts as the same call. The vendor's SDK gives up after 3 s and
sends a call four times within 17 s; the last may begin while API Gateway still waits 30 s for the
answer to the first."""


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is remembered of a create call.

    `digest` is that of the call, `connector` the id of the connector that it made. `expires_at` is
    in epoch seconds.
    """

    project: str
    digest: str
    connector: str
    expires_at: float


def digest_of_create(key_id: str, idempotency_key: str, configuration: "Configuration") -> str:
    """Return a digest that is the same for equal create calls with one key of a service account.

    `idempotency_key` is the caller's own, "" without one. Secrets are left out: with a digest of
    them, anybody who reads the table could try out secrets. Whether they are equal too is compared
    with the opened secrets of the connector that was made.
    """
    parts = (
        key_id,
        idempotency_key,
        configuration.url,
        configuration.display_name,
        configuration.status.value,
        configuration.event_types,
        configuration.labels,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
