"""One HTTPS POST within one deadline, over connections that are kept.

An endpoint may be slow, broken or hostile. Each socket operation gets only what is left of the
attempt's time, so neither a drip of bytes nor silence outlasts it. An answer is read up to a limit
and never decompressed. Only addresses that `dialler` agrees to are called. There are no proxies, no
.netrc and no redirects. Only one POST is repeated: one on a kept connection that turns out to be
dead before a byte of an answer has come.
"""

import itertools
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.connection import (
    ANSWER_ERRORS,
    CONNECT_ERRORS,
    Connection,
)
from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.no_answer import no_complete_answer, no_connection
from dataconnectors.endpoints.outcomes import Answer, NoAnswer

KEPT_PER_HOST = 10
"""Connections: as many as a batch has events."""

KEPT_HOSTS = 20
"""Hosts with kept connections. AWS: 1,024 file descriptors in one environment."""

IDLE_SECONDS = 50.0
"""How long an idle connection is worth keeping. Load balancers close theirs after a minute, and a
network may forget one without telling."""


class Transport:
    """Posts to endpoints, and keeps connections. Threads may share it.

    `opened` counts the connections made so far.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        dialler: Dialler,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.opened = 0
        self._tls = tls
        self._dialler = dialler
        self._clock = clock
        self._lock = threading.Lock()
        # By host and port, the least recently used first: connections, and since when each is idle.
        self._kept: OrderedDict[tuple[str, int], list[tuple[Connection, float]]] = OrderedDict()

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> Answer | NoAnswer:
        """The answer to a POST, or why there is none within `timeout` seconds.

        An answer of 2xx counts once it is complete, or once `connection.BODY_BYTES` of its body
        have come. Any other answer counts as soon as its headers have come.
        """
        limits = Limits(timeout, self._clock)
        answer = self._answer(destination, headers, body, limits)
        trace = limits.end()
        return replace(answer, trace=trace) if isinstance(answer, NoAnswer) else answer

    def _answer(
        self, destination: Destination, headers: Headers, body: bytes, limits: Limits
    ) -> Answer | NoAnswer:
        kept = self._take(destination)
        if kept is not None:
            answer = self._post(kept, destination, headers, body, limits)
            if not isinstance(answer, NoAnswer) or not limits.allow_another_connection():
                return answer
            # The endpoint, or a network on the way, has given the kept connection up. That is not
            # a failed attempt: the endpoint was not asked.
        return self._post(self._new(destination), destination, headers, body, limits)

    def _post(
        self,
        connection: Connection,
        destination: Destination,
        headers: Headers,
        body: bytes,
        limits: Limits,
    ) -> Answer | NoAnswer:
        """POST over a connection, and keep it when it can be used again."""
        host = destination.host
        try:
            connection.begin(limits)
        except CONNECT_ERRORS as error:
            connection.close()
            return no_connection(error, host, limits)
        try:
            answer = connection.post(destination.target, headers, body)
        except ANSWER_ERRORS as error:
            connection.close()
            return no_complete_answer(error, host, limits)
        self._keep(destination, connection)
        return answer

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            kept = list(self._kept.values())
            self._kept.clear()
        for connection, _ in itertools.chain.from_iterable(kept):
            connection.close()

    def _new(self, destination: Destination) -> Connection:
        with self._lock:
            self.opened += 1
        return Connection(destination.host, destination.port, self._tls, self._dialler)

    def _take(self, destination: Destination) -> Connection | None:
        """A kept connection that the endpoint has not closed so far, None when there is none."""
        fresh = self._clock() - IDLE_SECONDS
        while True:
            with self._lock:
                idle = self._kept.get((destination.host, destination.port))
                if not idle:
                    return None
                connection, since = idle.pop()
            if since > fresh and connection.is_connected:
                return connection
            connection.close()

    def _keep(self, destination: Destination, connection: Connection) -> None:
        if connection.is_closed:
            return
        surplus = []
        with self._lock:
            idle = self._kept.setdefault((destination.host, destination.port), [])
            self._kept.move_to_end((destination.host, destination.port))
            idle.append((connection, self._clock()))
            if len(idle) > KEPT_PER_HOST:
                surplus.append(idle.pop(0))
            if len(self._kept) > KEPT_HOSTS:
                surplus += self._kept.popitem(last=False)[1]
        for connection, _ in surplus:
            connection.close()
