"""The token endpoint."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.aws import gateway
from dataconnectors.identity.token_exchange import TokenExchange


def routes(token_exchange: TokenExchange) -> Router:
    """`/v2/oauth2/token`: exchanges a service account's signed assertion (RFC 7523) for a token."""
    router = Router()

    @router.post("/v2/oauth2/token")
    def exchange() -> dict[str, Any]:
        event = router.current_event.raw_event
        return token_exchange.exchange(gateway.body(event), gateway.host(event))

    return router
