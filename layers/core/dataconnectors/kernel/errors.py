"""The exceptions that callers may catch.

DataConnectorsError
├── SettingsError             a variable of the function's environment is missing or wrong
├── JsonTextError             a text is not JSON that we accept
├── EventError                a published event is refused: names the field
├── MessageError              a queue message has no version that this code can read
├── DestinationError          a connector may not have this URL; the text says why
├── VaultError                KMS did not seal or open a secret
├── StaleError                a connector could not be read recently enough before an attempt
├── UnknownConnectorError     a queue message belongs to a connector that never existed
├── OutOfTimeError            a run ends before it may make its next call (in `provisioning`)
├── ControlPlaneError         SQS or Lambda did not do what provisioning asked; try again later
│   ├── CallError             a call failed (in `provisioning.control_plane`)
│   └── NotYetError           AWS is still at work on an earlier call (in the same module)
└── RequestError              an HTTP request is answered with error JSON
    ├── BadRequestError       400
    ├── UnauthorizedError     401
    ├── ForbiddenError        403
    ├── NotFoundError         404
    ├── MethodNotAllowedError 405
    ├── ConflictError         409
    ├── TooLargeError         413
    ├── TooManyRequestsError  429
    └── UnavailableError      503

Errors that only one package raises and catches are defined there. What a customer's endpoint does
is never an exception but a value: see `endpoints.outcomes`.
"""

from collections.abc import Iterable


class DataConnectorsError(Exception):
    """The root of every exception that this code raises on purpose."""


class SettingsError(DataConnectorsError):
    """A variable of the function's environment is missing, or contradicts another one."""


class JsonTextError(DataConnectorsError):
    """A text is not JSON, or is JSON that a JavaScript receiver would not read back unchanged."""


class EventError(DataConnectorsError):
    """An event cannot be accepted. The text names the field and what was expected."""


class MessageError(DataConnectorsError):
    """A queue message is in no version of the format that this code can read."""


class DestinationError(DataConnectorsError):
    """Events cannot or must not be sent to a URL. The customer reads the text, which says why."""


class VaultError(DataConnectorsError):
    """KMS did not answer, or refused: the secret is not available at the moment."""


class StaleError(DataConnectorsError):
    """What was read is too old to act on, and there is no time left to read it again."""


class UnknownConnectorError(DataConnectorsError):
    """A queue holds a message of a connector that has neither a row nor a tombstone."""


class ControlPlaneError(DataConnectorsError):
    """A queue or an event source mapping is not yet as it should be; the reconciler retries."""


class RequestError(DataConnectorsError):
    """A request is refused. `status` is the HTTP status, and the caller is shown the text."""

    status = 500


class BadRequestError(RequestError):
    """The path, the query or the body is wrong. The text names the field and what was expected."""

    status = 400


class UnauthorizedError(RequestError):
    """The request has no credentials, or they are wrong, expired or revoked."""

    status = 401


class ForbiddenError(RequestError):
    """The caller is a member of the project, but no role of theirs allows the request."""

    status = 403


class NotFoundError(RequestError):
    """The resource does not exist, or the caller is not a member of its project.

    Both get the same answer, so that nobody can find out which projects exist.
    """

    status = 404


class MethodNotAllowedError(RequestError):
    """The path is served, but not with this method. `allowed` is the value of the Allow header."""

    status = 405

    def __init__(self, path: str, methods: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(methods))
        super().__init__(f"{path:.200} is served with {self.allowed}")


class ConflictError(RequestError):
    """The resource was changed or created since the caller read it."""

    status = 409


class TooLargeError(RequestError):
    """A call carries more than one call may. The text says how to split it."""

    status = 413


class TooManyRequestsError(RequestError):
    """A key made more requests than it may (see `identity.throttle`), or a connector gets more of a
    kind than it may. `retry_after` is the value of the Retry-After header: whole seconds."""

    status = 429

    def __init__(self, text: str, wait: int) -> None:
        self.retry_after = str(wait)
        super().__init__(text)


class UnavailableError(RequestError):
    """A service that we depend on does not answer. Sending the request again is safe."""

    status = 503
