"""The page that explains the error statuses: `help` in every error leads to it."""

from collections.abc import Mapping

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

from dataconnectors.aws import gateway

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
"""What each status means to the caller, and what to do about it."""


def routes() -> Router:
    """`GET /v2/errors`, for everybody."""
    router = Router()

    @router.get(gateway.HELP_PATH)
    def explain() -> Response[str]:
        return Response(status_code=200, content_type="text/html; charset=utf-8", body=page())

    return router


def page() -> str:
    """The page: each status has a heading, which the fragment of `help` names."""
    entries = "".join(
        f'<h2 id="{status}">{status}</h2><p>{text}</p>' for status, text in MEANINGS.items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Errors</title>'
        "<h1>Errors of the Data Connectors API</h1>"
        f'<p>What the API offers: <a href="docs">docs</a>.</p>{entries}</html>'
    )
