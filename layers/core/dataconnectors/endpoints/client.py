"""Makes one attempt: signs an event's body, POSTs it to the endpoint, and says how that ended."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from os import urandom
from typing import Protocol

from dataconnectors.connectors.secrets import Secrets
from dataconnectors.endpoints import retry_after
from dataconnectors.endpoints.addresses import Destination, Network, check_url
from dataconnectors.endpoints.delivery_headers import Headers, delivery_headers
from dataconnectors.endpoints.exchange import Exchange
from dataconnectors.endpoints.outcomes import (
    Answer,
    Delivered,
    Failed,
    FailureKind,
    NoAnswer,
    Outcome,
)
from dataconnectors.kernel.errors import DestinationError

KEPT_DESTINATIONS = 1000
"""URLs whose parsed form is remembered. It bounds memory: 2 MB if all are long."""


class Poster(Protocol):
    """What `transport.Transport` does."""

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float, /
    ) -> Answer | NoAnswer:
        """The answer to a POST, or why there is none within `timeout` seconds."""


class EndpointClient:
    """Posts to public addresses and to `allowed` networks. Threads may share it.

    Each attempt has `timeout` seconds. HTTP 200 acknowledges, or any 2xx with
    `acknowledge_any_2xx`, a choice of the deployer's.
    """

    def __init__(
        self,
        transport: Poster,
        allowed: Sequence[Network] = (),
        *,
        timeout: float,
        acknowledge_any_2xx: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        entropy: Callable[[int], bytes] = urandom,
    ) -> None:
        self.timeout = timeout
        self._transport = transport
        check = partial(check_url, allowed=tuple(allowed))
        self._destination = lru_cache(KEPT_DESTINATIONS)(check)
        self._acknowledgements = range(200, 300) if acknowledge_any_2xx else range(200, 201)
        self._clock = clock
        self._now = now
        self._entropy = entropy

    def attempt(
        self,
        url: str,
        secrets: Secrets,
        body: bytes,
        event_id: str,
        *,
        is_test: bool = False,
        exchange: Exchange | None = None,
    ) -> Outcome:
        """POST the body once, signed when there is a secret. `event_id` is the id of its event.

        What was sent and what came back is put into `exchange`.
        """
        try:
            # The URL was checked when it was configured. What is allowed may have changed since.
            destination = self._destination(url)
        except DestinationError as error:
            return Failed(FailureKind.REFUSED_ADDRESS, f"the connector's URL: {error}", 0.0)
        headers = delivery_headers(
            secrets, body, event_id, is_test=is_test, now=self._now(), entropy=self._entropy
        )
        started = self._clock()
        answer = self._transport.post(destination, headers, body, self.timeout)
        response_time = self._clock() - started
        if exchange is not None:
            exchange.destination, exchange.headers = destination, headers
            exchange.secrets, exchange.trace = secrets, answer.trace
        if isinstance(answer, NoAnswer):
            return Failed(answer.kind, answer.message, response_time)
        status = answer.status
        if status in self._acknowledgements:
            return Delivered(status, response_time)
        message = f"{destination.host} answered {status}"
        pause = 0.0
        if status in retry_after.STATUSES:
            pause = retry_after.seconds_of(answer.retry_after, self._now())
        return Failed(FailureKind.STATUS, message, response_time, status, pause)
