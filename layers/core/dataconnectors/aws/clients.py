"""AWS clients, made the same way everywhere: bounded in time, one session, small user agent."""

from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Any

import botocore.config
import botocore.session
from botocore.credentials import CredentialResolver, EnvProvider
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

CONNECT_TIMEOUT = 1.0
"""Seconds. AWS endpoints are in the same Region: what does not connect at once, will not."""

READ_TIMEOUT = 2.0
"""Seconds for one try of one call; API callers give up after three."""

TOTAL_ATTEMPTS = 3
"""Tries of one call, the first included. Calls that are not safe to repeat are named: see `get`."""

MAXIMUM_CONNECTIONS = 32
"""Connections kept for one service: as many as ingest sends to in parallel."""


class _LazyClient:
    """A client that is made when it is first used.

    Threads may use a client of botocore together, but not make one: hence the lock.
    """

    def __init__(self, make: Callable[[], Any], lock: Lock) -> None:
        self._make = make
        self._lock = lock
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        attribute = getattr(self._made, name)
        self.__dict__[name] = attribute  # found without this method from now on
        return attribute


class Clients:
    """Clients of one process, sharing one botocore session (each further session costs 30 ms)."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._session = botocore.session.get_session()
        # Where Lambda puts them. botocore would look in nine places, and prepare for two of them a
        # TLS context each.
        credentials = CredentialResolver([EnvProvider()])
        self._session.register_component("credential_provider", credentials)
        self._overrides = dict(overrides or {})
        self._lock = Lock()

    def lazy(self, service: str) -> Any:
        """As `get`, for a service that most cold starts end without: made when it is first used."""
        return _LazyClient(partial(self.get, service), self._lock)

    def get(self, service: str, *, once: tuple[str, ...] = ()) -> Any:
        """A client for `service`, such as "sqs". Region and credentials come from AWS_*.

        Make it at import, where a function still has a whole CPU, and where there is one thread.
        Operations of `once`, such as "UpdateItem", are not safe to repeat: the client does not do
        so after an error that leaves open whether AWS has done them.
        """
        config = botocore.config.Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
            max_pool_connections=MAXIMUM_CONNECTIONS,
            # botocore builds its long user agent anew for each call: 14 % of a call's CPU.
            user_agent="dataconnectors",
        )
        client = self._session.create_client(service, config=config, **self._overrides)
        for operation in once:
            client.meta.events.register_first(f"needs-retry.{service}.{operation}", _not_again)
        return client


def _not_again(
    response: tuple[Any, Any] | None, caught_exception: Exception | None, operation: Any, **_: Any
) -> None:
    """Raise what botocore would repeat a call after, unless AWS has refused it or never got it.

    A client of its own, without retries, would cost a connection and a second set of models.
    """
    never_sent = (ConnectTimeoutError, EndpointConnectionError)
    if caught_exception is not None and not isinstance(caught_exception, never_sent):
        raise caught_exception
    if response is not None and response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ClientError(response[1], operation.name)
