"""What a route asks about its request: who is calling, whether they may, and what they sent."""

from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.aws import gateway
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.audit import Actor
from dataconnectors.identity.authentication import Caller
from dataconnectors.kernel import paging
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.services.lists import WHOLE, ListRequest


class ApiRequest:
    """The request that a router is serving at the moment.

    A check that fails raises the `RequestError` that answers the request.
    """

    def __init__(self, router: Router, access: Access) -> None:
        self._router = router
        self._access = access

    @property
    def event(self) -> dict[str, Any]:
        """The request as API Gateway handed it over."""
        event: dict[str, Any] = self._router.current_event.raw_event
        return event

    def caller(self) -> Caller:
        """The caller; raises `UnauthorizedError` without valid credentials."""
        return self._access.caller(gateway.headers(self.event))

    def authorize_project(self, project: str, permission: str) -> Actor:
        """The caller, who must have a permission in the project with the id `project`."""
        return self.authorize(f"projects/{project}", permission)

    def authorize(self, parent: str, permission: str) -> Actor:
        """The caller, who must have a permission in `projects/{id}` or `organizations/{id}`.

        Raises `UnauthorizedError`, `ForbiddenError`, or `NotFoundError` for callers who are no
        members: they must not learn whether there is such a project.
        """
        caller = self.caller()
        self._access.check(caller, parent, permission)
        return self._access.actor(caller, gateway.address(self.event))

    def is_permitted(self, parent: str, permission: str) -> bool:
        """Whether the caller has a permission in `projects/{id}` or `organizations/{id}`."""
        return roles.permits(self._access.roles(self.caller(), parent), permission)

    def body(self) -> Any:
        """The body, read as JSON; raises `BadRequestError` when it is not JSON."""
        return gateway.json_body(self.event)

    def page_start(self) -> str:
        """The key that the page starts after, from the page token; "" for the first page.

        Raises `BadRequestError` for a token that no list of ours can have made.
        """
        match gateway.page_token(self.event):
            case None:
                return ""
            case [str(position)] if paging.is_position(position):
                return position
        raise paging.wrong_token()

    def list_request(self, collection: str) -> ListRequest:
        """Which page the request asks for, of a list that fits one page.

        A page token of another list is an error, but only in a request that names a page size. The
        vendor's SDK never names one, and may send a token that belongs to another list: it gets
        the whole list. Raises `BadRequestError`.
        """
        size = gateway.page_size(self.event, WHOLE)
        try:
            position = gateway.page_token(self.event)
        except BadRequestError:
            position = []
        match position:
            case None:
                return ListRequest(collection, size)
            case [str(name), str(after)] if name == collection and paging.is_position(after):
                return ListRequest(collection, size, after)
        if size < WHOLE:
            raise paging.wrong_token()
        return ListRequest(collection)

    def field_mask(self) -> list[str] | None:
        """The fields that a PATCH changes; None for all fields that its body holds.

        A parameter without a value counts as absent, as it does everywhere in this API.
        """
        paths = gateway.query(self.event, "update_mask", "updateMask")
        return [path for path in paths if path] or None
