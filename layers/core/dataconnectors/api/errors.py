"""Errors as answers, and the page that explains them."""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver, Response, Router
from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import (
    MethodError,
    NotFoundError,
    RequestError,
    UnavailableError,
    VaultError,
)

PUBLISHING = re.compile(r"/v2/projects/[^/]+/(events|devices/[^/]+:publish)")
"""Paths of another function: it gets their POST, and this one what is left."""

Handler = TypeVar("Handler", bound=Callable[..., Any])

MEANINGS: Mapping[int, str] = {
    400: "The path, the query or the body is wrong. The error names the field and the rule.",
    401: "No credentials, or wrong, expired or revoked ones. Exchange an assertion for a token.",
    403: "You are a member of the project, and your role does not allow this.",
    404: "The resource is not there, or you are no member of its project.",
    405: "The path is served, with other methods.",
    409: "The resource changed, or came to exist, since you read it. Read it again.",
    413: "More than one call may carry. Split it.",
    429: "Too many requests. Wait as many seconds as Retry-After says.",
    500: "A fault of ours; it was logged. Sending the same again is safe.",
    503: "Something behind the API does not answer now. Nothing is lost by sending it again.",
}


def install(app: APIGatewayHttpResolver, logger: Logger) -> None:
    """Answer whatever a route raises with error JSON, never with a stack trace."""

    # Powertools leaves this one decorator without types.
    handles: Callable[[Any], Callable[[Handler], Handler]] = app.exception_handler

    def respond(error: RequestError) -> Response[str]:
        answer = gateway.error_answer(error)
        headers = dict(answer["headers"])
        return Response(
            status_code=answer["statusCode"],
            content_type=headers.pop("content-type"),
            body=answer["body"],
            headers=headers,
        )

    @handles(RequestError)
    def request_failed(error: RequestError) -> Response[str]:
        return respond(error)

    @handles([ClientError, BotoCoreError, VaultError])
    def dependency_failed(error: Exception) -> Response[str]:
        logger.error("api.dependency_failed", extra={"error": f"{type(error).__name__}: {error}"})
        return respond(UnavailableError("the service is busy: send the request again"))

    @handles(Exception)
    def failed(error: Exception) -> Response[str]:
        logger.error("api.failed", exc_info=error)
        return respond(RequestError("a fault of ours, it was logged: try again"))

    @app.not_found
    def no_route(_: Exception) -> Response[str]:
        event = app.current_event.raw_event
        method, path = gateway.method(event), event["rawPath"]
        methods = _methods(app, path)
        if methods and method not in methods:
            return respond(MethodError(path, methods))
        asked = event["requestContext"]["http"].get("path", path)
        text = f"{method:.20} {asked:.200} is not served here"
        # API Gateway routes publishing, and knows a path by one spelling only.
        return respond(NotFoundError(f"{text}: {path:.200} is" if methods else text))

    def verbs_are_no_ids(_: Any, serve: Callable[..., Any]) -> Any:
        """`{id}:metrics` with another method would be served as a resource of that name."""
        event = app.current_event.raw_event
        method, path = gateway.method(event), event["rawPath"]
        methods = _methods(app, path) if ":" in path else set()
        if methods and method not in methods:
            raise MethodError(path, methods)
        return serve(app)

    app.use([verbs_are_no_ids])


def _methods(app: APIGatewayHttpResolver, path: str) -> set[str]:
    """The methods that a path is served with, of its verb where it has one."""
    if PUBLISHING.fullmatch(path):
        return {"POST"}
    # Powertools has no public way to ask; its version is pinned, and a test would notice.
    routes = [*app._static_routes, *app._dynamic_routes]
    served = [route for route in routes if route.rule.match(path)]
    verbs = [route for route in served if ":" in route.path]
    return {route.method for route in verbs or served}


def routes() -> Router:
    """`GET /v2/errors`, where the `help` of every error points."""
    router = Router()

    @router.get(gateway.HELP_PATH)
    def explain() -> Response[str]:
        return Response(status_code=200, content_type="text/html; charset=utf-8", body=page())

    return router


def page() -> str:
    """The page: a heading for each status code, which the fragment of `help` names."""
    entries = "".join(
        f'<h2 id="{status}">{status}</h2><p>{text}</p>' for status, text in MEANINGS.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Errors</title>'
        "<h1>Errors of the Data Connectors API</h1>"
        f'<p>What the API offers: <a href="docs">docs</a>.</p>{entries}</html>'
    )
