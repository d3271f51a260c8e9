"""Routes of roles, which are the same in every project and organization."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.identity.access import Access
from dataconnectors.identity.roles import ROLES
from dataconnectors.kernel.errors import NotFoundError


def routes(access: Access) -> Router:
    """`/v2/roles` and below, for every caller with credentials."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get("/v2/roles")
    def list_roles() -> dict[str, Any]:
        request.caller()
        # In the order in which the code lists them, from few permissions to many.
        numbered = [(f"{number:03d}", role) for number, role in enumerate(ROLES.values())]
        wanted = request.list_request("roles")
        return wanted.page(numbered, key=lambda each: each[0], show=lambda each: each[1].to_api())

    @router.get("/v2/roles/<role>")
    def get_role(role: str) -> dict[str, Any]:
        request.caller()
        found = ROLES.get(f"roles/{role}")
        if found is None:
            raise NotFoundError(f"roles/{role:.80} is not there")
        return found.to_api()

    return router
