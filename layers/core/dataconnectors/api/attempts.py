"""Routes of attempts and timelines."""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.connectors import CONNECTORS
from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import is_id
from dataconnectors.services.attempts import AttemptQuery, AttemptService
from dataconnectors.services.timelines import TimelineService

LARGEST_PAGE = 100
"""The most attempts on a page: about 50 KB to read."""

OUTCOMES = {"SUCCEEDED": True, "FAILED": False}

LONGEST_DEVICE = 300
"""Characters of a device's name. Ours are shorter."""


def routes(service: AttemptService, timelines: TimelineService, access: Access) -> Router:
    """`/attempts` of a connector, and `:timeline` of one and of all connectors of a project.

    Include this router before that of connectors, because `<connector>` there matches a verb too.
    """
    router = Router()
    request = ApiRequest(router, access)

    @router.get(CONNECTORS + "/<connector>/attempts")
    def list_attempts(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        query = _query(request.event, request.page_start())
        content, position = service.page(project, connector, query)
        token = paging.encode_token([position]) if position else ""
        return {**content, "nextPageToken": token}

    @router.get(CONNECTORS + "/<connector>/attempts/<attempt>")
    def get_attempt(project: str, connector: str, attempt: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        # An answer may repeat secrets in a form that nobody recognises.
        may_update = request.is_permitted(f"projects/{project}", "dataconnector.update")
        return service.get(project, connector, attempt, show_answer=may_update)

    @router.get(CONNECTORS + ":timeline")
    def list_timelines(project: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return timelines.page(project, request.list_request("timelines"))

    @router.get(CONNECTORS + "/<connector>:timeline")
    def get_timeline(project: str, connector: str) -> dict[str, Any]:
        request.authorize_project(project, "dataconnector.read")
        return timelines.get(project, connector)

    return router


def _query(event: Mapping[str, Any], after: str) -> AttemptQuery:
    """What a request asks for; raises `BadRequestError` that names the parameter."""
    outcome = _text(event, "outcome")
    if outcome and outcome not in OUTCOMES:
        raise BadRequestError(f"outcome: {outcome!r:.40}, expected {' or '.join(OUTCOMES)}")
    event_id = _text(event, "eventId", "event_id")
    if event_id and not is_id(event_id):
        raise BadRequestError(f"eventId: {event_id!r:.80} is no id of an event")
    device = _text(event, "deviceName", "device_name")
    if len(device) > LONGEST_DEVICE:
        raise BadRequestError("deviceName: expected projects/{project}/devices/{device}")
    return AttemptQuery(
        is_success=OUTCOMES[outcome] if outcome else None,
        event_id=event_id,
        device=device,
        start=_time(event, "startTime", "start_time"),
        end=_time(event, "endTime", "end_time"),
        size=gateway.page_size(event, LARGEST_PAGE),
        after=after,
    )


def _text(event: Mapping[str, Any], *names: str) -> str:
    """A parameter, known by any of `names`; "" when it is absent."""
    return next((text for text in reversed(gateway.query(event, *names)) if text), "")


def _time(event: Mapping[str, Any], *names: str) -> float | None:
    text = _text(event, *names)
    if not text:
        return None
    try:
        # A `+` that a client forgot to encode arrives as a space.
        return times.from_text(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadRequestError(
            f"{names[0]}: {text!r:.40}, expected a time such as 2026-01-31T12:00:00Z"
        ) from None
