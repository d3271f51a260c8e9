"""Why there is no complete answer, in words for the endpoint's owner to act on."""

import http.client
import ssl

from dataconnectors.endpoints.limits import Limits
from dataconnectors.endpoints.outcomes import FailureKind, NoAnswer, NoAnswerError, reason


def no_connection(error: Exception, host: str, limits: Limits) -> NoAnswer:
    """After an error while connecting to `host`."""
    match error:
        case NoAnswerError():
            return error.no_answer
        case TimeoutError() | ssl.SSLWantReadError() | ssl.SSLWantWriteError():
            message = f"{host} did not finish the TLS handshake in {limits.timeout:g} s"
            return NoAnswer(FailureKind.TIMEOUT, message)
        case ssl.SSLCertVerificationError():
            return NoAnswer(FailureKind.TLS, f"{host}: {error.verify_message}")
        case _:
            return NoAnswer(FailureKind.TLS, f"no TLS connection to {host}: {reason(error)}")


def no_complete_answer(error: Exception, host: str, limits: Limits) -> NoAnswer:
    """After an error while sending to `host` or reading its answer."""
    match error:
        case NoAnswerError():
            return NoAnswer(error.no_answer.kind, f"{host}: {error.no_answer.message}")
        case TimeoutError():
            message = f"{host} did not answer completely in {limits.timeout:g} s"
            return NoAnswer(FailureKind.TIMEOUT, message)
        case ssl.SSLError():  # for example, it demands a client certificate (TLS 1.3)
            return NoAnswer(FailureKind.TLS, f"{host} ended the TLS connection: {reason(error)}")
        case http.client.RemoteDisconnected():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} closed the connection without an answer")
        case http.client.LineTooLong():
            return NoAnswer(
                FailureKind.TOO_LARGE, f"{host} answered with a header line of more than 64 KiB"
            )
        case http.client.HTTPException() if type(error) is http.client.HTTPException:
            # The standard library raises the base class itself for nothing else.
            return NoAnswer(
                FailureKind.TOO_LARGE, f"{host} answered with more than 100 header lines"
            )
        case http.client.IncompleteRead():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} broke off its answer")
        case OSError():
            return NoAnswer(FailureKind.PROTOCOL, f"{host} broke the connection: {reason(error)}")
        case _:
            return NoAnswer(FailureKind.PROTOCOL, f"{host} did not answer in HTTP/1.1")
