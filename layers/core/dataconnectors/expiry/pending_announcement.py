"""What the store counts until it is announced.

The sender imports this with the store, so it stands apart from what announces.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PendingAnnouncement:
    """How many events of a connector have expired since its last announcement.

    `announced_at` is when a run last claimed the connector, in epoch seconds; 0 when none has in
    the last day.
    """

    connector: str
    count: int
    announced_at: float
