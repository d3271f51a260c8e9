"""Routes of organizations; a deployment has one."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.projects import ORGANIZATION, ORGANIZATION_DISPLAY_NAME


def routes(access: Access) -> Router:
    """`/v2/organizations`, `/v2/organizations/{organization}` and what the caller may do there."""
    router = Router()
    request = ApiRequest(router, access)
    shown = {"name": ORGANIZATION, "displayName": ORGANIZATION_DISPLAY_NAME}

    @router.get("/v2/organizations")
    def list_organizations() -> dict[str, Any]:
        is_shown = request.is_permitted(ORGANIZATION, "organization.read")
        wanted = request.list_request("organizations")
        return wanted.page([ORGANIZATION] if is_shown else [], key=str, show=lambda _: shown)

    @router.get("/v2/organizations/<organization>")
    def get_organization(organization: str) -> dict[str, Any]:
        # Nobody has a role in an organization that is not there, so this is the one there is.
        request.authorize(f"organizations/{organization}", "organization.read")
        return shown

    @router.get("/v2/organizations/<organization>/permissions")
    def list_organization_permissions(organization: str) -> dict[str, Any]:
        parent = f"organizations/{organization}"
        request.authorize(parent, "organization.read")
        held = roles.permissions(access.roles(request.caller(), parent))
        return request.list_request("permissions").page(held, key=str, show=str)

    return router
