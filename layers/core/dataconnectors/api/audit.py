"""Routes of the audit logs."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.identity.audit import RETENTION_SECONDS
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.store.audit import AuditStore

PAGE = 100
"""Entries of a page at most: about 40 KB to read."""

CLOCKS_APART = 60
"""Seconds that the clock of another instance may be ahead: its entries are shown too."""


def routes(store: AuditStore, access: Access) -> Router:
    """`/v2/projects/{project}/audit`, and the organization's."""
    router = Router()
    request = ApiRequest(router, access)

    def page(log: str, now: float) -> dict[str, Any]:
        event = request.event
        oldest, latest = now - RETENTION_SECONDS, now + CLOCKS_APART
        since = max(_time(event, "startTime", "start_time", oldest), oldest)
        until = min(_time(event, "endTime", "end_time", latest), latest)
        if since > until:
            return {"entries": [], "nextPageToken": ""}
        limit, after = gateway.page_size(event, PAGE), request.after()
        entries, rest = store.page(log, since, until, limit=limit, after=after)
        return {
            "entries": [entry.to_api() for entry in entries],
            "nextPageToken": paging.encode([rest]) if rest else "",
        }

    @router.get("/v2/projects/<project>/audit")
    def list_project_changes(project: str) -> dict[str, Any]:
        actor = request.project(project, "audit.read")
        return page(f"projects/{project}", actor.now)

    @router.get("/v2/organizations/<organization>/audit")
    def list_organization_changes(organization: str) -> dict[str, Any]:
        actor = request.parent(f"organizations/{organization}", "audit.read")
        return page(f"organizations/{organization}", actor.now)

    return router


def _time(event: dict[str, Any], name: str, spelling: str, default: float) -> float:
    texts = [text for text in gateway.query(event, name, spelling) if text]
    if not texts:
        return default
    try:
        return times.from_text(texts[-1])
    except ValueError:
        raise BadRequestError(
            f"{name}: {texts[-1]!r:.40}, expected a time such as 2026-01-31T12:00:00Z"
        ) from None
