"""Routes that describe the API: the OpenAPI document, and the document as a page."""

import json
from functools import cache, lru_cache

from aws_lambda_powertools.event_handler.api_gateway import Response, Router

from dataconnectors.aws import gateway

CACHED = "public, max-age=300"
"""Browsers show what a new version of this program says within five minutes."""

ORIGINS = 4
"""How many addresses of the API have their page kept. A deployment has one or two; callers may send
any."""


def routes() -> Router:
    """`/v2/openapi.json` and `/v2/docs`, for everybody."""
    router = Router()

    @router.get("/v2/openapi.json")
    def get_document() -> Response[str]:
        return Response(
            status_code=200,
            content_type="application/json",
            body=document(),
            headers={"Cache-Control": CACHED, "Access-Control-Allow-Origin": "*"},
        )

    @router.get("/v2/docs")
    def get_page() -> Response[str]:
        body, policy = page(gateway.origin(router.current_event.raw_event))
        return Response(
            status_code=200,
            content_type="text/html; charset=utf-8",
            body=body,
            headers={"Cache-Control": CACHED, "Content-Security-Policy": policy},
        )

    return router


# The first request for the description imports it: cold starts must not pay for it.


@cache
def document() -> str:
    """The OpenAPI document as JSON text."""
    from dataconnectors.api.openapi.document import build

    return json.dumps(build(), separators=(",", ":"), ensure_ascii=False)


@lru_cache(ORIGINS)
def page(origin: str) -> tuple[str, str]:
    """The page as HTML, and its content security policy. `origin` is the address of the API."""
    from dataconnectors.api.openapi.page import render

    return render(json.loads(document()), origin)
