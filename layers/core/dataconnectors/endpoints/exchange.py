"""What the endpoint client knows of one attempt beyond its outcome, for the attempt log."""

from collections.abc import Mapping

from dataconnectors.connectors.secrets import NO_SECRETS, Secrets
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.trace import Trace


class Exchange:
    """The request of an attempt, and notes of what came of it. It holds secrets.

    `destination` is None while nothing was sent, and `trace` while the attempt has not ended.
    Nothing is computed until someone asks: see `shown_exchange`.
    """

    __slots__ = ("destination", "headers", "secrets", "trace")

    def __init__(self) -> None:
        self.destination: Destination | None = None
        self.headers: Mapping[str, str] = {}
        self.secrets: Secrets = NO_SECRETS
        self.trace: Trace | None = None
