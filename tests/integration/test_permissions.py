"""Who may call which route: every route with every role, in the caller's project and another."""

import re
from typing import Any

import pytest

from dataconnectors.identity import roles
from functions.config_api import app as config_api
from functions.ingest import app as ingest
from tests.integration.conftest import Client, new_administrator
from tests.support.aws import template
from tests.support.http_api import LambdaContext, content, request

NOBODY = frozenset[str]()
ORGANIZER = frozenset({"organizer"})
ADMIN = ORGANIZER | {"admin"}
DEVELOPER = ADMIN | {"developer"}
USER = DEVELOPER | {"user"}
PUBLISHER = DEVELOPER | {"publisher"}
MEMBER = USER | PUBLISHER
ANYBODY = MEMBER | {"stranger"}
WORLD = ANYBODY | {"nobody"}
"""Sets of callers. A stranger is an account of the project without a role; nobody has no key."""

P = "/v2/projects/<project>"
ORG = "/v2/organizations/<organization>"

ROUTES: dict[str, frozenset[str]] = {
    "POST /v2/oauth2/token": WORLD,
    "POST /v2/oidc/token": WORLD,
    "GET /v2/errors": WORLD,
    "GET /v2/openapi.json": WORLD,
    "GET /v2/docs": WORLD,
    "GET /v2/invitations": WORLD,
    "GET /v2/roles": ANYBODY,
    "GET /v2/roles/<role>": ANYBODY,
    "GET /v2/organizations": ANYBODY,
    f"GET {ORG}": ORGANIZER,
    f"GET {ORG}/permissions": ORGANIZER,
    f"GET {ORG}/audit": ORGANIZER,
    f"GET {ORG}/members": ORGANIZER,
    f"POST {ORG}/members": ORGANIZER,
    f"GET {ORG}/members/<member>": ORGANIZER,
    f"DELETE {ORG}/members/<member>": ORGANIZER,
    f"GET {ORG}/members/<member>:getInviteUrl": ORGANIZER,
    "GET /v2/projects": ANYBODY,
    "POST /v2/projects": ORGANIZER,
    f"GET {P}": USER,
    f"PATCH {P}": ADMIN,
    f"DELETE {P}": ADMIN,
    f"GET {P}/permissions": MEMBER,
    f"GET {P}/audit": ADMIN,
    f"GET {P}/members": USER,
    f"POST {P}/members": ADMIN,
    f"GET {P}/members/<member>": USER,
    f"PATCH {P}/members/<member>": ADMIN,
    f"DELETE {P}/members/<member>": ADMIN,
    f"GET {P}/members/<member>:getInviteUrl": ADMIN,
    f"GET {P}/serviceaccounts": USER,
    f"POST {P}/serviceaccounts": ADMIN,
    f"GET {P}/serviceaccounts/<account>": USER,
    f"PATCH {P}/serviceaccounts/<account>": ADMIN,
    f"DELETE {P}/serviceaccounts/<account>": ADMIN,
    f"GET {P}/serviceaccounts/<account>/keys": USER,
    f"POST {P}/serviceaccounts/<account>/keys": ADMIN,
    f"GET {P}/serviceaccounts/<account>/keys/<key>": USER,
    f"DELETE {P}/serviceaccounts/<account>/keys/<key>": ADMIN,
    f"GET {P}/dataconnectors": USER,
    f"POST {P}/dataconnectors": ADMIN,
    f"GET {P}/dataconnectors/<connector>": USER,
    f"PATCH {P}/dataconnectors/<connector>": DEVELOPER,
    f"DELETE {P}/dataconnectors/<connector>": ADMIN,
    f"GET {P}/dataconnectors/<connector>:metrics": USER,
    f"GET {P}/dataconnectors/<connector>:health": USER,
    f"GET {P}/dataconnectors:health": USER,
    f"GET {P}/dataconnectors/<connector>:timeline": USER,
    f"GET {P}/dataconnectors:timeline": USER,
    f"GET {P}/dataconnectors/<connector>/attempts": USER,
    f"GET {P}/dataconnectors/<connector>/attempts/<attempt>": USER,
    f"POST {P}/dataconnectors/<connector>:pause": DEVELOPER,
    f"POST {P}/dataconnectors/<connector>:resume": DEVELOPER,
    f"GET {P}/dataconnectors/<connector>/expired": DEVELOPER,
    f"POST {P}/dataconnectors/<connector>:sync": DEVELOPER,
    f"POST {P}/dataconnectors/<connector>:replay": DEVELOPER,
    f"GET {P}/dataconnectors/<connector>:explain": USER,
    f"POST {P}/dataconnectors/<connector>:preview": USER,
    f"POST {P}/dataconnectors/<connector>:test": DEVELOPER,
    f"POST {P}/dataconnectors/<connector>:resend": DEVELOPER,
    f"GET {P}/dataconnectors/<connector>/replays": USER,
    f"GET {P}/dataconnectors/<connector>/replays/<replay>": USER,
    f"POST {P}/dataconnectors/<connector>/replays/<replay>:cancel": DEVELOPER,
    f"GET {P}/dataconnectors/<connector>/gaps": DEVELOPER,
    f"GET {P}/tryouts": DEVELOPER,
    f"POST {P}/tryouts": DEVELOPER,
    f"GET {P}/tryouts/<tryout>": DEVELOPER,
    f"PATCH {P}/tryouts/<tryout>": DEVELOPER,
    f"DELETE {P}/tryouts/<tryout>": DEVELOPER,
    f"GET {P}/devices": USER,
    f"POST {P}/devices": DEVELOPER,
    f"POST {P}/devices:batchUpdate": DEVELOPER,
    f"POST {P}/devices:transfer": ADMIN,
    f"GET {P}/devices/<device>": USER,
    f"PUT {P}/devices/<device>": DEVELOPER,
    f"DELETE {P}/devices/<device>": DEVELOPER,
    f"PATCH {P}/devices/<device>/labels/<label>": DEVELOPER,
    f"GET {P}/devices/<device>/events": USER,
    f"POST {P}/devices/<device>:publish": PUBLISHER,
    f"POST {P}/events": PUBLISHER,
}
"""Every route and who may call it. In a foreign project only the organizer may."""

INGEST = {f"POST {P}/devices/<device>:publish", f"POST {P}/events"}

ABSENT = "c00000000000000000vg"


class Callers:
    """One caller of each kind. Except for the organizer, each has a role in one project only."""

    def __init__(self, organizer: Client) -> None:
        admin = new_administrator("Own")
        self.project = admin.project
        self.foreign = new_administrator("Foreign").project
        # A project with a device is not deleted, so the calls may include DELETE of the project.
        for project in (admin.project, self.foreign):
            organizer_there = Client(organizer.account, project)
            organizer_there.headers = organizer.headers
            assert organizer_there.call("POST", "/devices", {"type": "touch"})[0] == 200
        self.headers = {"nobody": {}, "organizer": organizer.headers, "admin": admin.headers}
        for name, role in {
            "user": roles.USER,
            "developer": roles.DEVELOPER,
            "publisher": roles.PUBLISHER,
            "stranger": "",
        }.items():
            self.headers[name] = admin.account_with(role).headers


@pytest.fixture(scope="module")
def callers(organizer: Client) -> Callers:
    """Made once for the module, because no call of these tests changes what a caller may do."""
    return Callers(organizer)


def registered() -> set[str]:
    """The routes that the config API serves, and those that the template gives to ingest."""
    routes = config_api.app._static_routes + config_api.app._dynamic_routes
    # /console only leads to a page; it is no part of the API
    served = {f"{each.method} {each.path}" for each in routes if str(each.path).startswith("/v2/")}
    for resource in template()["Resources"].values():
        key = resource.get("Properties", {}).get("RouteKey", "$default")
        if "/v2/" in key:  # what customers call; others call /try/{name}
            served.add(re.sub(r"\{(\w+)\}", r"<\1>", key))
    # The gateway does not look for the verb inside of {device}.
    served.remove(f"POST {P}/devices/<device>")
    served.add(f"POST {P}/devices/<device>:publish")
    return served


def outcome(answer: dict[str, Any], place: str) -> str:
    """What an answer says about the caller's permissions in a project or organization."""
    if answer["statusCode"] == 401:
        return "unauthorized"
    if answer["statusCode"] == 403:
        return "forbidden"
    hidden = f"{place} is not there, or you are no member of it"
    if answer["statusCode"] == 404 and content(answer)["error"] == hidden:
        return "hidden"
    assert answer["statusCode"] < 500, answer
    return "allowed"


def send(route: str, place: str, headers: dict[str, str]) -> dict[str, Any]:
    """Call a route in a project or organization, for resources that do not exist."""
    method, _, path = route.partition(" ")
    path = path.replace("<project>", place.partition("/")[2])
    path = path.replace("<organization>", place.partition("/")[2])
    path = path.replace("<role>", "project.user")
    path = re.sub(r"<\w+>", ABSENT, path)
    body: dict[str, Any] | None = None if method in ("GET", "DELETE") else {}
    event = request(method, path, body, headers=headers)
    handler = ingest.lambda_handler if route in INGEST else config_api.lambda_handler
    return handler(event, LambdaContext())


def expected(allowed: frozenset[str], caller: str, *, is_member: bool) -> str:
    if caller in allowed:
        return "allowed"
    if caller == "nobody":
        return "unauthorized"
    return "forbidden" if is_member else "hidden"


def test_every_route_is_in_the_table() -> None:
    assert registered() == set(ROUTES)


@pytest.mark.parametrize("route", [route for route in ROUTES if P in route])
def test_each_role_may_call_the_listed_routes_of_a_project(callers: Callers, route: str) -> None:
    own, foreign, absent = (
        f"projects/{project}" for project in (callers.project, callers.foreign, ABSENT)
    )
    for caller, headers in callers.headers.items():
        seen = [outcome(send(route, place, headers), place) for place in (own, foreign, absent)]
        is_member = caller != "stranger"
        assert seen == [
            expected(ROUTES[route], caller, is_member=is_member),
            expected(ROUTES[route] & ORGANIZER, caller, is_member=False),
            expected(NOBODY, caller, is_member=False),
        ], caller


@pytest.mark.parametrize("route", [route for route in ROUTES if P in route])
def test_a_foreign_project_is_answered_byte_for_byte_as_one_that_does_not_exist(
    callers: Callers, route: str
) -> None:
    for caller, headers in callers.headers.items():
        if caller == "organizer":
            continue
        foreign = send(route, f"projects/{callers.foreign}", headers)
        absent = send(route, f"projects/{ABSENT}", headers)
        assert foreign["body"].replace(callers.foreign, ABSENT) == absent["body"], caller
        assert foreign | {"body": ""} == absent | {"body": ""}, caller


@pytest.mark.parametrize("route", [route for route in ROUTES if P not in route])
def test_each_caller_may_call_the_listed_routes_outside_of_projects(
    callers: Callers, route: str
) -> None:
    place = "organizations/default"
    for caller, headers in callers.headers.items():
        wanted = expected(ROUTES[route], caller, is_member=False)
        assert outcome(send(route, place, headers), place) == wanted, caller
        if ORG in route:
            absent = f"organizations/{ABSENT}"
            wanted = expected(NOBODY, caller, is_member=False)
            assert outcome(send(route, absent, headers), absent) == wanted, caller


def test_a_path_in_ones_own_project_does_not_reach_resources_of_another(callers: Callers) -> None:
    """Ids belong to the project in the path: an id of another project is not found there."""
    foreign = new_administrator("Another")
    account = foreign.call("GET", "/serviceaccounts")[1]["serviceAccounts"][0]["name"]
    key = foreign.call("GET", f"/serviceaccounts/{account.rsplit('/')[-1]}/keys")[1]["keys"][0]
    connector = foreign.call(
        "POST", "/dataconnectors", {"httpConfig": {"url": "https://a.example"}}
    )
    paths = [account, key["name"], connector[1]["name"]]
    paths.append(foreign.call("GET", "/members")[1]["members"][0]["name"])
    for path in paths:
        below = path.removeprefix(f"projects/{foreign.project}")
        for method in ("GET", "DELETE"):
            event = request(
                method, f"/v2/projects/{callers.project}{below}", headers=callers.headers["admin"]
            )
            assert config_api.lambda_handler(event, LambdaContext())["statusCode"] == 404
        assert foreign.call("GET", below)[0] == 200
