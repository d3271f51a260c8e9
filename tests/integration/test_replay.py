"""A replay, from the call to the messages in the connector's queue, and what interrupts it."""

import json
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from dataconnectors.events.history_query import RETENTION_SECONDS
from dataconnectors.identity import roles
from dataconnectors.ingest.replay import LOOKS
from dataconnectors.kernel import times
from dataconnectors.replay.pace import Pace
from dataconnectors.replay.waiting_runs import StartReport
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.replays import LEASE_SECONDS
from functions.config_api import app as config_api
from functions.replay import app
from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, messages
from tests.integration.test_sync import Invocations, invocations  # noqa: F401  # a fixture
from tests.support.replays import a_replay, ago

PAGE = 10
"""Messages of a page in these tests."""

TYPES = ("touch", "motion")


@dataclass
class Context:
    """The part of Lambda's context that the handler reads. Time passes with the runner's clock."""

    clock: "Clock"
    started: float
    timeout: float

    def get_remaining_time_in_millis(self) -> int:
        return int((self.timeout - (self.clock.now() - self.started)) * 1000)


class Clock:
    """Real time, and what the runner has slept or a test lets pass. `on_sleep` is called then."""

    def __init__(self, on_sleep: Callable[[], None]) -> None:
        self.ahead = 0.0
        self.on_sleep = on_sleep

    def now(self) -> float:
        return time.time() + self.ahead

    def sleep(self, seconds: float) -> None:
        self.ahead += seconds
        self.on_sleep()


class Runs:
    """Lambda's side: invokes the handler for what waits, with the runner's clock.

    Whenever the runner sleeps, everything is delivered that is in the project's queues.
    """

    def __init__(self, kept: Invocations, client: Client) -> None:
        self.kept = kept
        self.clock = Clock(self.deliver)
        self.delivered: list[dict[str, Any]] = []
        self._client = client

    def deliver(self) -> None:
        self.delivered += messages(self._client)

    def arrived(self) -> Counter[str]:
        """How often each event was delivered since the last call."""
        self.deliver()
        found = Counter(message["eventId"] for message in self.delivered)
        self.delivered = []
        return found

    def interrupt(self, once: Callable[[], object]) -> None:
        """Call something while the runner sleeps for the first time."""

        def interrupted() -> None:
            self.clock.on_sleep = self.deliver
            self.deliver()
            once()

        self.clock.on_sleep = interrupted

    def once(self, timeout: float = 900) -> list[dict[str, Any]]:
        """Invoke the handler for each waiting invocation."""
        waiting, self.kept.waiting = self.kept.waiting, []
        context = Context(self.clock, self.clock.now(), timeout)
        return [app.lambda_handler(event, context) for event in waiting]

    def reconcile(self, pass_seconds: float = LEASE_SECONDS + 60) -> StartReport:
        """What the reconciler does each minute, some time later."""
        self.clock.ahead += pass_seconds
        return config_api.replay_service._waiting_runs.start(self.clock.now())


@pytest.fixture
def runs(
    client: Client,
    invocations: Invocations,  # noqa: F811  # the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> Runs:
    """Runs with pages of ten messages, and no other project's replays beside."""
    made = Runs(invocations, client)
    for item in app.table.query("REPLAYING"):
        app.table.dynamodb.delete_item(
            TableName=app.table.name, Key={"pk": item["pk"], "sk": item["sk"]}
        )
    pace = Pace(100, app.settings.maximum_concurrency, page_messages=PAGE)
    timed = app.make_runner(pace, now=made.clock.now, sleep=made.clock.sleep)
    monkeypatch.setattr(app, "runner", timed)
    return made


def publish(client: Client, count: int, devices: int, *, age: float = 3600) -> list[str]:
    """Publish events of both types, a second apart; returns their ids."""
    now = time.time()
    events: list[dict[str, Any]] = []
    for number in range(count):
        stamp = times.to_text(now - age + number)
        kind = TYPES[number % 2]
        data = {"updateTime": stamp} | ({"state": "NO_MOTION_DETECTED"} if number % 2 else {})
        events.append(
            {
                "eventId": f"e{number}",
                "targetName": f"projects/{client.project}/devices/d{number % devices}",
                "eventType": kind,
                "data": {kind: data},
                "timestamp": stamp,
            }
        )
    assert client.call("POST", "/events", {"events": events})[0] == 200
    return [event["eventId"] for event in events]


def start(client: Client, path: str, **more: Any) -> str:
    """Start a replay of the last two hours; returns its path."""
    status, answer = client.call("POST", f"{path}:replay", a_replay(**more))
    assert status == 200, answer
    assert answer["state"] == "RUNNING"
    return str(answer["name"]).removeprefix(f"projects/{client.project}")


def progress(client: Client, path: str) -> tuple[str, int, int, int | None]:
    answer = client.call("GET", path)[1]
    return answer["state"], answer["sent"], answer["skipped"], answer["total"]


@pytest.mark.parametrize("colon", [":", "%3A"])
def test_a_replay_sends_history_with_the_original_ids_and_events(
    client: Client, runs: Runs, colon: str
) -> None:
    path = connect(client, labels=["name"])
    connect(client)
    published = publish(client, 25, 3)
    client.call("PATCH", "/devices/d1/labels/name", {"value": "Now"})
    before = {message["eventId"]: json.loads(message["body"]) for message in messages(client)}
    status, answer = client.call("POST", f"{path}{colon}replay", a_replay())
    assert (status, answer["total"]) == (200, None)
    assert messages(client) == []
    assert [report["outcome"] for report in runs.once()] == ["SUCCEEDED"]
    runs.deliver()
    found = runs.delivered
    assert {message["connector"] for message in found} == {f"projects/{client.project}{path}"}
    assert sorted(message["eventId"] for message in found) == sorted(published)
    bodies = [json.loads(message["body"]) for message in found]
    assert all(body["event"] == before[body["event"]["eventId"]]["event"] for body in bodies)
    assert [body["labels"] for body in bodies if body["metadata"]["deviceId"] == "d1"] == (
        [{"name": "Now"}] * 8
    )
    accepted = [message["acceptedAt"] / 1000 for message in found]
    assert min(accepted) > time.time() - 60, "retention begins when the replay queues the event"
    (shown,) = client.call("GET", f"{path}/replays")[1]["replays"]
    assert (shown["state"], shown["sent"], shown["total"]) == ("SUCCEEDED", 25, 25)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"eventTypes": ["touch"]}, {"e0", "e2", "e4", "e6", "e8"}),
        ({"devices": ["d1"]}, {"e1", "e4", "e7"}),
        ({"devices": ["d1", "d2"], "eventTypes": ["motion"]}, {"e1", "e5", "e7"}),
        ({"devices": ["absent"]}, set()),
    ],
)
def test_a_replay_sends_what_is_asked_for(
    client: Client, runs: Runs, wanted: dict[str, Any], expected: set[str]
) -> None:
    path = connect(client)
    publish(client, 9, 3)
    messages(client)
    if "devices" in wanted:
        names = [f"projects/{client.project}/devices/{device}" for device in wanted["devices"]]
        wanted = wanted | {"devices": names}
    made = start(client, path, **wanted)
    runs.once()
    assert set(runs.arrived()) == expected
    assert progress(client, made) == ("SUCCEEDED", len(expected), 0, len(expected))


def test_a_replay_includes_its_start_and_not_its_end(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 5, 1)
    messages(client)
    stamps = sorted(
        event["timestamp"] for event in client.call("GET", "/devices/d0/events")[1]["events"]
    )
    wanted = {"startTime": stamps[1], "endTime": stamps[3]}
    assert client.call("POST", f"{path}:replay", wanted)[0] == 200
    runs.once()
    assert set(runs.arrived()) == {"e1", "e2"}


def test_a_connector_gets_only_types_that_it_pushed_when_the_replay_began_and_still_pushes(
    client: Client, runs: Runs
) -> None:
    path = connect(client, events=list(TYPES))
    publish(client, 30, 1)
    messages(client)
    made = start(client, path)
    runs.interrupt(lambda: client.call("PATCH", path, {"events": ["touch", "co2"]}))
    runs.once()
    found = runs.arrived()
    touches = {f"e{number}" for number in range(0, 30, 2)}
    assert set(found) == touches | {f"e{number}" for number in range(1, PAGE, 2)}
    assert progress(client, made) == ("SUCCEEDED", 20, 10, 30)
    assert client.call("GET", made)[1]["eventTypes"] == sorted(TYPES)


def test_a_replay_keeps_its_pace_and_the_queue_short(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 95, 4)
    messages(client)
    start(client, path)
    began = runs.clock.now()
    depths = []

    def deliver() -> None:
        depths.append(len(messages(client)))

    runs.clock.on_sleep = deliver
    assert [report["sent"] for report in runs.once()] == [95]
    assert max(depths) <= PAGE
    assert runs.clock.now() - began >= 0.9, "a hundred messages a second"


def test_a_replay_sends_nothing_while_the_queue_is_not_short(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 15, 1)
    made = start(client, path)
    runs.clock.on_sleep = lambda: None
    assert [report["outcome"] for report in runs.once()] == ["unfinished"]
    assert progress(client, made) == ("RUNNING", 0, 0, 15)
    assert runs.clock.ahead == LOOKS - 1
    assert runs.reconcile(60) == StartReport(started=1), "it has given the replay back"
    assert len(messages(client)) == 15
    runs.clock.on_sleep = runs.deliver
    assert [report["sent"] for report in runs.once()] == [15]
    assert progress(client, made) == ("SUCCEEDED", 15, 0, 15)


def test_a_replay_sends_nothing_while_many_messages_wait_for_their_next_attempt(
    client: Client, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = connect(client)
    publish(client, 25, 1)
    pace = Pace(100, 2, page_messages=100)
    runs.clock.on_sleep = lambda: None
    timed = app.make_runner(pace, now=runs.clock.now, sleep=runs.clock.sleep)
    monkeypatch.setattr(app, "runner", timed)
    start(client, path)
    (connector,) = ConnectorStore(app.table).connectors(client.project)
    for _ in range(3):  # a sender has failed 25 messages, and two batches may be in flight
        boto3.client("sqs").receive_message(
            QueueUrl=connector.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=60
        )
    assert [report["outcome"] for report in runs.once()] == ["unfinished"]


def test_a_replay_of_a_paused_connector_goes_on_when_it_is_resumed(
    client: Client, runs: Runs
) -> None:
    path = connect(client)
    publish(client, 15, 1)
    messages(client)
    made = start(client, path)
    assert client.call("POST", f"{path}:pause")[0] == 200
    assert [report["outcome"] for report in runs.once()] == ["unfinished"]
    assert progress(client, made) == ("RUNNING", 0, 0, 15)
    assert client.call("POST", f"{path}:resume")[0] == 200
    runs.reconcile(60)
    assert [report["sent"] for report in runs.once()] == [15]


@pytest.mark.parametrize(
    ("days", "paused", "state", "todo"),
    [
        (6.9, True, "RUNNING", ""),
        (7.1, True, "FAILED", "the connector is paused: resume it, and start another replay"),
        (7.1, False, "FAILED", "expired events and metrics, and start another replay of a shorter"),
    ],
)
def test_a_replay_fails_after_a_week_and_says_what_to_do(
    client: Client, runs: Runs, days: float, paused: bool, state: str, todo: str
) -> None:
    path = connect(client)
    publish(client, 15, 1)
    made = start(client, path)
    if paused:
        assert client.call("POST", f"{path}:pause")[0] == 200
    runs.clock.ahead = days * 86_400
    runs.once()
    answer = client.call("GET", made)[1]
    assert (answer["state"], todo in answer["error"]) == (state, True), answer
    assert answer["error"].startswith("not finished after 7 days: ") is (state == "FAILED")


def test_a_run_ends_before_its_time_is_over_and_the_next_one_goes_on(
    client: Client, runs: Runs
) -> None:
    path = connect(client)
    published = publish(client, 45, 2)
    messages(client)
    made = start(client, path)
    reports = []
    while runs.kept.waiting:
        reports += runs.once(timeout=60.15)
        runs.deliver()
        runs.reconcile(60)
    assert [report["outcome"] for report in reports[:-1]] == ["unfinished"] * (len(reports) - 1)
    assert reports[-1]["outcome"] == "SUCCEEDED"
    assert len(reports) > 2
    assert runs.arrived() == Counter(published), "nothing twice, nothing left out"
    assert progress(client, made) == ("SUCCEEDED", 45, 0, 45)


class Killed(BaseException):
    """Ends a process as Lambda does: nothing of it runs any more."""


class Killer:
    """Ends the process before or after its call to AWS with this number."""

    def __init__(self, number: int, when: str) -> None:
        self._left = number
        self._event = f"{when}-call.*"

    def __enter__(self) -> "Killer":
        for client in (app.table.dynamodb, app.sqs):
            client.meta.events.register_last(self._event, self._count)
        return self

    def __exit__(self, *_: object) -> None:
        for client in (app.table.dynamodb, app.sqs):
            client.meta.events.unregister(self._event, self._count)

    def _count(self, **_: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise Killed

    @property
    def has_killed(self) -> bool:
        return self._left < 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_at_any_call_leaves_nothing_out_and_repeats_a_page_at_most(
    client: Client, runs: Runs, when: str
) -> None:
    path = connect(client)
    published = publish(client, 14, 1)
    messages(client)
    device = f"projects/{client.project}/devices/d0"
    number = 0
    while True:
        made = start(client, path, devices=[device])
        with Killer(number, when) as killer, suppress(Killed):
            runs.once()
        if not killer.has_killed:
            break
        runs.deliver()
        if client.call("GET", made)[1]["state"] == "RUNNING":
            assert runs.reconcile().started == 1
            assert [report["outcome"] for report in runs.once()] == ["SUCCEEDED"]
        found = runs.arrived()
        assert set(found) == set(published), f"killed {when} call {number}"
        assert sum(found.values()) - len(published) <= PAGE, f"killed {when} call {number}"
        assert progress(client, made) == ("SUCCEEDED", 14, 0, 14)
        number += 1
    assert number >= 15, "every call was tried"


def test_a_slow_process_that_lost_its_lease_stops_at_its_next_save(
    client: Client, runs: Runs
) -> None:
    path = connect(client)
    published = publish(client, 35, 1)
    messages(client)
    made = start(client, path)

    def stall() -> None:
        runs.reconcile()
        assert [report["outcome"] for report in runs.once()] == ["SUCCEEDED"]

    runs.interrupt(stall)
    assert [report["outcome"] for report in runs.once()] == ["not ours"]
    found = runs.arrived()
    assert set(found) == set(published)
    assert sum(found.values()) - len(published) <= PAGE
    assert progress(client, made) == ("SUCCEEDED", 35, 0, 35)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ([("PATCH", {"status": "USER_DISABLED"})], "was disabled: enable it"),
        (
            [("PATCH", {"status": "USER_DISABLED"}), ("PATCH", {"status": "ACTIVE"})],
            "was disabled and enabled again: start another replay",
        ),
        ([("DELETE", None)], "the connector was deleted"),
    ],
)
def test_a_replay_fails_when_its_connector_is_disabled_or_deleted(
    client: Client, runs: Runs, hurried: None, change: list[tuple[str, Any]], error: str
) -> None:
    path = connect(client)
    publish(client, 25, 1)
    messages(client)
    made = start(client, path)

    def interrupt() -> None:
        for method, body in change:
            assert client.call(method, path, body)[0] == 200

    runs.interrupt(interrupt)
    assert [report["outcome"] for report in runs.once()] == ["FAILED"]
    answer = client.call("GET", made)[1]
    assert (answer["state"], answer["sent"], answer["total"]) == ("FAILED", PAGE, 25)
    assert error in answer["error"]
    assert client.call("GET", f"{path}/replays")[1]["replays"] == [answer]
    assert runs.reconcile() == StartReport(), "it is finished"


def test_a_cancelled_replay_sends_one_more_page_at_most(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 45, 1)
    messages(client)
    made = start(client, path)

    def cancel() -> None:
        status, answer = client.call("POST", f"{made}:cancel")
        assert (status, answer["state"], answer["sent"]) == (200, "CANCELLED", PAGE)

    runs.interrupt(cancel)
    assert [report["outcome"] for report in runs.once()] == ["not ours"]
    assert sum(runs.arrived().values()) <= 2 * PAGE
    state, *_ = progress(client, made)
    assert state == "CANCELLED"
    assert client.call("POST", f"{made}:cancel")[1]["state"] == "CANCELLED", "again is no error"
    start(client, path)


def test_a_cancelled_replay_that_nobody_works_on_is_not_run(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 5, 1)
    messages(client)
    client.call("POST", f"{start(client, path)}:cancel")
    assert [report["outcome"] for report in runs.once()] == ["not ours"]
    assert messages(client) == []


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no times": ({"startTime": None}, "startTime: None, expected an RFC 3339 time with a zone"),
    "no zone": ({"endTime": "2026-01-01T00:00:00"}, "endTime: '2026-01-01T00:00:00', expected an"),
    "a number": ({"startTime": 5}, "startTime: 5, expected an RFC 3339 time"),
    "an end before the start": ({"endTime": ago(7300)}, "endTime: not after startTime"),
    "an end at the start": (
        {"startTime": "2026-11-01T00:00:00Z", "endTime": "2026-11-01T00:00:00Z"},
        "endTime: not after startTime",
    ),
    "too old": (
        {"startTime": ago(RETENTION_SECONDS + 5)},
        "Z, so give a later time",
    ),
    "the future": ({"endTime": ago(-86_400)}, "endTime: in the future: give a time until now"),
    "an unknown field": ({"types": []}, "'types': unknown field, expected startTime, endTime"),
    "an unknown type": ({"eventTypes": ["bogus"]}, "eventTypes: 'bogus' is unknown"),
    "types that are no list": ({"eventTypes": "touch"}, "eventTypes: expected a list of texts"),
    "types that are no texts": ({"eventTypes": [1]}, "eventTypes: expected a list of texts"),
    "too many types": ({"eventTypes": ["touch"] * 20}, "eventTypes: 20 given, at most 19"),
    "a type that is not kept": (
        {"eventTypes": ["labelsChanged"]},
        "eventTypes: labelsChanged events are not kept, so they cannot be replayed",
    ),
    "a type that the connector does not push": (
        {"eventTypes": ["co2"]},
        "does not push co2: add it to the connector's events first, or leave it out",
    ),
    "a device's id": ({"devices": ["d1"]}, "devices: 'd1', expected projects/"),
    "a foreign device": (
        {"devices": ["projects/other/devices/d1"]},
        "devices: 'projects/other/devices/d1', expected projects/",
    ),
    "too many devices": ({"devices": ["d"] * 101}, "devices: 101 given, at most 100"),
}


@pytest.mark.parametrize(("change", "error"), REFUSED.values(), ids=REFUSED)
def test_a_replay_that_cannot_be_is_refused_with_what_to_do(
    client: Client, runs: Runs, change: dict[str, Any], error: str
) -> None:
    path = connect(client, events=list(TYPES))
    status, answer = client.call("POST", f"{path}:replay", a_replay() | change)
    assert (status, error in answer["error"]) == (400, True), answer
    assert client.call("GET", f"{path}/replays")[1]["replays"] == []
    assert runs.kept.waiting == []


def test_a_disabled_connector_is_not_replayed(client: Client, runs: Runs, hurried: None) -> None:
    path = connect(client, status="USER_DISABLED")
    status, answer = client.call("POST", f"{path}:replay", a_replay())
    assert (status, "is disabled: enable it first" in answer["error"]) == (400, True)
    client.call("DELETE", path)
    assert client.call("POST", f"{path}:replay", a_replay())[0] == 404
    assert client.call("POST", "/dataconnectors/absent:replay", a_replay())[0] == 404


def test_a_connector_has_one_running_replay(client: Client, runs: Runs) -> None:
    path, other = connect(client), connect(client, displayName="Other")
    made = start(client, path)
    status, answer = client.call("POST", f"{path}:replay", a_replay())
    assert status == 409
    assert answer["error"] == (
        f"projects/{client.project}{made} is running: wait for its end, or cancel it first"
    )
    start(client, other)
    runs.once()
    start(client, path)
    listed = client.call("GET", f"{path}/replays")[1]["replays"]
    assert [replay["state"] for replay in listed] == ["RUNNING", "SUCCEEDED"]


def test_a_deployment_without_history_replays_nothing(
    client: Client, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_api.replay_service, "_keeps_history", False)
    status, answer = client.call("POST", f"{connect(client)}:replay", a_replay())
    assert (status, "keeps no history" in answer["error"]) == (400, True)


def test_an_answered_replay_can_be_asked_for_again(client: Client, runs: Runs) -> None:
    path = connect(client)
    publish(client, 3, 1)
    made = start(client, path)
    runs.once()
    again = client.call("GET", made)[1]
    assert client.call("POST", f"{path}:replay", again)[0] == 200


def test_replays_are_listed_in_pages_the_newest_first(client: Client, runs: Runs) -> None:
    path = connect(client)
    made = []
    for _ in range(3):
        made.append(start(client, path))
        runs.once()
    seen, token = [], ""
    for _ in range(3):
        query = f"pageSize=2&pageToken={token}"
        status, answer = client.call("GET", f"{path}/replays", query=query)
        assert status == 200
        seen += [
            each["name"].removeprefix(f"projects/{client.project}") for each in answer["replays"]
        ]
        token = answer["nextPageToken"]
        if not token:
            break
    assert sorted(seen) == sorted(made)
    assert [name[:30] for name in seen] == sorted((name[:30] for name in seen), reverse=True)
    assert client.call("GET", "/dataconnectors/absent/replays")[0] == 404
    assert client.call("GET", f"{path}/replays/absent")[0] == 404
    assert client.call("POST", f"{path}/replays/absent:cancel")[0] == 404


def test_start_and_cancel_are_in_the_audit_log(client: Client, runs: Runs) -> None:
    path = connect(client)
    wanted = a_replay(eventTypes=["touch"])
    name = client.call("POST", f"{path}:replay", wanted)[1]["name"]
    below = name.removeprefix(f"projects/{client.project}")
    client.call("POST", f"{below}:cancel")
    client.call("POST", f"{below}:cancel")
    logged = [
        (entry["action"], entry["resource"], entry["details"])
        for entry in client.call("GET", "/audit")[1]["entries"]
        if entry["resource"] == name
    ]
    assert logged == [
        ("dataconnector.update", name, {"state": "CANCELLED"}),
        ("dataconnector.update", name, wanted | {"devices": []}),
    ]


def test_replays_beyond_the_concurrency_wait_for_their_turn(client: Client, runs: Runs) -> None:
    publish(client, 2, 1)
    messages(client)
    made = [start(client, connect(client, displayName=f"{n}")) for n in range(7)]
    runs.kept.waiting = []
    assert runs.reconcile() == StartReport(started=5, waiting=2)
    runs.once()
    assert runs.reconcile() == StartReport(started=2)
    runs.once()
    assert {progress(client, each)[0] for each in made} == {"SUCCEEDED"}


def test_a_replay_is_the_developers_to_start(client: Client, runs: Runs) -> None:
    path = connect(client)
    for role, status in ((roles.USER, 403), (roles.DEVELOPER, 200)):
        account = client.account_with(role)
        assert account.call("POST", f"{path}:replay", a_replay())[0] == status
        assert account.call("GET", f"{path}/replays")[0] == 200
