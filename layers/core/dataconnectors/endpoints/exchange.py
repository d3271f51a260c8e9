"""What the endpoint client knows of one attempt beyond its outcome, for the attempt log.

And what the log keeps of it: the API, which only reads that, imports nothing else.
"""

from collections.abc import Mapping
from typing import NamedTuple

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


class ShownExchange(NamedTuple):
    """The texts of a request and of its answer, whose status is None when there is none.

    Headers are pairs, because an answer may repeat a name.
    """

    url: str
    request_headers: tuple[tuple[str, str], ...]
    request_body: str
    status: int | None
    answer_headers: tuple[tuple[str, str], ...]
    answer_body: str
    is_answer_cut: bool
