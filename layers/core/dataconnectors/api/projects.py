"""Routes of projects."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.projects import ORGANIZATION
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.services.projects import LARGEST_PAGE, ProjectService, organization_of_new

PROJECTS = "/v2/projects"
"""The path of all projects."""


def routes(service: ProjectService, access: Access) -> Router:
    """`/v2/projects`, `/v2/projects/{project}` and what the caller may do there."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(PROJECTS)
    def list_projects() -> dict[str, Any]:
        caller, event = request.caller(), request.event
        organization = ",".join(gateway.query(event, "organization"))
        if organization and not organization.startswith("organizations/"):
            raise BadRequestError("organization: expected organizations/<id>")
        words = ",".join(gateway.query(event, "query"))
        limit, after = gateway.page_size(event, LARGEST_PAGE), request.page_start()
        shown, last = service.page(caller, organization, words, limit=limit, after=after)
        return {"projects": shown, "nextPageToken": paging.encode_token([last]) if last else ""}

    @router.post(PROJECTS)
    def create_project() -> dict[str, Any]:
        # Before the body is read: who has no credentials learns nothing of what a body must hold.
        request.caller()
        body = request.body()
        organization = organization_of_new(body)
        actor = request.authorize(organization, "project.create")
        return service.create(organization, body, actor)

    @router.get(PROJECTS + "/<project>")
    def get_project(project: str) -> dict[str, Any]:
        request.authorize_project(project, "project.read")
        return service.get(project)

    @router.patch(PROJECTS + "/<project>")
    def update_project(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "project.update")
        return service.update(project, request.body(), request.field_mask(), actor)

    @router.delete(PROJECTS + "/<project>")
    def delete_project(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "project.delete")
        administers = request.is_permitted(ORGANIZATION, "organization.update")
        return service.delete(project, actor, administers_organization=administers)

    @router.get(PROJECTS + "/<project>/permissions")
    def list_project_permissions(project: str) -> dict[str, Any]:
        caller, parent = request.caller(), f"projects/{project}"
        held = access.current_roles(caller, parent)
        access.check(caller, parent, "")  # Every member may know what they may do
        known = roles.permissions(held) & roles.permissions(roles.PROJECT_ROLES)
        return request.list_request("permissions").page(known, key=str, show=str)

    return router
