"""How an attempt ended. What an endpoint does is a value, never an exception."""

from dataclasses import dataclass, field
from enum import StrEnum
from ssl import SSLError

from dataconnectors.endpoints.trace import Trace


class FailureKind(StrEnum):
    """What went wrong, in the order in which an attempt proceeds."""

    DNS = "dns"
    REFUSED_ADDRESS = "refused_address"
    CONNECT = "connect"
    TLS = "tls"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    STATUS = "status"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `retry_after` is its Retry-After header as it came, "" without one.

    `trace` has what was noted meanwhile; two answers are equal whatever that is.
    """

    status: int
    retry_after: str = ""
    trace: Trace | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why there is no complete answer. The message is for the customer to act on: it names the
    endpoint, and holds no header value and no body. `trace` is as an answer's."""

    kind: FailureKind
    message: str
    trace: Trace | None = field(default=None, compare=False, repr=False)


class NoAnswerError(Exception):
    """Carries a `NoAnswer` from inside a connection to `transport`, which catches it.

    It is no OSError, because urllib3 would wrap that in an error of its own.
    """

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.no_answer = NoAnswer(kind, message)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The endpoint acknowledged the event. `response_time` is in seconds."""

    status: int
    response_time: float


@dataclass(frozen=True, slots=True)
class Failed:
    """The endpoint did not acknowledge the event, which has to be sent again.

    `status` is the HTTP status of its answer, None without one. `response_time` is in seconds, and
    so is `retry_after`: how long the endpoint asked to be left alone, 0 when it did not.
    """

    kind: FailureKind
    message: str
    response_time: float
    status: int | None = None
    retry_after: float = 0.0


Outcome = Delivered | Failed


def reason(error: Exception) -> str:
    """What the system says about an error, without error numbers: "Connection refused"."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
