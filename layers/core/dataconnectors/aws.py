"""AWS clients, made the same way everywhere: bounded in time, one session, small user agent."""

from collections.abc import Mapping
from typing import Any

import botocore.config
import botocore.session

CONNECT_TIMEOUT = 1.0
"""Seconds. AWS endpoints are in the same Region: what does not connect at once, will not."""

READ_TIMEOUT = 2.0
"""Seconds for one try of one call; API callers give up after three."""

TOTAL_ATTEMPTS = 3
"""Tries of one call, the first included. All calls of ours are safe to repeat."""

MAXIMUM_CONNECTIONS = 32
"""Connections kept for one service: as many as ingest sends to in parallel."""


class Clients:
    """Clients of one process, sharing one botocore session (each further session costs 30 ms).

    Threads may use a client together, but not make one: make them at import.
    """

    def __init__(self, overrides: Mapping[str, Any] | None = None) -> None:
        self._session = botocore.session.get_session()
        self._overrides = dict(overrides or {})

    def get(self, service: str) -> Any:
        """A client for `service`, such as "sqs". Region and credentials come from AWS_*."""
        config = botocore.config.Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
            max_pool_connections=MAXIMUM_CONNECTIONS,
            # botocore builds its long user agent anew for each call: 14 % of a call's CPU.
            user_agent="dataconnectors",
        )
        return self._session.create_client(service, config=config, **self._overrides)
