"""Errors as answers: whatever a route raises, the caller gets error JSON."""

from collections.abc import Callable
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response
from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.api.methods import served_methods
from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import (
    MethodNotAllowedError,
    NotFoundError,
    RequestError,
    UnavailableError,
    VaultError,
)

Handler = TypeVar("Handler", bound=Callable[..., Any])


def answer_errors(app: APIGatewayHttpResolver, logger: Logger) -> None:
    """Answer every error with error JSON, never with a stack trace.

    Unknown paths get 404, known paths with an unknown method 405.
    """
    # Powertools gives this one decorator no types.
    handles: Callable[[Any], Callable[[Handler], Handler]] = app.exception_handler

    @handles(RequestError)
    def request_failed(error: RequestError) -> Response[str]:
        return _response(error)

    @handles([ClientError, BotoCoreError, VaultError])
    def dependency_failed(error: Exception) -> Response[str]:
        logger.error("api.dependency_failed", extra={"error": f"{type(error).__name__}: {error}"})
        return _response(UnavailableError("the service is busy: send the request again"))

    @handles(Exception)
    def failed(error: Exception) -> Response[str]:
        logger.error("api.failed", exc_info=error)
        return _response(RequestError("a fault of ours, it was logged: try again"))

    @app.not_found
    def no_route(_: Exception) -> Response[str]:
        event = app.current_event.raw_event
        method, path = gateway.method(event), event["rawPath"]
        methods = served_methods(app, path)
        if methods and method not in methods:
            return _response(MethodNotAllowedError(path, methods))
        sent_path = event["requestContext"]["http"].get("path", path)
        text = f"{method:.20} {sent_path:.200} is not served here"
        # A POST that publishes comes here only when its path is spelt in another way (`//`), which
        # API Gateway does not recognize: the answer names the spelling that it does.
        return _response(NotFoundError(f"{text}: {path:.200} is" if methods else text))


def _response(error: RequestError) -> Response[str]:
    answer = gateway.error_answer(error)
    headers = dict(answer["headers"])
    return Response(
        status_code=answer["statusCode"],
        content_type=headers.pop("content-type"),
        body=answer["body"],
        headers=headers,
    )
