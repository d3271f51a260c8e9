"""One HTTPS POST within one deadline, over connections that are kept.

A customer's endpoint may be slow, broken or hostile. Each socket operation gets what is left of the
attempt's time, so that neither a drip of bytes nor silence outlasts it; the answer is read up to a
limit and never decompressed; nothing is called but what `dialling` agrees to. There are no proxies,
no .netrc, no redirects and no retries here.
"""

import contextlib
import http.client
import itertools
import logging
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import certifi
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError, SSLError
from urllib3.response import BaseHTTPResponse
from urllib3.util import SKIP_HEADER

from dataconnectors.endpoints.addresses import Destination
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer, NoAnswerError, reason
from dataconnectors.kernel.errors import SettingsError

BODY_BYTES = 4096
"""Of an answer's body. It is read only so that the connection can be kept: no content matters."""

KEPT_PER_HOST = 10
"""Connections: as many as a batch has events."""

KEPT_HOSTS = 20
"""Hosts with kept connections. AWS: 1,024 file descriptors in one environment."""

IDLE_SECONDS = 50.0
"""How long an idle connection is worth reusing: load balancers close theirs after a minute, and
a network may forget one without telling."""

AUTHORITIES = Path(__file__).parents[1] / "authorities/public"
"""certifi's, one file each, in a built layer (layers/core/authorities.py)."""

Headers = Mapping[str, str]

_CONNECT_ERRORS = (NoAnswerError, OSError, HTTPError, ValueError)
_ANSWER_ERRORS = (
    NoAnswerError,
    OSError,
    HTTPError,
    http.client.HTTPException,
    ValueError,
    ArithmeticError,  # the length of a chunk that no number of the machine holds
)
"""What an endpoint can make the standard library and urllib3 raise. Anything else is our bug."""

# It logs answers with malformed headers, with a stack trace: to us an everyday event.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)


_OUT_OF_TIME = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
"""What a TLS socket raises in place of TimeoutError when its time ends at the very moment in which
it looks: then it takes itself for one that does not wait."""


class _LimitedSocket(ssl.SSLSocket):
    """A TLS socket of which each operation is bounded by the attempt that it works for."""

    limits: Limits

    def send(self, data: Any, flags: int = 0) -> int:  # sendall is a loop over this
        while True:
            self.settimeout(self.limits.remaining())
            try:
                return super().send(data, flags)
            except _OUT_OF_TIME:
                continue

    def recv_into(self, buffer: Any, nbytes: int | None = None, flags: int = 0) -> int:
        while True:
            self.settimeout(self.limits.remaining())
            try:
                size = super().recv_into(buffer, nbytes, flags)
            except _OUT_OF_TIME:
                continue
            self.limits.receive(size)
            return size


def client_context(
    trusted_authorities_file: str = "", *, authorities: Path = AUTHORITIES
) -> ssl.SSLContext:
    """The one TLS context of a process: certifi's authorities, and those of a PEM file besides.

    Loading all authorities takes longer than ten handshakes, so it is done once, and in a built
    layer not at all: OpenSSL looks up those that a handshake needs. Certificates and host names are
    verified. Raises `SettingsError` for a file that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _LimitedSocket
    if authorities.is_dir():
        context.load_verify_locations(capath=authorities)
    else:
        context.load_verify_locations(certifi.where())
    if trusted_authorities_file:
        try:
            context.load_verify_locations(trusted_authorities_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"TRUSTED_AUTHORITIES_FILE {trusted_authorities_file}: {error}, "
                "expected a PEM file of certificates"
            ) from None
    return context


class _Answer(http.client.HTTPResponse):
    """An answer after any interim ones, such as 103 Early Hints (RFC 9110, section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, phrase = super()._read_status()  # type: ignore[misc]  # not public
        if (
            HTTPStatus.CONTINUE < status < HTTPStatus.OK
            and status != HTTPStatus.SWITCHING_PROTOCOLS
        ):
            status = HTTPStatus.CONTINUE  # the only one that the standard library reads on after
        return version, status, phrase


class _Connection(HTTPSConnection):
    """A connection that dials with our dialler, and serves one attempt after another."""

    sock: Any
    response_class = _Answer

    def __init__(self, host: str, port: int, tls: ssl.SSLContext, dialler: Dialler) -> None:
        super().__init__(host, port, ssl_context=tls)
        self._dialler = dialler

    def begin(self, limits: Limits) -> None:
        """Be ready for a request: connected, and bound to the limits of this attempt."""
        self._limits = limits
        self.timeout = limits.remaining()  # urllib3 sets it on the socket, which sets its own
        if self.is_closed:
            self.connect()
        self.sock.limits = limits

    def post(self, target: str, headers: Headers, body: bytes) -> int:
        """The status of the answer. The connection is closed unless it can be used again."""
        self._unsent = bytearray()
        try:
            self.request(
                "POST",
                target,
                body,
                {**headers, "Accept-Encoding": SKIP_HEADER},
                preload_content=False,
                decode_content=False,
            )
        except ValueError:
            # Ours are checked when they are configured; a value is a secret and not named.
            raise NoAnswerError(
                FailureKind.PROTOCOL, "a header of the connector is not allowed in HTTP"
            ) from None
        # An endpoint may answer, and close, before it has read everything.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().send(self._unsent)
        response = self.getresponse()
        if self._limits.ended:
            # The standard library takes the end of a connection for the end of the headers.
            raise ProtocolError("the connection ended within the headers")
        try:
            complete = _read(response)
        except _ANSWER_ERRORS:
            self.close()
            if 200 <= response.status < 300:
                raise  # It would acknowledge the event, and the endpoint has not finished it.
            return response.status
        # What follows 101 is no HTTP.
        if not complete or response.status < 200:
            self.close()
        return response.status

    def send(self, data: Any) -> None:
        """Collect what `request` sends, head and body: one TLS record for both saves a fifth of a
        POST's CPU."""
        self._unsent += data

    def _new_conn(self) -> Any:
        connection = self._dialler.connect(self.host, self.port, self._limits)
        connection.settimeout(self._limits.remaining())  # of the whole TLS handshake
        return connection


def _read(response: BaseHTTPResponse) -> bool:
    """Read the body up to the limit, and return whether that was all of it."""
    left = BODY_BYTES
    while left > 0:
        part = response.read(left, decode_content=False)
        if not part:
            return True
        left -= len(part)
    return False


class Transport:
    """Posts to endpoints, keeping connections. For use by threads.

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
        # By host and port, the least recently used first: connections and since when each is idle.
        self._kept: OrderedDict[tuple[str, int], list[tuple[_Connection, float]]] = OrderedDict()

    def post(
        self, destination: Destination, headers: Headers, body: bytes, timeout: float
    ) -> int | NoAnswer:
        """The status of the answer to a POST, or why there is none within `timeout` seconds.

        An answer of 2xx counts when it is complete, or when the first `BODY_BYTES` of its body
        have come; any other as soon as its headers have.
        """
        host = destination.host
        limits = Limits(timeout)
        connection = self._take(destination)
        try:
            connection.begin(limits)
        except _CONNECT_ERRORS as error:
            connection.close()
            return _no_connection(error, host, limits)
        try:
            status = connection.post(destination.target, headers, body)
        except _ANSWER_ERRORS as error:
            connection.close()
            return _no_complete_answer(error, host, limits)
        self._keep(destination, connection)
        return status

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            kept = list(self._kept.values())
            self._kept.clear()
        for connection, _ in itertools.chain.from_iterable(kept):
            connection.close()

    def _take(self, destination: Destination) -> _Connection:
        """A kept connection that its peer has not closed in the meantime, or else a new one."""
        fresh = self._clock() - IDLE_SECONDS
        while True:
            with self._lock:
                idle = self._kept.get((destination.host, destination.port))
                if not idle:
                    self.opened += 1
                    break
                connection, since = idle.pop()
            if since > fresh and connection.is_connected:
                return connection
            connection.close()
        return _Connection(destination.host, destination.port, self._tls, self._dialler)

    def _keep(self, destination: Destination, connection: _Connection) -> None:
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


def _no_connection(error: Exception, host: str, limits: Limits) -> NoAnswer:
    match error:
        case NoAnswerError():
            return error.fault
        case TimeoutError() | ssl.SSLWantReadError() | ssl.SSLWantWriteError():
            message = f"{host} did not finish the TLS handshake in {limits.timeout:g} s"
            return NoAnswer(FailureKind.TIMEOUT, message)
        case ssl.SSLCertVerificationError():
            return NoAnswer(FailureKind.TLS, f"{host}: {error.verify_message}")
        case _:
            return NoAnswer(FailureKind.TLS, f"no TLS connection to {host}: {reason(error)}")


def _no_complete_answer(error: Exception, host: str, limits: Limits) -> NoAnswer:
    match error:
        case NoAnswerError():
            return NoAnswer(error.fault.kind, f"{host}: {error.fault.message}")
        case TimeoutError() | ReadTimeoutError():
            message = f"{host} did not answer completely in {limits.timeout:g} s"
            return NoAnswer(FailureKind.TIMEOUT, message)
        case ssl.SSLError():  # such as its demand for a client certificate, in TLS 1.3
            return NoAnswer(FailureKind.TLS, f"{host} ended the TLS connection: {reason(error)}")
        case SSLError():  # within the body
            return NoAnswer(FailureKind.TLS, f"{host} ended the TLS connection")
        case http.client.RemoteDisconnected():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} closed the connection without an answer")
        case http.client.LineTooLong():
            return NoAnswer(
                FailureKind.TOO_LARGE, f"{host} answered with a header line of more than 64 KiB"
            )
        case http.client.HTTPException() if type(error) is http.client.HTTPException:
            # The standard library raises the base class itself for this alone.
            return NoAnswer(
                FailureKind.TOO_LARGE, f"{host} answered with more than 100 header lines"
            )
        case ProtocolError():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} broke off its answer")
        case OSError():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} broke the connection: {reason(error)}")
        case _:
            return NoAnswer(FailureKind.PROTOCOL, f"{host} did not answer in HTTP/1.1")
