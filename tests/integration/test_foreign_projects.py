"""Ids, names and page tokens of another project give access to nothing when used in one's own.

test_permissions.py shows that a foreign project is answered like one that does not exist.
"""

import json
import re
import time
from typing import Any

import pytest

from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.operations import OPERATIONS
from dataconnectors.delivery.attempt_counts import AttemptCounts
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.identity import roles
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.expired_events import ExpiredEventStore
from functions.config_api import app as config_api
from tests.integration.conftest import INGEST_ROUTES, Client, new_administrator
from tests.support.api_server import Api
from tests.support.attempts import save_attempt
from tests.support.replays import a_replay

ABSENT = "c00000000000000000vg"
BODIES: dict[str, Any] = {
    "publishEmulatedEvent": {"touch": {}},
    "updateProjectMember": {"roles": [roles.USER]},
    "replaceDevice": {"labels": {}},
    "setLabel": {"value": "x"},
}


class Project:
    """A project with a resource of each kind, which all contain `word`."""

    def __init__(self, word: str) -> None:
        self.admin = new_administrator(word)
        self.api = Api(INGEST_ROUTES, config_api.lambda_handler)
        http = {"url": f"https://{word}.example", "signatureSecret": f"{word} secret"}
        connector = {"httpConfig": http, "displayName": word}
        account = self.post("/serviceaccounts", {"displayName": word})
        member = {"email": f"{account}@{self.admin.project}.serviceaccount.d21s.com"}
        device = self.post("/devices", {"type": "touch", "labels": {"name": word}})
        self.names = {
            "project": self.admin.project,
            "connector": self.post("/dataconnectors", connector),
            "device": device,
            "label": "name",
            "account": account,
            "key": self.post(f"/serviceaccounts/{account}/keys", None),
            "member": self.post("/members", member | {"roles": [roles.USER]}),
        }
        for _ in range(2):
            self.admin.call("POST", f"/devices/{device}:publish", {"touch": {}})
            self.post("/devices", {"type": "touch"})
        name = f"projects/{self.admin.project}/dataconnectors/{self.names['connector']}"
        AttemptCountStore(config_api.table).add(name, AttemptCounts(7, 7, {1: 14}), time.time())
        expired = [
            ExpiredEvent(name, f"e{n}", "touch", word, 1, "status", word, 500, time.time() - n, 1.0)
            for n in range(3)
        ]
        ExpiredEventStore(config_api.table).save(expired)
        path = f"/dataconnectors/{self.names['connector']}:replay"
        self.names["replay"] = self.post(path, a_replay())
        self.names["tryout"] = self.post("/tryouts", {})
        self.names["attempt"] = save_attempt(name)

    def post(self, path: str, body: Any) -> str:
        status, made = self.admin.call("POST", path, body)
        assert status == 200, made
        return str(made.get("key", made)["name"]).rpartition("/")[2]

    def send(self, operation: Operation, names: dict[str, str]) -> tuple[int, str]:
        path = operation.path.format(**names)
        body = json.dumps(BODIES.get(operation.id, {})).encode()
        answer = self.api.answer(operation.method, f"/v2{path}", self.admin.headers, body)
        return answer["statusCode"], answer["body"]


@pytest.fixture(scope="module")
def projects(organizer: Client, hurried: None) -> tuple[Project, Project]:
    """The caller's project and a foreign one."""
    return Project("mine"), Project("theirs")


BELOW = [
    (operation, name)
    for operation in OPERATIONS
    if operation.path.startswith("/projects/{project}/")
    for name in re.findall(r"{(\w+)}", operation.path)[1:]
    if name != "label"
]


@pytest.mark.parametrize(
    ("operation", "name"), BELOW, ids=[f"{operation.id} {name}" for operation, name in BELOW]
)
def test_a_foreign_id_is_answered_as_one_that_does_not_exist(
    projects: tuple[Project, Project], operation: Operation, name: str
) -> None:
    mine, theirs = projects
    foreign = theirs.names[name]
    answers = [mine.send(operation, mine.names | {name: other}) for other in (foreign, ABSENT)]
    assert answers[0][0] in (400, 404)
    assert (answers[0][0], answers[0][1].replace(foreign, ABSENT)) == answers[1]


@pytest.mark.parametrize(
    "operation",
    [each for each in OPERATIONS if each.id in ("batchUpdateDevices", "transferDevices")],
    ids=lambda operation: operation.id,
)
def test_foreign_devices_in_a_body_are_answered_as_devices_that_do_not_exist(
    projects: tuple[Project, Project], operation: Operation
) -> None:
    mine, theirs = projects
    foreign = f"projects/{theirs.admin.project}/devices/{theirs.names['device']}"
    answers = []
    for name in (foreign, f"projects/{ABSENT}/devices/{theirs.names['device']}"):
        body = json.dumps({"devices": [name], "addLabels": {"a": "b"}}).encode()
        path = "/v2" + operation.path.format(**mine.names)
        answers.append(mine.api.answer("POST", path, mine.admin.headers, body))
    assert answers[0]["statusCode"] == 200
    assert answers[0]["body"].replace(theirs.admin.project, ABSENT) == answers[1]["body"]
    assert theirs.admin.call("GET", f"/devices/{theirs.names['device']}")[1]["labels"] == {
        "name": "theirs"
    }


@pytest.mark.parametrize(
    "path",
    [
        "/projects/{project}/audit",
        "/projects/{project}/devices",
        "/projects/{project}/devices?order_by=-type",
        "/projects/-/devices",
        "/projects/{project}/devices/{device}/events",
        "/projects/{project}/dataconnectors/{connector}/expired",
        "/projects/{project}/members",
        "/projects",
    ],
)
def test_a_page_token_of_another_project_reveals_nothing_of_it(
    projects: tuple[Project, Project], path: str
) -> None:
    mine, theirs = projects

    def page(project: Project, token: str = "") -> Any:
        target = "/v2" + path.format(**project.names)
        target += f"{'&' if '?' in target else '?'}pageSize=1&pageToken={token}"
        answer = project.api.answer("GET", target, project.admin.headers, b"")
        return answer["statusCode"], json.loads(answer["body"])

    token = page(theirs)[1]["nextPageToken"]
    status, shown = page(mine, token)
    assert status in (200, 400)
    for said in (theirs.admin.project, theirs.names["device"], theirs.names["connector"], "theirs"):
        assert said not in json.dumps(shown)
