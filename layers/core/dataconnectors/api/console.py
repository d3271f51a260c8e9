"""The way to the console from its address without a path, which its own route may not match."""

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

CONSOLE = "/console"
START = f"{CONSOLE}/projects"
"""The page that everything begins with. The console's function serves it."""


def routes() -> Router:
    """`/console` and `/console/`, for everybody."""
    router = Router()

    @router.get(CONSOLE)
    def enter() -> Response[str]:
        # A provider sends people back to /console/ with a code in the query.
        query = router.current_event.raw_event.get("rawQueryString")
        location = f"{START}?{query}" if query else START
        return Response(status_code=307, headers={"Location": location}, body="")

    return router
