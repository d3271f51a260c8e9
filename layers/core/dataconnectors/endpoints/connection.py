"""One HTTPS connection to an endpoint, which serves one attempt after another."""

import contextlib
import http.client
import socket
import ssl
from email.message import Message
from http import HTTPStatus
from typing import Any

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import HTTPError

from dataconnectors.endpoints.delivery_headers import Headers
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswerError
from dataconnectors.endpoints.trace import FIRST_BYTE, TLS, Trace

UNACKNOWLEDGED_SECONDS = 3
"""How long a connection may wait for the other side's TCP to confirm what was sent. A host that is
there confirms at once, however slow its application is. A network that has forgotten a kept
connection (NAT, a failed-over load balancer) drops everything silently, and without this limit the
attempt would wait for its deadline. Linux: TCP_USER_TIMEOUT, tcp(7)."""

BODY_BYTES = 4096
"""How much of an answer's body is read. What it says changes nothing: a connection can only be kept
when the body was read to its end, and the attempt log shows its beginning."""

CONNECT_ERRORS = (NoAnswerError, OSError, HTTPError, ValueError)
ANSWER_ERRORS = (
    NoAnswerError,
    OSError,
    http.client.HTTPException,
    ValueError,
    ArithmeticError,  # a chunk whose length no number of the machine holds
)
"""What an endpoint can make the standard library and urllib3 raise. Anything else is our bug."""


class _Answer(http.client.HTTPResponse):
    """The final answer: it skips interim ones, such as 103 Early Hints (RFC 9110, section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        version, status, phrase = super()._read_status()  # type: ignore[misc]  # not public
        if (
            HTTPStatus.CONTINUE < status < HTTPStatus.OK
            and status != HTTPStatus.SWITCHING_PROTOCOLS
        ):
            status = HTTPStatus.CONTINUE  # the only status that the standard library skips
        return version, status, phrase


class Connection(HTTPSConnection):
    """A connection that connects by our dialler. Call `begin` and then `post` for each attempt."""

    sock: Any
    response_class = _Answer

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None, dialler: Dialler) -> None:
        """Without `tls`, it cannot connect, and only writes requests."""
        super().__init__(host, port, ssl_context=tls)
        self._dialler = dialler

    def begin(self, limits: Limits) -> None:
        """Connect if necessary, and apply the limits of this attempt."""
        self._limits = limits
        if self.is_closed:
            self.connect()
        self.sock.limits = limits

    def post(self, target: str, headers: Headers, body: bytes) -> Answer:
        """The answer. The connection is closed unless it can be used again."""
        trace = self._limits.trace
        trace.enter(FIRST_BYTE)
        request = self.written(target, headers, body)
        # An endpoint may answer and close before it has read everything. Its answer still counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().send(request)
        trace.sent = len(request)
        # Not urllib3's, whose response redirects, retries and decompresses. None of that is wanted
        # here, and it costs a fifth of a POST's CPU.
        response = http.client.HTTPConnection.getresponse(self)
        if self._limits.ended:
            # The standard library would take the end of the connection for the end of the headers.
            raise http.client.IncompleteRead(b"")
        if not response.chunked and _contradicts_itself(response.headers):
            raise NoAnswerError(FailureKind.PROTOCOL, "the answer has more than one length")
        trace.status, trace.headers = response.status, response.headers.items()
        answer = Answer(response.status, response.headers.get("Retry-After", ""), trace)
        try:
            complete = _read_body(response, trace)
        except ANSWER_ERRORS:
            self.close()
            if 200 <= response.status < 300:
                raise  # The endpoint has not finished the answer that would acknowledge the event.
            return answer
        # After a 101 the connection no longer speaks HTTP.
        if not complete or response.status < 200:
            self.close()
        return answer

    def written(self, target: str, headers: Headers, body: bytes) -> bytearray:
        """The head and the body of a POST, as they go over the wire. Nothing is sent.

        Raises `NoAnswerError` for a header that HTTP does not allow.
        """
        self._unsent = bytearray()
        try:
            self.putrequest("POST", target, skip_accept_encoding=True)
            self.putheader("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.putheader(name, value)
            self.endheaders(body)
        except ValueError:
            # Headers are checked when they are configured. Do not name the value, a secret perhaps.
            raise NoAnswerError(
                FailureKind.PROTOCOL, "a header of the connector is not allowed in HTTP"
            ) from None
        return self._unsent

    def send(self, data: Any) -> None:
        """Collect the head and the body that `endheaders` sends. One TLS record for both saves a
        fifth of a POST's CPU."""
        self._unsent += data

    def _new_conn(self) -> Any:
        connection = self._dialler.connect(self.host, self.port, self._limits)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux, hence Lambda
            milliseconds = UNACKNOWLEDGED_SECONDS * 1000
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
        connection.settimeout(self._limits.remaining())  # for the whole TLS handshake
        self._limits.trace.enter(TLS)
        return connection


def _contradicts_itself(headers: Message) -> bool:
    """Whether lengths differ. The standard library goes by the first (RFC 9112, section 6.3)."""
    lines = headers.get_all("Content-Length", ())
    return len({length.strip() for line in lines for length in line.split(",")}) > 1


def _read_body(response: http.client.HTTPResponse, trace: Trace) -> bool:
    """Read the body up to the limit into the notes, and return whether that was all of it."""
    while (left := BODY_BYTES - len(trace.body)) > 0:
        part = response.read(left)
        if not part:
            if response.length:
                # The standard library takes the end of the connection for the end of the body.
                raise http.client.IncompleteRead(bytes(trace.body), response.length)
            trace.is_whole = True
            return True
        trace.body += part
    return False
