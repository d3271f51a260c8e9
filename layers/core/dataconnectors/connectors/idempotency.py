"""A create call that is sent again, and how it is told from a wish for a second connector."""

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # The sender gets here through the store: it would load all that checks requests.
    from dataconnectors.connectors.configuration import Configuration

REMEMBERED_SECONDS = 60
"""How long an equal call counts as the same one. The vendor's SDK gives up after 3 s and sends a
call four times within 17 s; the last may begin while API Gateway still waits 30 s for the first."""


@dataclass(frozen=True, slots=True)
class IdempotencyRecord:
    """What is remembered of a create call. `expires_at` is in epoch seconds.

    `connector` is the id of what it made.
    """

    project: str
    digest: str
    connector: str
    expires_at: float


def digest_of_create(key_id: str, idempotency_key: str, wanted: "Configuration") -> str:
    """The same for equal calls of one caller's key.

    Of nothing secret: a digest would let whoever reads the table try out secrets. That they are
    equal as well is seen when the connector's own are opened.
    """
    parts = (
        key_id,
        idempotency_key,
        wanted.url,
        wanted.display_name,
        wanted.status.value,
        wanted.event_types,
        wanted.labels,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
