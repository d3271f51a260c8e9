"""Routes of members, of projects and of organizations alike."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.invitations import invite_url
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.services.members import MemberService


def project_routes(service: MemberService, access: Access) -> Router:
    """`/v2/projects/{project}/members` and below."""
    router = Router()
    request = ApiRequest(router, access)
    members = "/v2/projects/<project>/members"

    @router.get(members)
    def list_project_members(project: str) -> dict[str, Any]:
        request.authorize_project(project, "membership.read")
        return service.page(f"projects/{project}", request.list_request("members"))

    @router.post(members)
    def add_project_member(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "membership.create")
        return service.add(f"projects/{project}", request.body(), actor)

    # Registered before the route of one member, because `<member>` matches a verb too.
    @router.get(members + "/<member>:getInviteUrl")
    def get_project_invite_url(project: str, member: str) -> dict[str, Any]:
        request.authorize_project(project, "membership.create")
        service.check_invited(f"projects/{project}", member)
        return {"inviteUrl": invite_url(gateway.origin(request.event))}

    @router.get(members + "/<member>")
    def get_project_member(project: str, member: str) -> dict[str, Any]:
        request.authorize_project(project, "membership.read")
        return service.get(f"projects/{project}", member)

    @router.patch(members + "/<member>")
    def update_project_member(project: str, member: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "membership.update")
        return service.update(
            f"projects/{project}", member, request.body(), request.field_mask(), actor
        )

    @router.delete(members + "/<member>")
    def remove_project_member(project: str, member: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "membership.delete")
        return service.remove(f"projects/{project}", member, actor)

    return router


def organization_routes(service: MemberService, access: Access) -> Router:
    """`/v2/organizations/{organization}/members` and below."""
    router = Router()
    request = ApiRequest(router, access)
    members = "/v2/organizations/<organization>/members"

    @router.get(members)
    def list_organization_members(organization: str) -> dict[str, Any]:
        request.authorize(f"organizations/{organization}", "organization.read")
        return service.page(f"organizations/{organization}", request.list_request("members"))

    @router.post(members)
    def add_organization_member(organization: str) -> dict[str, Any]:
        actor = request.authorize(f"organizations/{organization}", "organization.update")
        return service.add(f"organizations/{organization}", request.body(), actor)

    # Registered before the route of one member, because `<member>` matches a verb too.
    @router.get(members + "/<member>:getInviteUrl")
    def get_organization_invite_url(organization: str, member: str) -> dict[str, Any]:
        request.authorize(f"organizations/{organization}", "organization.update")
        service.check_invited(f"organizations/{organization}", member)
        return {"inviteUrl": invite_url(gateway.origin(request.event))}

    @router.get(members + "/<member>")
    def get_organization_member(organization: str, member: str) -> dict[str, Any]:
        request.authorize(f"organizations/{organization}", "organization.read")
        return service.get(f"organizations/{organization}", member)

    @router.delete(members + "/<member>")
    def remove_organization_member(organization: str, member: str) -> dict[str, Any]:
        actor = request.authorize(f"organizations/{organization}", "organization.update")
        return service.remove(f"organizations/{organization}", member, actor)

    return router
