"""Publish routes: the two HTTP calls that publish events, and what they answer."""

from collections.abc import Callable
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.aws.gateway import Answer
from dataconnectors.identity.access import Access
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.kernel.errors import (
    BadRequestError,
    MethodNotAllowedError,
    NotFoundError,
    UnavailableError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id

PUBLISH = ":publish"

METHODS_OF_A_DEVICE = ("DELETE", "GET", "PUT")
"""Methods that the config API serves a device with. POST to a device comes here instead, as API
Gateway cannot route by the verb behind the id."""


class PublishRoutes:
    """Serves the requests that API Gateway routes to ingest."""

    def __init__(
        self,
        acceptor: EventAcceptor,
        access: Access,
        report: Callable[[str, AcceptResult], None],
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
    ) -> None:
        """`report` is called with a project's id and what became of its events; `entropy` gives
        random bytes, `now` epoch seconds.
        """
        self._acceptor = acceptor
        self._access = access
        self._report = report
        self._entropy = entropy
        self._now = now

    def serve(self, event: dict[str, Any]) -> Answer:
        """Return the answer to a request; raises `RequestError` when it cannot be served."""
        match gateway.method(event), gateway.segments(event):
            case "POST", ["v2", "projects", project, "events"]:
                return self._publish_events(project, event)
            case "POST", ["v2", "projects", project, "devices", device]:
                device_id = device.removesuffix(PUBLISH)
                if device_id not in ("", device):
                    return self._publish_emulated_event(project, device_id, event)
                # The config API serves the path of a device with other methods, whatever its id.
                raise MethodNotAllowedError(
                    gateway.with_plain_path(event)["rawPath"], METHODS_OF_A_DEVICE
                )
        raise NotFoundError(f"{gateway.method(event)} {event['rawPath']:.200} is not served here")

    def _publish_emulated_event(self, project: str, device: str, event: dict[str, Any]) -> Answer:
        """Serve `POST …/devices/{device}:publish`: one event of an emulated device."""
        self._access.require(gateway.headers(event), project, "event.publish")
        event_id = new_id(self._now(), self._entropy(ENTROPY_BYTES))
        self._acceptor.accept_emulated(project, device, gateway.json_body(event), event_id)
        self._report(project, AcceptResult(accepted=1))
        return gateway.answer(200, {})

    def _publish_events(self, project: str, event: dict[str, Any]) -> Answer:
        """Serve `POST …/events`: up to a hundred events, accepted or refused one by one."""
        self._access.require(gateway.headers(event), project, "event.publish")
        content = gateway.json_body(event)
        if not isinstance(content, dict):
            raise BadRequestError('body: expected {"events": [...]}')
        result = self._acceptor.accept(project, content.get("events"))
        self._report(project, result)
        answer = {"accepted": result.accepted, "errors": result.errors()}
        if result.unconfirmed:
            return gateway.error_answer(
                UnavailableError("some events were not accepted: send those again"), answer
            )
        if not result.accepted:
            return gateway.error_answer(BadRequestError("events: none is valid"), answer)
        return gateway.answer(200, answer)
