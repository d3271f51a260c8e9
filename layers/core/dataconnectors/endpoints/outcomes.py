"""How an attempt ended: what an endpoint does is a value of ours, never an exception."""

from dataclasses import dataclass
from enum import StrEnum
from ssl import SSLError


class FailureKind(StrEnum):
    """What went wrong, as far as the attempt had come."""

    DNS = "dns"
    REFUSED_ADDRESS = "refused_address"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    STATUS = "status"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is no answer. The message is for the customer to act on: it names their endpoint,
    and holds no header value and no body."""

    kind: FailureKind
    message: str


class NoAnswerError(Exception):
    """Carries a fault from deep inside a connection to `transport`, and no further.

    Not an OSError: urllib3 takes those for failures of its own and wraps them.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.fault = NoAnswer(kind, message)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint has acknowledged. `response_time` in seconds."""

    status: int
    response_time: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The endpoint has not acknowledged, and the event is to be sent again.

    `status` is the HTTP status where there was an answer; `response_time` in seconds.
    """

    kind: FailureKind
    message: str
    response_time: float
    status: int | None = None


Outcome = Delivered | Failed


def reason(error: Exception) -> str:
    """What the system says of an error, without numbers and places: "Connection refused"."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
