"""The page that explains the error statuses: `help` in every error leads to it."""

from collections.abc import Mapping

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

from dataconnectors.aws import gateway

MEANINGS: Mapping[int, str] = {
    400: "The path, the query or the body is wrong. The error names the field and the rule.",
    401: "The credentials are missing, wrong, expired or revoked. Get a new access token.",
    403: "You are a member of the project, but your role does not allow this.",
    404: "The resource does not exist, or you are not a member of its project.",
    405: "The path does not have this method. The Allow header lists its methods.",
    409: "Somebody else changed or created the resource since you read it. Read it again.",
    413: "The request is larger than one call may be. Split it into several calls.",
    429: "You sent too many requests. Wait as many seconds as the Retry-After header says.",
    500: "The service failed, and logged the fault. It is safe to send the request again.",
    503: "A service behind the API does not answer. It is safe to send the request again.",
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
        f'<p>The documentation of the API: <a href="docs">docs</a>.</p>{entries}</html>'
    )
