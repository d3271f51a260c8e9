"""What a deployment goes through: every kind of row, message and token that it can leave behind."""

import time
from collections import Counter
from typing import Any

import boto3

from tests.upgrades.stack import TOKEN_ENDPOINT, Stack, items, messages_by_queue, pass_time

SECRET = "a secret of at least 32 characters"
NEW_SECRET = "another secret of 32 characters, too"

HALF_A_DAY = 12 * 3600.0

KINDS = (
    "ACCESS# MEMBER#",
    "ACCESS# SERVICEACCOUNT#",
    "AUDIT#",
    "DEVICES# DEVICE#",
    "EXPIRED#",
    "FAILING",
    "HISTORY#",
    "KEY# KEY",
    "MEMBER#",
    "METRICS#",
    "NOTICES",
    "ORGANIZATION# ORGANIZATION",
    "ORGANIZATION# PROJECT#",
    "PROJECT# CONNECTOR#",
    "PROJECT# CREATION#",
    "PROJECT# PROJECT",
    "PROJECT# TOMBSTONE#",
    "PROJECT# VERSION",
    "REPLAYING",
    "REPLAYS#",
    "REQUESTS#",
    "TOKENKEYS",
)
"""The kinds of rows, by the beginnings of their keys. `ACCOUNTED` is missing: it only says which
hour was accounted for last."""

_BY_SORT_KEY = ("ACCESS#", "DEVICES#", "KEY#", "ORGANIZATION#", "PROJECT#")


def kind(item: dict[str, Any]) -> str:
    """The kind of an item, as in `KINDS`."""
    partition, sort = item["pk"]["S"], item["sk"]["S"]
    name, mark, _ = partition.partition("#")
    if f"{name}{mark}" not in _BY_SORT_KEY:
        return f"{name}{mark}"
    word, second, _ = sort.partition("#")
    return f"{name}{mark} {word}{second}"


def live(stack: Stack) -> dict[str, Any]:
    """Let a stack live, with the functions that it has now.

    Returns what a later release needs to go on: the `project`, the `account` of its administrator,
    a `token`, and the `paths` that can be read.
    """
    admin: Any = stack.app("admin")
    made = admin.lambda_handler(
        {"displayName": "Lived", "tokenEndpoint": TOKEN_ENDPOINT, "organizationAdmin": True}, None
    )
    account, project = made["serviceAccount"], f"/v2/projects/{made['project']}"
    token = stack.log_in(account)
    _people(stack, project)
    devices = _devices(stack, project)
    connectors = _connectors(stack, project)
    _deliveries(stack, project, devices, connectors)
    return {
        "project": made["project"],
        "account": account,
        "token": token,
        "connectors": connectors,
        "devices": devices,
        "paths": [
            *("/v2/projects", project, f"{project}/permissions", f"{project}/members"),
            *(f"{project}/{name}" for name in ("serviceaccounts", "audit", "devices")),
            *(f"{project}/dataconnectors{verb}" for verb in ("", ":health")),
            *(f"{project}/devices/{device}" for device in devices.values()),
            *(f"{project}/devices/{device}/events" for device in devices.values()),
            *(f"{project}/dataconnectors/{connector}" for connector in connectors.values()),
            f"{project}/dataconnectors/{connectors['failing']}:metrics",
            f"{project}/dataconnectors/{connectors['plain']}/replays",
            *(
                f"{project}/dataconnectors/{connectors['late']}/{part}"
                for part in ("expired", "gaps")
            ),
        ],
    }


def _people(stack: Stack, project: str) -> None:
    body = {"displayName": "Terraform", "enableBasicAuth": True}
    made = stack.do("POST", f"{project}/serviceaccounts", body)
    stack.do("POST", f"/v2/{made['name']}/keys")
    member = {"email": made["email"], "roles": ["roles/project.developer"]}
    stack.do("POST", f"{project}/members", member)
    person = {"email": "someone@example.com", "roles": ["roles/project.user"]}
    stack.do("POST", f"{project}/members", person)


def _devices(stack: Stack, project: str) -> dict[str, str]:
    """An emulated device with changed labels, and one that its first event registers."""
    fridge = {"type": "temperature", "labels": {"name": "Fridge", "room": "ü 2"}}
    made = stack.do("POST", f"{project}/devices", fridge)
    change = {"devices": [made["name"]], "addLabels": {"floor": "3"}, "removeLabels": ["room"]}
    stack.do("POST", f"{project}/devices:batchUpdate", change)
    return {"fridge": made["name"].rpartition("/")[2], "sensor": "b6sfpst7rihg0dm4uv90"}


def _connectors(stack: Stack, project: str) -> dict[str, str]:
    """Connectors of every status, with and without secrets, and one that is gone."""
    path = f"{project}/dataconnectors"

    def make(name: str, http: dict[str, Any] | None = None, **fields: Any) -> str:
        http = {"url": f"https://{name}.example.com/hook"} | (http or {})
        body = {"type": "HTTP_PUSH", "displayName": name, "httpConfig": http} | fields
        made: str = stack.do("POST", path, body)["name"]
        return made.rpartition("/")[2]

    signed = {"signatureSecret": SECRET, "headers": {"X-Key": "a key of theirs"}}
    made = {
        "plain": make("plain", labels=[]),
        "signed": make("signed", signed, events=["temperature", "touch"], labels=["name"]),
        "rotating": make("rotating", {"signatureSecret": SECRET, "standardWebhooks": True}),
        "failing": make("failing"),
        "late": make("late"),
        "paused": make("paused"),
        "disabled": make("disabled"),
    }
    rotation = {"httpConfig": {"signatureSecret": NEW_SECRET, "keepPreviousSecret": True}}
    stack.do("PATCH", f"{path}/{made['rotating']}", rotation)
    stack.do("PATCH", f"{path}/{made['disabled']}", {"status": "USER_DISABLED"})
    stack.do("POST", f"{path}/{made['paused']}:pause")
    stack.do("DELETE", f"{path}/{make('gone')}")
    for _ in range(2):  # it deletes the mapping, then the queue and the row
        stack.reconcile()
    return made


def _deliveries(
    stack: Stack, project: str, devices: dict[str, str], connectors: dict[str, str]
) -> None:
    """Delivered, failing and expired events, a replay, and events that still wait."""
    publish(stack, project, devices, "delivered")
    stack.endpoints.statuses = {"failing.example.com": 503, "late.example.com": 500}
    stack.deliver()
    pass_time(20.0)
    _only(connectors["late"])
    stack.deliver(age=HALF_A_DAY - 30)
    publish(stack, project, devices, "failing")
    stack.deliver()
    pass_time(61.0)
    stack.deliver()  # it has failed for more than a minute
    pass_time(600.0)  # everything that failed or was held is visible again
    now = time.time()
    hours = {"startTime": _text(now - 3600), "endTime": _text(now)}
    stack.do("POST", f"{project}/dataconnectors/{connectors['plain']}:replay", hours)
    publish(stack, project, devices, "waiting")


def publish(stack: Stack, project: str, devices: dict[str, str], prefix: str) -> None:
    """Publish a temperature of each device."""
    events = [
        {
            "eventId": f"{prefix}-{name}",
            "targetName": f"{project.removeprefix('/v2/')}/devices/{device}",
            "eventType": "temperature",
            "data": {"temperature": {"value": 21.5}},
            "timestamp": _text(time.time()),
        }
        for name, device in devices.items()
    ]
    answer = stack.do("POST", f"{project}/events", {"events": events})
    assert answer["errors"] == [], answer


def _only(connector: str) -> None:
    """Empty the queues of other connectors than this one, which fails."""
    sqs = boto3.client("sqs")
    owner = {
        item["queueId"]["S"]: item["sk"]["S"].removeprefix("CONNECTOR#")
        for item in items()
        if kind(item) == "PROJECT# CONNECTOR#"
    }
    for name in messages_by_queue():
        if owner.get(name.rpartition("-")[2], connector) != connector:
            sqs.purge_queue(QueueUrl=sqs.get_queue_url(QueueName=name)["QueueUrl"])


def _text(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))


def answers(stack: Stack, paths: list[str]) -> dict[str, Any]:
    """What the functions answer to each GET now."""
    return {path: stack.do("GET", path) for path in paths}


def kinds() -> Counter[str]:
    """How many rows of each kind are in the table."""
    return Counter(kind(item) for item in items())
