"""The page that an invitation leads to: people cannot sign in here, and the page says so."""

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

INVITATIONS_PATH = "/v2/invitations"


def routes() -> Router:
    """`/v2/invitations`, for everybody."""
    router = Router()

    @router.get(INVITATIONS_PATH)
    def explain_invitations() -> Response[str]:
        return Response(status_code=200, content_type="text/html; charset=utf-8", body=PAGE)

    return router


def invite_url(host: str) -> str:
    """The address of the page, below the name that the client knows the API by."""
    return f"https://{host}{INVITATIONS_PATH}"


PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>Invitations</title>'
    "<h1>Invitations</h1><p>People cannot sign in to this deployment of Data Connectors, so an "
    "invitation cannot be accepted. Ask an administrator of the project for a service account and "
    "a key.</p></html>"
)
