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

LARGEST_PAGE = 100
"""The most entries on a page: about 40 KB to read."""

CLOCK_SKEW = 60
"""Seconds that the clock of another instance may be ahead of ours. Without them its newest entries
would be missing."""


def routes(store: AuditStore, access: Access) -> Router:
    """`/v2/projects/{project}/audit` and `/v2/organizations/{organization}/audit`."""
    router = Router()
    request = ApiRequest(router, access)

    def page_of(log: str, now: float) -> dict[str, Any]:
        event = request.event
        oldest, latest = now - RETENTION_SECONDS, now + CLOCK_SKEW
        since = max(_time(event, "startTime", "start_time", oldest), oldest)
        until = min(_time(event, "endTime", "end_time", latest), latest)
        if since > until:
            return {"entries": [], "nextPageToken": ""}
        limit, after = gateway.page_size(event, LARGEST_PAGE), request.page_start()
        entries, last = store.page(log, since, until, limit=limit, after=after)
        return {
            "entries": [entry.to_api() for entry in entries],
            "nextPageToken": paging.encode_token([last]) if last else "",
        }

    @router.get("/v2/projects/<project>/audit")
    def list_project_changes(project: str) -> dict[str, Any]:
        actor = request.authorize_project(project, "audit.read")
        return page_of(f"projects/{project}", actor.now)

    @router.get("/v2/organizations/<organization>/audit")
    def list_organization_changes(organization: str) -> dict[str, Any]:
        actor = request.authorize(f"organizations/{organization}", "audit.read")
        return page_of(f"organizations/{organization}", actor.now)

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
