"""Publishing over HTTP: its two routes, and what publishers are answered."""

from collections.abc import Callable
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.aws.gateway import Answer
from dataconnectors.identity.access import Access
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.kernel.errors import (
    BadRequestError,
    MethodError,
    NotFoundError,
    UnavailableError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id

PUBLISH = ":publish"

METHODS_OF_A_DEVICE = ("DELETE", "GET", "PUT")
"""What the config API serves a device with. Of its requests only POST comes here: API Gateway
does not see the verb behind the id."""


class PublishRoutes:
    """Serves the requests that API Gateway routes to ingest. Raises `RequestError` for others."""

    def __init__(
        self,
        ingest: EventAcceptor,
        access: Access,
        report: Callable[[str, AcceptResult], None],
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`report` is told what became of a project's events; `entropy` gives random bytes, `now`
        epoch seconds.
        """
        self._ingest = ingest
        self._access = access
        self._report = report
        self._entropy = entropy
        self._now = now

    def serve(self, event: dict[str, Any]) -> Answer:
        """The answer to a request."""
        match gateway.method(event), gateway.segments(event):
            case "POST", ["v2", "projects", project, "events"]:
                return self._post_events(project, event)
            case "POST", ["v2", "projects", project, "devices", device]:
                device_id = device.removesuffix(PUBLISH)
                if device_id not in ("", device):
                    return self._publish(project, device_id, event)
                # Whatever the id is: the config API serves the path of any id with other methods.
                raise MethodError(gateway.plain(event)["rawPath"], METHODS_OF_A_DEVICE)
        raise NotFoundError(f"{gateway.method(event)} {event['rawPath']:.200} is not served here")

    def _publish(self, project: str, device: str, event: dict[str, Any]) -> Answer:
        """`POST …/devices/{device}:publish`: one event of an emulated device."""
        self._access.require(gateway.headers(event), project, "event.publish")
        event_id = new_id(self._now(), self._entropy(ENTROPY_BYTES))
        self._ingest.publish(project, device, gateway.json_body(event), event_id)
        self._report(project, AcceptResult(accepted=1))
        return gateway.answer(200, {})

    def _post_events(self, project: str, event: dict[str, Any]) -> Answer:
        """`POST …/events`: up to a hundred events, accepted or refused one by one."""
        self._access.require(gateway.headers(event), project, "event.publish")
        content = gateway.json_body(event)
        if not isinstance(content, dict):
            raise BadRequestError('body: expected {"events": [...]}')
        outcome = self._ingest.accept(project, content.get("events"))
        self._report(project, outcome)
        answer = {"accepted": outcome.accepted, "errors": outcome.errors()}
        if outcome.unconfirmed:
            return gateway.error_answer(
                UnavailableError("some events were not accepted: send those again"), answer
            )
        if not outcome.accepted:
            return gateway.error_answer(BadRequestError("events: none is valid"), answer)
        return gateway.answer(200, answer)
