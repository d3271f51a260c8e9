"""From a host name to a TCP connection, over no address but those we agree to call.

The name is resolved once, its answers are checked, and the very address that was checked is
connected to: a name that points elsewhere a moment later (DNS rebinding) gains nothing.
"""

import queue
import socket
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from ipaddress import ip_address

from dataconnectors.endpoints.addresses import Network, may_call
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswerError, reason

ADDRESSES_TRIED = 4
"""Of a name with more, the first ones. Each gets its share of the time left, so that one dead
address does not cost the attempt."""

LOOKUPS_AT_ONCE = 100
"""Threads for the name service at most; AWS: 1,024 threads in one environment. A lookup can't be
interrupted, and lasts for half a minute when no name server answers."""

ADDRESSES_REMEMBERED = 1000
"""Whose check is not repeated: it takes longer than asking the resolver for an address."""

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Resolved = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, SocketAddress]]
Resolve = Callable[[str, int], Resolved]
"""As `socket.getaddrinfo` answers; raises `socket.gaierror`."""

_Answers = queue.SimpleQueue[Resolved | Exception]

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


class _Lookups:
    """Threads that resolve names: getaddrinfo takes no deadline, but who asks has one.

    They are kept. Making one for each lookup costs a tenth of the TLS handshake that follows.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._questions: queue.SimpleQueue[tuple[str, int, Limits, _Answers]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._unmade = threading.Semaphore(LOOKUPS_AT_ONCE)

    def ask(self, host: str, port: int, limits: Limits) -> Resolved | Exception | None:
        """The answer, or what the resolver has raised; None without any in time."""
        answers: _Answers = queue.SimpleQueue()
        self._questions.put((host, port, limits, answers))
        if not self._idle.acquire(blocking=False) and self._unmade.acquire(blocking=False):
            threading.Thread(target=self._work, name="dns", daemon=True).start()
        try:
            answer = answers.get(timeout=limits.remaining())
        except (queue.Empty, TimeoutError):
            return None
        return None if isinstance(answer, TimeoutError) else answer

    def _work(self) -> None:
        while True:
            host, port, limits, answers = self._questions.get()
            try:
                limits.remaining()  # raises when nobody waits for the answer any more
                answers.put(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001  # the thread is needed for other names
                answers.put(error)
            self._idle.release()


class Dialler:
    """Opens connections, to `allowed` networks besides public addresses. For use by threads."""

    def __init__(
        self, allowed: Sequence[Network], *, resolve: Resolve = resolve, dial: Dial = dial
    ) -> None:
        # The answer for an address never changes.
        self._agreed = lru_cache(ADDRESSES_REMEMBERED)(partial(_is_agreed, tuple(allowed)))
        self._dial = dial
        self._lookups = _Lookups(resolve)

    def connect(self, host: str, port: int, limits: Limits) -> socket.socket:
        """A connection to `host`; raises `NoAnswerError` with what prevented it."""
        resolved = self._look_up(host, port, limits)
        for *_, address in resolved:
            self._check(host, str(address[0]))
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
                self._check(host, str(connection.getpeername()[0]))
            except OSError as error:  # the peer is gone already
                connection.close()
                failures.append(f"{address[0]!s}: {reason(error)}")
                continue
            except BaseException:
                connection.close()
                raise
            return connection
        raise NoAnswerError(
            FailureKind.CONNECT, f"no connection to {host} port {port}: {'; '.join(failures)}"
        )

    def _look_up(self, host: str, port: int, limits: Limits) -> Resolved:
        answer = self._lookups.ask(host, port, limits)
        if answer is None:
            raise NoAnswerError(
                FailureKind.DNS,
                f"the name service did not answer for {host} in {limits.timeout:g} s",
            )
        if isinstance(answer, Exception):
            raise NoAnswerError(FailureKind.DNS, f"{host} cannot be resolved: {reason(answer)}")
        if not answer:
            raise NoAnswerError(FailureKind.DNS, f"{host} has no address")
        return answer

    def _check(self, host: str, address: str) -> None:
        """Refuse the name if any of its addresses is not one to call, and not just that address:
        such a name is misconfigured or an attack."""
        if not self._agreed(address):
            raise NoAnswerError(
                FailureKind.REFUSED_ADDRESS,
                f"{host} has the address {address}, which is not public",
            )


def _is_agreed(allowed: tuple[Network, ...], address: str) -> bool:
    try:
        return may_call(ip_address(address), allowed)
    except ValueError:
        return False
