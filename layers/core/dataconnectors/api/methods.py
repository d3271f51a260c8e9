"""Which methods a path is served with."""

import re
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver

from dataconnectors.aws import gateway
from dataconnectors.kernel.errors import MethodNotAllowedError

PUBLISH_PATHS = re.compile(r"/v2/projects/[^/]+/(events|devices/[^/]+:publish)")
"""Paths that the ingest function serves with POST. Requests with other methods come to this API."""


def served_methods(app: APIGatewayHttpResolver, path: str) -> set[str]:
    """The methods that a path is served with; empty for a path that is not served.

    A path that ends in a verb, such as `{id}:metrics`, is served with the methods of the verb
    only, although it matches the route of a plain `{id}` too.
    """
    if PUBLISH_PATHS.fullmatch(path):
        return {"POST"}
    # Powertools has no public way to list routes. Its version is pinned, and a test would notice.
    routes = [*app._static_routes, *app._dynamic_routes]
    served = [route for route in routes if route.rule.match(path)]
    with_verb = [route for route in served if ":" in route.path]
    return {route.method for route in with_verb or served}


def check_verbs(app: APIGatewayHttpResolver) -> None:
    """Answer 405 to a verb with a method that it is not served with.

    Without this, `DELETE {id}:metrics` would be served as the deletion of a resource whose id is
    `{id}:metrics`, because the pattern of an id matches a colon.
    """

    def check_verb(_: Any, serve: Callable[..., Any]) -> Any:
        event = app.current_event.raw_event
        method, path = gateway.method(event), event["rawPath"]
        methods = served_methods(app, path) if ":" in path else set()
        if methods and method not in methods:
            raise MethodNotAllowedError(path, methods)
        return serve(app)

    app.use([check_verb])
