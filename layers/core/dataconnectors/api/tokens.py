"""The endpoints that give access tokens."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity import people
from dataconnectors.identity.access import Access
from dataconnectors.identity.authentication import Caller
from dataconnectors.identity.token_exchange import TokenExchange
from dataconnectors.kernel import fields
from dataconnectors.kernel.errors import NotFoundError
from dataconnectors.services.people import PeopleService

SIGN_IN_PATH = "/v2/oidc/token"
"""The path of the template's `SignInRoute`."""


def routes(token_exchange: TokenExchange) -> Router:
    """`/v2/oauth2/token`: exchanges a service account's signed assertion (RFC 7523) for a token."""
    router = Router()

    @router.post("/v2/oauth2/token")
    def exchange() -> dict[str, Any]:
        event = router.current_event.raw_event
        return token_exchange.exchange(gateway.body(event), gateway.host(event))

    return router


def people_routes(service: PeopleService, access: Access) -> Router:
    """`/v2/oidc/token`: exchanges a person's id token (OpenID Connect) for a token.

    The template has a JWT authorizer for this route if people may sign in. Otherwise the request
    arrives like any other, without verified claims, and nobody may do anything with it.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.post(SIGN_IN_PATH)
    def sign_in() -> dict[str, Any]:
        claims = gateway.claims(request.event)
        if claims is None:
            raise NotFoundError(
                "people can sign in only where a deployment names an OpenID provider (OidcIssuer), "
                f"with POST {SIGN_IN_PATH} written like this"
            )
        nonce = fields.values_to_set(request.body(), ("nonce",)).get("nonce")
        person = people.signed_in(claims, nonce)
        actor = access.actor(Caller(person), gateway.address(request.event))
        return service.sign_in(person, actor)

    return router
