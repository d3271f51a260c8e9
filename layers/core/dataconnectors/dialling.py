"""From a host name to a TCP connection, over no address but those we agree to call.

The name is resolved once, its answers are checked, and the very address that was checked is
connected to: a name that points elsewhere a moment later (DNS rebinding) gains nothing.
"""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from ipaddress import ip_address

from dataconnectors.destinations import Network, may_call
from dataconnectors.limits import Limits
from dataconnectors.outcomes import FaultError, Kind, reason

ADDRESSES_TRIED = 4
"""Of a name with more, the first ones. Each gets its share of the time left, so that one dead
address does not cost the attempt."""

LOOKUPS_AT_ONCE = 100
"""Threads waiting for the name service; AWS: 1,024 threads in one environment. A lookup can't be
interrupted, and lasts for half a minute when no name server answers."""

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Resolved = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]]
Resolve = Callable[[str, int], Resolved]
"""As `socket.getaddrinfo` answers; raises `socket.gaierror`."""

Dial = Callable[[socket.AddressFamily, SocketAddress, float], socket.socket]
"""A TCP connection to an address within so many seconds; raises OSError."""


def resolve(host: str, port: int) -> Resolved:
    """Ask the system's resolver."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def dial(family: socket.AddressFamily, address: SocketAddress, timeout: float) -> socket.socket:
    """Connect. What is written leaves at once (TCP_NODELAY), without waiting for more."""
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


class Dialler:
    """Opens connections, to `allowed` networks besides public addresses. For use by threads."""

    def __init__(
        self, allowed: Sequence[Network], *, resolve: Resolve = resolve, dial: Dial = dial
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve
        self._dial = dial
        self._lookups = threading.BoundedSemaphore(LOOKUPS_AT_ONCE)

    def connect(self, host: str, port: int, limits: Limits) -> socket.socket:
        """A connection to `host`; raises `FaultError` with what prevented it."""
        resolved = self._look_up(host, port, limits)
        for *_, address in resolved:
            self._check(host, address)
        candidates = resolved[:ADDRESSES_TRIED]
        failures = []
        for position, (family, *_, address) in enumerate(candidates):
            try:
                share = limits.remaining() / (len(candidates) - position)
                connection = self._dial(family, address, share)
            except OSError as error:
                failures.append(f"{address[0]!s}: {reason(error)}")
                continue
            try:
                # A last look at where the system has really connected to.
                self._check(host, connection.getpeername())
            except OSError as error:  # the peer is gone already
                connection.close()
                failures.append(f"{address[0]!s}: {reason(error)}")
                continue
            except BaseException:
                connection.close()
                raise
            return connection
        raise FaultError(
            Kind.CONNECT, f"no connection to {host} port {port}: {'; '.join(failures)}"
        )

    def _look_up(self, host: str, port: int, limits: Limits) -> Resolved:
        """Resolve in a thread of its own: getaddrinfo takes no deadline."""
        answers: queue.SimpleQueue[Resolved | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answers.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                answers.put(error)
            finally:
                self._lookups.release()

        try:
            if not self._lookups.acquire(timeout=limits.remaining()):
                raise TimeoutError
            threading.Thread(target=look_up, name=f"dns {host}", daemon=True).start()
            answer = answers.get(timeout=limits.remaining())
        except (queue.Empty, TimeoutError):
            raise FaultError(
                Kind.DNS, f"the name service did not answer for {host} in {limits.timeout:g} s"
            ) from None
        if isinstance(answer, Exception):
            raise FaultError(Kind.DNS, f"{host} cannot be resolved: {reason(answer)}")
        if not answer:
            raise FaultError(Kind.DNS, f"{host} has no address")
        return answer

    def _check(self, host: str, address: SocketAddress) -> None:
        """Refuse the name if any of its addresses is not one to call, and not just that address:
        such a name is misconfigured or an attack."""
        try:
            agreed = may_call(ip_address(address[0]), self._allowed)
        except ValueError:
            agreed = False
        if not agreed:
            raise FaultError(
                Kind.REFUSED_ADDRESS, f"{host} has the address {address[0]!s}, which is not public"
            )
