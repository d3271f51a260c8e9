"""What a route asks about the request it serves: who calls, whether they may, what they sent."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.aws import gateway
from dataconnectors.identity.access import Access, Caller
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel import paging


class ApiRequest:
    """Of one router. Each check raises the error that answers the request when it fails."""

    def __init__(self, router: Router, access: Access) -> None:
        self._router = router
        self._access = access

    @property
    def event(self) -> dict[str, Any]:
        """The request as API Gateway handed it over."""
        event: dict[str, Any] = self._router.current_event.raw_event
        return event

    def caller(self) -> Caller:
        """Whoever has valid credentials."""
        return self._access.caller(gateway.headers(self.event))

    def project(self, project: str, permission: str) -> Actor:
        """Somebody with a permission in a project."""
        return self.parent(f"projects/{project}", permission)

    def parent(self, parent: str, permission: str) -> Actor:
        """Somebody with a permission in `projects/{id}` or `organizations/{id}`."""
        caller = self.caller()
        self._access.check(caller, parent, permission)
        return self._access.actor(caller, gateway.address(self.event))

    def body(self) -> Any:
        """What was sent, read as JSON."""
        return gateway.json_body(self.event)

    def after(self) -> str:
        """Where the page begins: what the page before it ended with; "" for the first."""
        match gateway.page_token(self.event):
            case None:
                return ""
            case [str(position)] if paging.is_place(position):
                return position
        raise paging.bad_token()

    def mask(self) -> list[str] | None:
        """The fields that a PATCH is to change; None for those that it holds.

        As everywhere, a parameter without a value is none.
        """
        paths = gateway.query(self.event, "update_mask", "updateMask")
        return [path for path in paths if path] or None
