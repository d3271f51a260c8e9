"""The page that an invitation leads to, which says how a person signs in."""

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

INVITATIONS_PATH = "/v2/invitations"


def routes(*, people_sign_in: bool) -> Router:
    """`/v2/invitations`, for everybody. `people_sign_in` says whether people can sign in here."""
    router = Router()

    @router.get(INVITATIONS_PATH)
    def explain_invitations() -> Response[str]:
        from dataconnectors.api import html_page  # Cold starts must not pay for it

        text = WITH_SIGN_IN if people_sign_in else WITHOUT_SIGN_IN
        html, policy = html_page.build("Invitations", "invitations", f"<p>{text}</p>")
        return Response(
            status_code=200,
            content_type="text/html; charset=utf-8",
            body=html,
            headers={"Content-Security-Policy": policy},
        )

    return router


def invite_url(origin: str) -> str:
    """The address of the page. `origin` is what the client knows the API by: `https://host`."""
    return f"{origin}{INVITATIONS_PATH}"


WITH_SIGN_IN = (
    "Sign in at the OpenID provider of this deployment with the email that was invited, and "
    'exchange the id token for an access token: <a href="docs">the documentation</a>. There '
    "is nothing else to accept."
)

WITHOUT_SIGN_IN = (
    "People cannot sign in to this deployment of Data Connectors, so an invitation cannot be "
    "accepted. Ask an administrator of the project for a service account and a key."
)
