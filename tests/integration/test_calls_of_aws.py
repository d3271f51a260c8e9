"""How many calls to AWS a request makes, because they cost latency and money."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from dataconnectors.api.openapi.operations import OPERATIONS
from dataconnectors.kernel import times
from dataconnectors.store import keys
from dataconnectors.store.expired_events import ExpiredEventStore
from functions.config_api import app as config_api
from functions.ingest import app as ingest
from tests.integration.conftest import INGEST_ROUTES, Client, new_administrator
from tests.integration.test_ingest import connect
from tests.support.api_server import Api
from tests.support.attempts import save_attempt
from tests.support.dynamodb import Watched
from tests.support.http_api import LambdaContext, content, request
from tests.support.replays import a_replay
from tests.support.rows import an_expired


@contextmanager
def watched(app: Any) -> Iterator[Watched]:
    """Count the calls to DynamoDB that a function makes inside the `with` block."""
    table = app.table
    seen = Watched(table.dynamodb)
    table.dynamodb = seen
    try:
        yield seen
    finally:
        table.dynamodb = seen.client


def envelopes(client: Client, count: int, devices: int) -> dict[str, Any]:
    stamp = times.to_text(time.time())
    return {
        "events": [
            {
                "eventId": f"e{number}",
                "targetName": f"projects/{client.project}/devices/d{number % devices}",
                "eventType": "touch",
                "data": {"touch": {"updateTime": stamp}},
                "timestamp": stamp,
            }
            for number in range(count)
        ]
    }


def test_a_publish_call_makes_few_calls_to_dynamodb(client: Client) -> None:
    connect(client)
    for count, devices, expected in (
        (1, 1, {"batch_get_item": 1, "batch_write_item": 1, "update_item": 1}),
        (100, 100, {"batch_get_item": 2, "batch_write_item": 4, "update_item": 100}),
        (100, 10, {"batch_get_item": 1, "batch_write_item": 4, "update_item": 10}),
    ):
        body = envelopes(client, count, devices)
        assert client.call("POST", "/events", body)[0] == 200  # the devices are known from now on
        with watched(ingest) as seen:
            assert client.call("POST", "/events", body)[0] == 200
        assert seen.calls == expected


def test_new_devices_cost_one_transaction_for_fifty(client: Client) -> None:
    with watched(ingest) as seen:
        assert client.call("POST", "/events", envelopes(client, 100, 100))[0] == 200
    assert seen.calls["transact_write_items"] == 2


@contextmanager
def calls_of(app: Any) -> Iterator[Counter[str]]:
    """Count all calls to DynamoDB that a function makes inside the block, including pages."""
    made: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        made[model.name] += 1

    events = app.table.dynamodb.meta.events
    events.register("before-call.dynamodb", count)
    try:
        yield made
    finally:
        events.unregister("before-call.dynamodb", count)


ONE_ITEM = {"GetItem": 1}
ONE_QUERY = {"Query": 1}
NOTHING: dict[str, int] = {}

READS: dict[str, dict[str, int]] = {
    "listDataConnectors": ONE_QUERY,
    "getDataConnector": ONE_ITEM,
    "getDataConnectorMetrics": {"GetItem": 1, "Query": keys.ATTEMPT_COUNT_SHARDS},
    "getDataConnectorHealth": {"GetItem": 1, "Query": keys.ATTEMPT_COUNT_SHARDS},
    "listDataConnectorHealth": ONE_QUERY,
    "listAttempts": {"Query": keys.ATTEMPT_SHARDS},
    "getAttempt": ONE_ITEM,
    "explainEvent": {"GetItem": 1, "Query": 4},
    "getTimeline": {"GetItem": 1, "Query": keys.ATTEMPT_COUNT_SHARDS},
    "listTimelines": {"Query": 1 + 2 * keys.ATTEMPT_COUNT_SHARDS},
    "listExpiredEvents": ONE_QUERY,
    "listGaps": ONE_QUERY,
    "listReplays": ONE_QUERY,
    "getReplay": ONE_ITEM,
    "listTryOuts": ONE_QUERY,
    "getTryOut": {"GetItem": 1, "Query": 1},
    "listDeviceEvents": ONE_QUERY,
    "listDevices": {"BatchGetItem": 1, "Query": keys.DEVICE_SHARDS},
    "getDevice": ONE_QUERY,
    "listProjects": {"Query": 1, "BatchGetItem": 1},
    "getProject": ONE_ITEM,
    "listProjectPermissions": {"BatchGetItem": 1},
    "listProjectMembers": ONE_QUERY,
    "getProjectMember": {"BatchGetItem": 1},
    "getProjectInviteUrl": {"BatchGetItem": 1},
    "listServiceAccounts": ONE_QUERY,
    "getServiceAccount": ONE_ITEM,
    "listKeys": ONE_ITEM,
    "getKey": ONE_ITEM,
    "listOrganizations": NOTHING,
    "getOrganization": NOTHING,
    "listOrganizationPermissions": NOTHING,
    "listOrganizationMembers": ONE_QUERY,
    "getOrganizationMember": {"BatchGetItem": 1},
    "getOrganizationInviteUrl": {"BatchGetItem": 1},
    "listRoles": NOTHING,
    "getRole": NOTHING,
    "listProjectChanges": ONE_QUERY,
    "listOrganizationChanges": ONE_QUERY,
    "getOpenApi": NOTHING,
    "getDocs": NOTHING,
    "getErrors": NOTHING,
    "getInvitations": NOTHING,
}
"""The calls to DynamoDB that a GET makes when its caller is cached. docs/data-model.md says why
some make more than one."""

REQUIRED = {"explainEvent": "?event=e0&device={device}"}
"""Queries that a GET cannot do without."""

ELSEWHERE: dict[str, tuple[str, dict[str, int]]] = {
    "a member's projects": ("/projects", {"Query": 1, "BatchGetItem": 2}),
    "a device of any project": ("/projects/-/devices/{device}", {"Query": 2, "BatchGetItem": 2}),
    "devices of any project": (
        "/projects/-/devices",
        {"Query": 1 + keys.DEVICE_SHARDS, "BatchGetItem": 2},
    ),
    "devices by their ids": (
        "/projects/{project}/devices?device_ids={device}",
        {"Query": 1, "BatchGetItem": 1},
    ),
    "devices in order": (
        "/projects/{project}/devices?order_by=-labels.name",
        {"Query": keys.DEVICE_SHARDS, "BatchGetItem": 1},
    ),
    "no events of a type": (
        "/projects/{project}/devices/{device}/events?eventTypes=co2",
        {"Query": 1, "GetItem": 1},
    ),
    "no events that expired": (
        "/projects/{project}/dataconnectors/{without}/expired",
        {"Query": 1, "GetItem": 1},
    ),
    "attempts of an event": (
        "/projects/{project}/dataconnectors/{connector}/attempts?eventId=e0",
        ONE_QUERY,
    ),
    "no attempts": (
        "/projects/{project}/dataconnectors/{without}/attempts",
        {"Query": keys.ATTEMPT_SHARDS, "GetItem": 1},
    ),
    "no gaps": (
        "/projects/{project}/dataconnectors/{without}/gaps",
        {"Query": 1, "GetItem": 1},
    ),
    "no replays": (
        "/projects/{project}/dataconnectors/{without}/replays",
        {"Query": 1, "GetItem": 1},
    ),
}
"""The calls of other queries, by a member of one project. If several projects are searched, one
call reads the caller's role in the organization, which the caller does not have. A missing role is
not cached, so that a new one counts at once."""


class Reader:
    """The organizer, and the administrator of a project with a resource of each kind."""

    def __init__(self, organizer: Client) -> None:
        self.organizer = organizer
        self.admin = new_administrator("Read")
        self._api = Api(INGEST_ROUTES, config_api.lambda_handler)
        made = [
            self.admin.call("POST", "/dataconnectors", {"httpConfig": {"url": f"https://{x}.org"}})
            for x in "ab"
        ]
        device = self.admin.call("POST", "/devices", {"type": "touch"})[1]["name"].split("/")[-1]
        self.admin.call("POST", f"/devices/{device}:publish", {"touch": {}})
        self.admin.call(
            "POST", "/members", {"email": "a@b.example", "roles": ["roles/project.user"]}
        )
        members = self.admin.call("GET", "/members")[1]["members"]
        self.names = {
            "project": self.admin.project,
            "organization": "default",
            "connector": made[0][1]["name"].split("/")[-1],
            "without": made[1][1]["name"].split("/")[-1],
            "device": device,
            "account": self.admin.account["email"].partition("@")[0],
            "key": self.admin.account["keyId"],
            "member": members[-1]["name"].split("/")[-1],
            "role": "project.user",
        }
        connector = f"projects/{self.admin.project}/dataconnectors/{self.names['connector']}"
        path = f"/dataconnectors/{self.names['connector']}:replay"
        replay = self.admin.call("POST", path, a_replay())[1]["name"]
        self.names["replay"] = replay.rpartition("/")[2]
        try_out = self.admin.call("POST", "/tryouts", {})[1]["name"]
        self.names["tryout"] = try_out.rpartition("/")[2]
        expired = an_expired(connector, time.time())
        ExpiredEventStore(config_api.table).save([expired])
        self.names["attempt"] = save_attempt(connector)

    def read(self, path: str, headers: dict[str, str]) -> Counter[str]:
        """The calls that a GET makes when its caller is cached."""
        target = "/v2" + path.format(**self.names)
        assert self._api.answer("GET", target, headers, b"")["statusCode"] == 200, target
        with calls_of(config_api) as made:
            self._api.answer("GET", target, headers, b"")
        return made


@pytest.fixture(scope="module")
def reader(organizer: Client, hurried: None) -> Reader:
    """One reader for all tests, because they change nothing."""
    return Reader(organizer)


GETS = {each.id: each for each in OPERATIONS if each.method == "GET"}


def test_every_get_is_in_the_table() -> None:
    assert set(READS) == set(GETS)


@pytest.mark.parametrize("operation", READS)
def test_a_get_makes_the_documented_calls_beyond_reading_its_caller(
    reader: Reader, operation: str
) -> None:
    path = GETS[operation].path + REQUIRED.get(operation, "")
    names = dict(reader.names)
    caller = reader.admin
    if "{organization}" in path or path in ("/organizations", "/projects"):
        caller = reader.organizer
        reader.names["member"] = caller.account["email"].partition("@")[0]
    if operation == "getOrganizationInviteUrl":
        person = {"email": "c@d.example", "roles": ["roles/organization.admin"]}
        event = request("POST", "/v2/organizations/default/members", person, headers=caller.headers)
        made = content(config_api.lambda_handler(event, LambdaContext()))
        reader.names["member"] = made["name"].split("/")[-1]
    try:
        assert reader.read(path, caller.headers) == READS[operation]
    finally:
        reader.names = names


@pytest.mark.parametrize("asked", ELSEWHERE)
def test_some_queries_make_more_calls_as_documented(reader: Reader, asked: str) -> None:
    path, expected = ELSEWHERE[asked]
    assert reader.read(path, reader.admin.headers) == expected
