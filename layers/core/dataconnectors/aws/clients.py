"""AWS clients, all made the same way: short timeouts, one session, a short user agent."""

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
"""Seconds. The endpoints are in our Region: a connection is made at once, or not at all."""

READ_TIMEOUT = 2.0
"""Seconds for one try of one call. Callers of the API give up after three."""

TOTAL_ATTEMPTS = 3
"""Tries of one call, the first included. `Clients.get` names the calls that are not repeated."""

MAXIMUM_CONNECTIONS = 32
"""Connections that a client keeps open: as many as ingest has calls to SQS in parallel."""


class _LazyClient:
    """A client that is made when it is first used.

    Threads may share a botocore client, but may not make clients at the same time: hence the lock.
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
        self.__dict__[name] = attribute  # from now on Python finds it without this method
        return attribute


class Clients:
    """The clients of one process. They share a botocore session: each further one costs 30 ms."""

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._session = botocore.session.get_session()
        # Lambda puts credentials into the environment. botocore would look in nine places, and make
        # a TLS context for each of two of them.
        credentials = CredentialResolver([EnvProvider()])
        self._session.register_component("credential_provider", credentials)
        self._overrides = dict(overrides or {})
        self._lock = Lock()

    def lazy(self, service: str) -> Any:
        """As `get`, but made when it is first used: for services that most processes never call."""
        return _LazyClient(partial(self.get, service), self._lock)

    def get(self, service: str, *, never_repeated: tuple[str, ...] = ()) -> Any:
        """A client for `service`, such as "sqs". Region and credentials come from AWS_*.

        Make clients while modules are imported: Lambda gives a function a whole CPU then, and there
        is only one thread. `never_repeated` names operations that must not be done twice, such as
        "UpdateItem": after an error that leaves open whether AWS did them, the client gives up.
        """
        config = botocore.config.Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
            max_pool_connections=MAXIMUM_CONNECTIONS,
            # botocore builds its own long user agent again for each call: 14 % of a call's CPU.
            user_agent="dataconnectors",
        )
        client = self._session.create_client(service, config=config, **self._overrides)
        for operation in never_repeated:
            client.meta.events.register_first(f"needs-retry.{service}.{operation}", _do_not_repeat)
        return client


def _do_not_repeat(
    response: tuple[Any, Any] | None, caught_exception: Exception | None, operation: Any, **_: Any
) -> None:
    """Raise the error after which botocore would repeat a call that AWS may have done.

    Where AWS refused the call or never received it, botocore goes on and may repeat it. A separate
    client without retries would cost a second connection and a second set of models.
    """
    never_sent = (ConnectTimeoutError, EndpointConnectionError)
    if caught_exception is not None and not isinstance(caught_exception, never_sent):
        raise caught_exception
    if response is not None and response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ClientError(response[1], operation.name)
