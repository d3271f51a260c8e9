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


STYLE = """\
dl{max-width:52rem}
dl>div{display:grid;grid-template-columns:3.5rem minmax(0,1fr);align-items:baseline;gap:0 1rem;
padding:1rem 1.25rem;
border-top:1px solid var(--line)}
dl>div:first-child{border-top:0}
dl>div:target{background:var(--sunken);box-shadow:inset .1875rem 0 var(--accent)}
"""


def routes() -> Router:
    """`GET /v2/errors`, for everybody."""
    router = Router()

    @router.get(gateway.HELP_PATH)
    def explain() -> Response[str]:
        body, policy = page()
        return Response(
            status_code=200,
            content_type="text/html; charset=utf-8",
            body=body,
            headers={"Content-Security-Policy": policy},
        )

    return router


def page() -> tuple[str, str]:
    """The page and its security policy. The fragment of `help` in an error names its status."""
    from dataconnectors.api import html_page  # Cold starts must not pay for it

    entries = "".join(
        f'<div id="{status}"><dt><code>{status}</code></dt><dd>{text}</dd></div>'
        for status, text in MEANINGS.items()
    )
    return html_page.build(
        "Errors",
        "errors",
        "<p>Every answer of the API other than 200 has one of these statuses, and says in its "
        'JSON what is wrong with this request. The calls are explained in <a href="docs">the '
        f'documentation of the API</a>.</p><dl class="card">{entries}</dl>',
        style=STYLE,
    )
