"""Connects to a host by TCP, but only to addresses that may be called.

The name is resolved once, all its addresses are checked, and the connection goes to an address that
was checked. A name that resolves to another address a moment later (DNS rebinding) gains nothing.
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
from dataconnectors.endpoints.trace import CONNECT, DNS

ADDRESSES_TRIED = 4
"""The first addresses of a name with more. Each gets a share of the time left, so that one dead
address does not cost the whole attempt."""

LOOKUPS_AT_ONCE = 100
"""Threads that resolve names, at most. AWS: 1,024 threads in one environment. A lookup cannot be
interrupted, and takes half a minute when no name server answers."""

ADDRESSES_REMEMBERED = 1000
"""Addresses whose check is remembered: a check takes longer than a lookup from a cache."""

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
    """Connect by TCP. TCP_NODELAY: what is written leaves at once and does not wait for more."""
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
    """Threads that resolve names, because getaddrinfo takes no deadline and an attempt has one.

    The threads are kept: a new one for each lookup costs a tenth of the TLS handshake that follows.
    """

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._questions: queue.SimpleQueue[tuple[str, int, Limits, _Answers]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._unmade = threading.Semaphore(LOOKUPS_AT_ONCE)

    def ask(self, host: str, port: int, limits: Limits) -> Resolved | Exception | None:
        """The addresses, or the error that the resolver raised; None after the attempt's time."""
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
                limits.remaining()  # raises when nobody waits for this answer any more
                answers.put(self._resolve(host, port))
            except Exception as error:  # noqa: BLE001  # the thread has other names to resolve
                answers.put(error)
            self._idle.release()


class Dialler:
    """Opens connections to public addresses and to `allowed` networks. Threads may share it."""

    def __init__(
        self, allowed: Sequence[Network], *, resolve: Resolve = resolve, dial: Dial = dial
    ) -> None:
        # Whether an address may be called never changes.
        self._may_call = lru_cache(ADDRESSES_REMEMBERED)(partial(_may_call, tuple(allowed)))
        self._dial = dial
        self._lookups = _Lookups(resolve)

    def connect(self, host: str, port: int, limits: Limits) -> socket.socket:
        """A connection to `host`; raises `NoAnswerError` that says what prevented it."""
        limits.trace.enter(DNS)
        resolved = self._look_up(host, port, limits)
        limits.trace.enter(CONNECT)
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
                # The system may have connected elsewhere: check the address that it really has.
                self._check(host, str(connection.getpeername()[0]))
            except OSError as error:  # the host has closed the connection already
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
        """Refuse the whole name when one of its addresses may not be called. Such a name is
        misconfigured, or an attack."""
        if not self._may_call(address):
            raise NoAnswerError(
                FailureKind.REFUSED_ADDRESS,
                f"{host} has the address {address}, which is not public",
            )


def _may_call(allowed: tuple[Network, ...], address: str) -> bool:
    try:
        return may_call(ip_address(address), allowed)
    except ValueError:
        return False
