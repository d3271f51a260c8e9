"""Routes of projects."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors import gateway
from dataconnectors.access import Access
from dataconnectors.errors import NotFoundError
from dataconnectors.projects import to_api
from dataconnectors.store.projects import ProjectStore


def routes(store: ProjectStore, access: Access) -> Router:
    """`/v2/projects/{project}`."""
    router = Router()

    @router.get("/v2/projects/<project>")
    def get_project(project: str) -> dict[str, Any]:
        access.require(gateway.headers(router.current_event.raw_event), project, "project.read")
        found = store.project(project)
        if found is None:
            raise NotFoundError(f"projects/{project} is not there")
        return to_api(found)

    return router
