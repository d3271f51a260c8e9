"""Two concurrent calls: one runs completely before each of the other's calls to DynamoDB in
turn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from dataconnectors.connectors.connector import MAXIMUM_CONNECTORS
from dataconnectors.identity import roles
from dataconnectors.store import keys
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator

MOST_CALLS = 30
"""The most calls to DynamoDB of one API call. It limits the loop that tries each."""

HTTP = {"url": "https://example.com/hook", "signatureSecret": "s", "headers": {"x-a": "1"}}

Answer = tuple[int, Any]


@dataclass
class Things:
    """The resources that the calls use: a new connector, or a new account that is no member.

    `before` is the value of the checked count before the calls.
    """

    admin: Client
    connector: str = ""
    account: str = ""
    email: str = ""
    before: int = 0

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """`{c}` is the connector, `{s}` the account."""
        place = path.format(c=self.connector, s=self.account)
        if isinstance(body, dict) and body.get("email") == "{s}":
            body = body | {"email": self.email}
        return self.admin.call(method, place, body)

    def count(self, attribute: str, item: str = "PROJECT") -> int:
        key = {"pk": {"S": f"PROJECT#{self.admin.project}"}, "sk": {"S": item}}
        return int((config_api.table.get(key) or {})[attribute]["N"])


def with_connector(admin: Client, number: int) -> Things:
    body = {"httpConfig": HTTP, "displayName": f"Number {number}"}
    status, connector = admin.call("POST", "/dataconnectors", body)
    assert status == 200, connector
    things = Things(admin, connector=connector["name"].rpartition("/")[2])
    things.before = things.count("connectorCount", "VERSION")
    return things


def with_account(admin: Client, _: int) -> Things:
    account = admin.call("POST", "/serviceaccounts", {})[1]
    things = Things(admin, account=account["name"].rpartition("/")[2], email=account["email"])
    things.before = things.count("memberCount")
    return things


def between(outer: Callable[[], Answer], inner: Callable[[], Answer], place: int) -> Any:
    """The answers of both calls. The inner one is None if the outer call ends before its turn."""
    seen: list[Answer] = []
    calls = 0

    def before_call(**_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == place:
            # Powertools stores the current request in the class of all routers.
            served = BaseRouter.current_event, BaseRouter.lambda_context
            seen.append(inner())
            BaseRouter.current_event, BaseRouter.lambda_context = served

    events = config_api.table.dynamodb.meta.events
    events.register("before-call.dynamodb", before_call)
    try:
        answer = outer()
    finally:
        events.unregister("before-call.dynamodb", before_call)
    return answer, seen[0] if seen else None


PATCH_NAME = ("PATCH", "/dataconnectors/{c}", {"displayName": "mine"})
PATCH_REST = (
    "PATCH",
    "/dataconnectors/{c}",
    {"labels": ["theirs"], "httpConfig": {"headers": {"x-b": "2"}}},
)
DISABLE = ("PATCH", "/dataconnectors/{c}", {"status": "USER_DISABLED"})
ENABLE = ("PATCH", "/dataconnectors/{c}", {"status": "ACTIVE"})
DELETE = ("DELETE", "/dataconnectors/{c}", None)
CREATE = ("POST", "/dataconnectors", {"httpConfig": HTTP})
CREATE_OTHER = ("POST", "/dataconnectors", {"httpConfig": HTTP, "displayName": "other"})
ADD_MEMBER = ("POST", "/members", {"email": "{s}", "roles": [roles.USER]})
DELETE_ACCOUNT = ("DELETE", "/serviceaccounts/{s}", None)
PATCH_ACCOUNT = ("PATCH", "/serviceaccounts/{s}", {"displayName": "mine"})
FLAG_ACCOUNT = ("PATCH", "/serviceaccounts/{s}", {"enableBasicAuth": True})
CREATE_KEY = ("POST", "/serviceaccounts/{s}/keys", None)

MAKE_ADMIN = ("PATCH", "/members/{s}", {"roles": [roles.ADMIN]})
MAKE_PUBLISHER = ("PATCH", "/members/{s}", {"roles": [roles.PUBLISHER]})

Call = tuple[str, str, Any]


def no_field_is_lost(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    shown = things.call("GET", "/dataconnectors/{c}")[1]
    assert (shown["displayName"], shown["labels"]) == ("mine", ["theirs"])
    assert shown["httpConfig"] == HTTP | {"headers": {"x-b": "2"}, "standardWebhooks": False}


def it_is_gone_and_stays_gone(things: Things, mine: Answer, theirs: Answer) -> None:
    assert {mine[0], theirs[0]} <= {200, 404}
    assert things.call("GET", "/dataconnectors/{c}")[0] == 404
    assert things.count("connectorCount", "VERSION") == things.before - 1


def the_last_of_both_counts(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    name = f"projects/{things.admin.project}/dataconnectors/{things.connector}"
    row = config_api.connector_rows.connector(name)
    assert row is not None
    # It was disabled and enabled once, or only disabled because enabling came first.
    assert (row.is_active, row.epoch) in ((True, 3), (False, 2), (False, 4))


def it_is_one(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    assert mine[1]["name"] == theirs[1]["name"]
    shown = things.call("GET", "/dataconnectors")[1]["dataConnectors"]
    assert things.count("connectorCount", "VERSION") == things.before + 1 == len(shown)
    things.call("DELETE", f"/dataconnectors/{mine[1]['name'].rpartition('/')[2]}")


def they_are_two(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    shown = things.call("GET", "/dataconnectors")[1]["dataConnectors"]
    assert things.count("connectorCount", "VERSION") == things.before + 2 == len(shown)
    for made in (mine, theirs):
        things.call("DELETE", f"/dataconnectors/{made[1]['name'].rpartition('/')[2]}")


def one_is_a_member_already(things: Things, mine: Answer, theirs: Answer) -> None:
    assert {mine[0], theirs[0]} == {200, 409}
    members = things.call("GET", "/members")[1]["members"]
    assert things.count("memberCount") == things.before + 1 == len(members)


def nobody_is_left(things: Things, mine: Answer, theirs: Answer) -> None:
    assert {mine[0], theirs[0]} <= {200, 400, 404}
    assert things.call("GET", "/serviceaccounts/{s}")[0] == 404
    members = things.call("GET", "/members")[1]["members"]
    assert things.count("memberCount") == things.before == len(members)
    assert config_api.member_rows.memberships(things.account) == []


def no_key_is_left(things: Things, mine: Answer, theirs: Answer) -> None:
    assert {mine[0], theirs[0]} <= {200, 404}
    assert things.call("GET", "/serviceaccounts/{s}")[0] == 404
    for answer in (mine, theirs):
        if "secret" in answer[1]:
            assert config_api.account_rows.caller(answer[1]["key"]["id"]) is None
            assert (
                config_api.table.get(keys.primary_key_of_account_key(answer[1]["key"]["id"]))
                is None
            )


def the_account_has_both(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    shown = things.call("GET", "/serviceaccounts/{s}")[1]
    assert (shown["displayName"], shown["enableBasicAuth"]) == ("mine", True)


def the_key_and_the_name_are_there(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    assert things.call("GET", "/serviceaccounts/{s}")[1]["displayName"] == "mine"
    assert len(things.call("GET", "/serviceaccounts/{s}/keys")[1]["keys"]) == 1


def the_log_tells_them_in_their_order(things: Things, mine: Answer, theirs: Answer) -> None:
    assert (mine[0], theirs[0]) == (200, 200)
    told = [
        entry["details"]
        for entry in things.call("GET", "/audit")[1]["entries"]
        if entry["action"] == "membership.update" and entry["details"]["email"] == things.email
    ]
    shown = things.call("GET", "/members/{s}")[1]["roles"]
    assert sorted([each["rolesBefore"], each["roles"]] for each in told) in [
        sorted([[[roles.USER], first], [first, shown]])
        for first in ([roles.ADMIN], [roles.PUBLISHER])
    ]


Promise = Callable[[Things, Answer, Answer], None]

PAIRS: dict[str, tuple[Call, Call, Promise]] = {
    "fields": (PATCH_NAME, PATCH_REST, no_field_is_lost),
    "change and deletion": (PATCH_NAME, DELETE, it_is_gone_and_stays_gone),
    "deletion and change": (DELETE, PATCH_NAME, it_is_gone_and_stays_gone),
    "deletions": (DELETE, DELETE, it_is_gone_and_stays_gone),
    "off and on": (DISABLE, ENABLE, the_last_of_both_counts),
    "equal creations": (CREATE, CREATE, it_is_one),
    "creations": (CREATE, CREATE_OTHER, they_are_two),
    "members": (ADD_MEMBER, ADD_MEMBER, one_is_a_member_already),
    "roles": (MAKE_ADMIN, MAKE_PUBLISHER, the_log_tells_them_in_their_order),
    "member and deletion": (ADD_MEMBER, DELETE_ACCOUNT, nobody_is_left),
    "deletion and member": (DELETE_ACCOUNT, ADD_MEMBER, nobody_is_left),
    "key and deletion": (CREATE_KEY, DELETE_ACCOUNT, no_key_is_left),
    "deletion and key": (DELETE_ACCOUNT, CREATE_KEY, no_key_is_left),
    "account's fields": (PATCH_ACCOUNT, FLAG_ACCOUNT, the_account_has_both),
    "account and key": (PATCH_ACCOUNT, CREATE_KEY, the_key_and_the_name_are_there),
}


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("mine", "theirs", "promise"), PAIRS.values(), ids=PAIRS)
def test_two_concurrent_calls_agree_in_whatever_order_they_reach_the_table(
    mine: Call, theirs: Call, promise: Promise
) -> None:
    admin = new_administrator("Interleaved")
    make = with_connector if "dataconnectors" in mine[1] else with_account
    for place in range(1, MOST_CALLS):
        things = make(admin, place)
        if mine is MAKE_ADMIN:
            assert things.call(*ADD_MEMBER)[0] == 200
        answers = between(partial(things.call, *mine), partial(things.call, *theirs), place)
        if answers[1] is None:
            break
        promise(things, *answers)
    assert 1 < place < MOST_CALLS - 1


@pytest.mark.usefixtures("hurried")
def test_two_concurrent_calls_do_not_exceed_a_limit() -> None:
    things = Things(new_administrator("Full"))
    for place in range(1, MOST_CALLS):
        config_api.table.dynamodb.update_item(
            TableName=config_api.table.name,
            Key=keys.version_key(things.admin.project),
            UpdateExpression="SET connectorCount = :count",
            ExpressionAttributeValues={":count": {"N": str(MAXIMUM_CONNECTORS - 1)}},
        )
        bodies = [{"httpConfig": HTTP, "displayName": f"{place} {who}"} for who in "ab"]
        mine, theirs = between(
            partial(things.call, "POST", "/dataconnectors", bodies[0]),
            partial(things.call, "POST", "/dataconnectors", bodies[1]),
            place,
        )
        if theirs is None:
            break
        assert {mine[0], theirs[0]} == {200, 400}
        assert things.count("connectorCount", "VERSION") == MAXIMUM_CONNECTORS
    assert 1 < place < MOST_CALLS - 1
