"""Measures what the check of addresses costs an attempt.

    python -m bench guard

The measure is the CPU time of an attempt over a new connection, with TLS handshake and resolver. It
is divided by that of the same attempt without the check. Both resolve in a thread that can be given
up, so that an attempt keeps its deadline. urllib3 resolves in the calling thread, however long that
takes; the difference is shown and has no budget. Variants take turns, and the median of the rounds'
ratios counts. A kept connection must use neither the resolver nor the check.
"""

import socket
import time
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network

from bench.report import Figure
from bench.sender import endpoint
from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.connection import Connection
from dataconnectors.endpoints.dialler import Dialler, Resolved, dial, resolve
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import Answer
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport

ALLOWED = (ip_network("127.0.0.0/8"),)
TIMEOUT = 10.0
HEADERS = {"Content-Type": "application/json"}
BODY = b'{"event":{"data":"%b"}}' % (b"x" * 400)

ROUNDS = 300
CONNECTIONS_PER_ROUND = 5
"""Few, so that the machine's other work affects both variants alike."""

NEW_BUDGET = 1.05
KEPT_BUDGET = 0


class Unguarded(Connection):
    """A connection to the first address that was resolved, without a check."""

    def _new_conn(self) -> socket.socket:
        ((family, *_, address), *_) = self._dialler._look_up(self.host, self.port, self._limits)
        return dial(family, address, self._limits.remaining())


class Plain(Connection):
    """A connection by urllib3's own code."""

    def _new_conn(self) -> socket.socket:
        return super(Connection, self)._new_conn()


def cpu(attempt: Callable[[], None]) -> float:
    """CPU seconds of this process, its threads included, for a round."""
    before = time.process_time()
    for _ in range(CONNECTIONS_PER_ROUND):
        attempt()
    return time.process_time() - before


def measure() -> list[Figure]:
    """Measure new connections in turns, and then kept ones."""
    asked = 0

    def counted(host: str, port: int) -> Resolved:
        nonlocal asked
        asked += 1
        return resolve(host, port)

    with endpoint() as (port, authority):
        tls = client_context(authority)
        dialler = Dialler(ALLOWED)

        def anew(kind: type[Connection]) -> None:
            connection = kind("127.0.0.1", port, tls, dialler)
            connection.begin(Limits(TIMEOUT))
            assert connection.post("/0", HEADERS, BODY).status == 200
            connection.close()

        kinds = (Connection, Unguarded, Plain)
        rounds = [[cpu(partial(anew, kind)) for kind in kinds] for _ in range(ROUNDS)]
        transport = Transport(tls, Dialler(ALLOWED, resolve=counted))
        here = Destination("127.0.0.1", port, "/0")
        transport.post(here, HEADERS, BODY, TIMEOUT)
        first = asked
        for _ in range(100):
            assert transport.post(here, HEADERS, BODY, TIMEOUT) == Answer(200)
        transport.close()
    milliseconds = 1e3 / CONNECTIONS_PER_ROUND
    ours, unguarded, plain = zip(*rounds, strict=True)
    ratios = [one / other for one, other in zip(ours, unguarded, strict=True)]
    return [
        Figure("CPU of a POST on a new connection / without the guard", ratios, NEW_BUDGET),
        Figure("CPU per new connection", [each * milliseconds for each in ours], None, "ms"),
        Figure("the same by urllib3", [each * milliseconds for each in plain], None, "ms"),
        Figure("addresses resolved or checked, 100 kept POSTs", [asked - first], KEPT_BUDGET),
    ]
