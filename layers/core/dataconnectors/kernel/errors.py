"""The exceptions that callers may catch.

DataConnectorsError
├── SettingsError           the deployment is wrong: names the variable
├── JsonTextError           a text is not JSON that we accept
├── EventError              an event cannot be accepted: names the field
├── MessageError            a queue message is not one of ours
├── DestinationError        a URL that no connector may have: says why
├── VaultError              KMS did not seal or open a secret
├── StaleError              no fresh enough read of a connector was to be had in time
├── UnknownConnectorError   a queue message is of a connector that was never there
├── ControlPlaneError       SQS or Lambda did not do what provisioning asked, for now
└── RequestError            an HTTP request that is answered with error JSON
    ├── BadRequestError     400
    ├── UnauthorizedError   401
    ├── ForbiddenError      403
    ├── NotFoundError       404
    ├── MethodError         405
    ├── ConflictError       409
    ├── TooLargeError       413
    ├── TooManyRequestsError 429
    └── UnavailableError    503

What a customer's endpoint does is never an exception: see `delivery`.
"""

from collections.abc import Iterable


class DataConnectorsError(Exception):
    """Root of everything this package raises on purpose."""


class SettingsError(DataConnectorsError):
    """A variable of the function's environment is missing or does not fit the others."""


class JsonTextError(DataConnectorsError):
    """A text is not JSON, or is JSON that no JavaScript receiver could read back the same."""


class EventError(DataConnectorsError):
    """An event cannot be accepted. The text names the field and what was expected."""


class MessageError(DataConnectorsError):
    """A queue message cannot be read as any version that this code knows."""


class DestinationError(DataConnectorsError):
    """A URL cannot be pushed to, or must not. The text says why, for the customer to read."""


class VaultError(DataConnectorsError):
    """KMS did not answer, or refused: the secret is not available now."""


class StaleError(DataConnectorsError):
    """Nothing that was read is fresh enough to act on, and there is no time to read again."""


class UnknownConnectorError(DataConnectorsError):
    """Neither the connector nor a trace of it is there, though it has a message in a queue."""


class ControlPlaneError(DataConnectorsError):
    """A queue or a mapping is not as it should be yet. The reconciler tries again."""


class RequestError(DataConnectorsError):
    """A request cannot be served. `status` is the HTTP status; the text is shown to the caller."""

    status = 500


class BadRequestError(RequestError):
    """The path, the query or the body is wrong. The text names the field and what was expected."""

    status = 400


class UnauthorizedError(RequestError):
    """No credentials, or credentials that are wrong, expired or revoked."""

    status = 401


class ForbiddenError(RequestError):
    """A member of the project whose role does not allow this."""

    status = 403


class NotFoundError(RequestError):
    """The resource is not there, or the caller is no member of its project: one answer for both."""

    status = 404


class MethodError(RequestError):
    """The path is served, with other methods: those `allowed`, as the Allow header has them."""

    status = 405

    def __init__(self, path: str, methods: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(methods))
        super().__init__(f"{path:.200} is served with {self.allowed}")


class ConflictError(RequestError):
    """The resource changed, or came to exist, since the caller read it."""

    status = 409


class TooLargeError(RequestError):
    """More than one call may carry. The text says how to split it."""

    status = 413


class TooManyRequestsError(RequestError):
    """More requests than a key may make in a while."""

    status = 429


class UnavailableError(RequestError):
    """Something behind us does not answer. Nothing is lost by sending the request again."""

    status = 503
