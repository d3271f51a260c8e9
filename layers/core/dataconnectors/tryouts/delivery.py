"""One POST to a try-out, as it is kept and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.kernel import times

KEPT_SECONDS = 3600
"""Seconds that a delivery is shown: long enough to look at it, too short to store anything."""

MAXIMUM_DELIVERIES = 50
"""Deliveries of a try-out that are kept, the newest ones."""


@dataclass(frozen=True, slots=True)
class TriedDelivery:
    """What is kept of one POST.

    `connector` is the name of the connector that it is from, "" when its signature is nobody's.
    `signature_valid` is None for a connector without a secret. `problem` says why a careful
    receiver would refuse the delivery, "" if it would not; what is refused leaves neither headers
    nor body. `status` was answered, `seconds` after the delivery came. `body` is the beginning of
    a body of `size` bytes.
    """

    time: float
    connector: str
    signature_valid: bool | None
    problem: str
    status: int
    seconds: float
    event_id: str
    event_type: str
    headers: Mapping[str, str]
    body: str
    is_truncated: bool
    size: int

    def to_api(self) -> dict[str, Any]:
        """The delivery as answers show it."""
        return {
            "time": times.to_text(self.time),
            "connector": self.connector,
            "isSignatureValid": self.signature_valid,
            "problem": self.problem,
            "answered": self.status,
            "answeredAfter": self.seconds,
            "eventId": self.event_id,
            "eventType": self.event_type,
            "headers": dict(self.headers),
            "body": self.body,
            "isBodyTruncated": self.is_truncated,
            "bytes": self.size,
        }
