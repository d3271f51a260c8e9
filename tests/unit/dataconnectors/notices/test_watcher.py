"""How the list of failing connectors is worked through, and what happens on failures."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dataconnectors.aws.event_bus import EventBus
from dataconnectors.connectors.connector import Connector, Status
from dataconnectors.connectors.failing import Failing
from dataconnectors.notices.watched import DAY, Watched
from dataconnectors.notices.watcher import AT_ONCE, Watcher, WatchReport
from tests.support.rows import a_connector

NOW = 1_790_000_000.0
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "Any")
OUTAGE = Failing(NOW - 100, NOW - 1, "timeout", "no answer", None, NOW - 200, NOW - 90, 100)


class World:
    """Fakes of EventBridge, of the topic and of the list. `fail` names a call that is throttled."""

    def __init__(self, *connectors: Connector) -> None:
        self.connectors = {connector.name: connector for connector in connectors}
        self.listed = {name: Watched(name, NOW - 100) for name in self.connectors}
        self.events: list[tuple[str, str]] = []
        self.published: list[str] = []
        self.refused: set[str] = set()
        self.reads: list[int] = []
        self.fail = ""
        self.after_read: Callable[[], object] = lambda: None
        self.now = NOW

    def run(self, seconds: float = 50.0) -> WatchReport:
        bus = EventBus(self, "dc")
        publish = lambda subject, sentence: self.published.append(sentence)  # noqa: E731
        return Watcher(self, bus, publish, 5).run(self.now, lambda: seconds)

    def _call(self, name: str) -> None:
        if self.fail == name:
            raise THROTTLED

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        self._call("put_events")
        answer = []
        for entry in Entries:
            name = json.loads(entry["Detail"])["connector"]
            if name in self.refused:
                answer.append({"ErrorCode": "InternalFailure"})
            else:
                self.events.append((name, entry["DetailType"].removeprefix("Data Connector ")))
                answer.append({"EventId": "1"})
        return {"Entries": answer}

    def entries(self) -> list[Watched]:
        self._call("entries")
        return list(self.listed.values())

    def rows(self, names: Sequence[str]) -> Mapping[str, Connector]:
        self._call("rows")
        self.reads.append(len(names))
        found = {name: self.connectors[name] for name in names if name in self.connectors}
        self.after_read()
        return found

    def save(self, entry: Watched, since: float) -> None:
        self._call("save")
        if self.listed[entry.connector].since == since:
            self.listed[entry.connector] = entry

    def remove(self, name: str, since: float) -> None:
        self._call("remove")
        if self.listed[name].since == since:
            del self.listed[name]

    def disable(self, connector: Connector, reason: str, now: float) -> Connector | None:
        self._call("disable")
        if self.connectors[connector.name] != connector:
            return None
        assert reason == "no attempt has succeeded for 5 days"
        off = replace(connector, status=Status.SYSTEM_DISABLED, version=connector.version + 1)
        self.connectors[connector.name] = off
        return off


def connectors(count: int, failing: Failing | None = OUTAGE) -> list[Connector]:
    return [a_connector(id=f"c{number:03d}", failing=failing) for number in range(count)]


def test_an_outage_is_told_once_from_begin_to_end() -> None:
    (one,) = connectors(1)
    world = World(one)
    assert world.run() == WatchReport(watched=1, notices=1)
    assert world.run() == WatchReport(watched=1)
    world.connectors[one.name] = replace(one, failing=None)
    assert world.run() == WatchReport(watched=1, notices=1)
    assert world.events == [(one.name, "Outage Began"), (one.name, "Outage Ended")]
    assert len(world.published) == 2
    assert world.listed == {}
    assert world.run() == WatchReport()


def test_rows_are_read_a_hundred_at_a_time() -> None:
    world = World(*connectors(AT_ONCE + 1))
    assert world.run().notices == AT_ONCE + 1
    assert world.reads == [AT_ONCE, 1]


def test_a_connector_that_never_works_is_disabled_and_told() -> None:
    one, two = connectors(2, OUTAGE._replace(since=NOW - 5 * DAY, failed_at=NOW - 60))
    world = World(one, two)
    world.connectors[two.name] = replace(two, failing=OUTAGE)
    report = world.run()
    assert (report.disabled, report.watched) == (1, 2)
    assert (one.name, "Disabled") in world.events
    assert world.connectors[one.name].status is Status.SYSTEM_DISABLED
    assert world.connectors[two.name].status is Status.ACTIVE
    assert list(world.listed) == [two.name]


def test_a_customers_change_wins_over_the_disabling() -> None:
    (one,) = connectors(1, OUTAGE._replace(since=NOW - 5 * DAY))
    world = World(one)
    mended = replace(one, failing=None, version=one.version + 1, url="https://example.com/new")
    world.after_read = lambda: world.connectors.update({one.name: mended})
    assert world.run() == WatchReport()
    assert (world.events, world.connectors[one.name]) == ([], mended)
    assert world.run() == WatchReport(watched=1)
    assert world.listed == {}


@pytest.mark.parametrize("call", ["entries", "rows", "put_events", "save"])
def test_a_run_that_fails_is_made_up_for_by_the_next(call: str) -> None:
    (one,) = connectors(1)
    world = World(one)
    world.fail = call
    assert "ThrottlingException" in world.run().error
    world.fail = ""
    assert world.run().error == ""
    # Told before it was written down: twice at most, and never not at all.
    assert world.events == [(one.name, "Outage Began")] * (2 if call == "save" else 1)
    assert world.listed[one.name].outage == OUTAGE.window


def test_a_run_that_dies_after_disabling_is_told_by_the_next() -> None:
    (one,) = connectors(1, OUTAGE._replace(since=NOW - 5 * DAY))
    world = World(one)
    world.fail = "put_events"
    assert world.run().disabled == 1
    world.fail = ""
    world.run()
    assert world.events == [(one.name, "Disabled")]
    assert world.listed == {}


def test_what_eventbridge_refuses_is_told_by_the_next_run() -> None:
    one, two = connectors(2)
    world = World(one, two)
    world.refused = {one.name}
    assert world.run().notices == 1
    world.refused = set()
    assert world.run().notices == 1
    assert world.events == [(two.name, "Outage Began"), (one.name, "Outage Began")]
    assert len(world.published) == 2


def test_a_connector_that_was_listed_anew_stays_on_the_list() -> None:
    (one,) = connectors(1, None)
    world = World(one)
    world.after_read = lambda: world.listed.update({one.name: Watched(one.name, NOW - 2)})
    world.run()
    assert world.listed == {one.name: Watched(one.name, NOW - 2)}


def test_nothing_begins_without_time() -> None:
    world = World(*connectors(2))
    assert world.run(seconds=9.0) == WatchReport(error="no time left")
    assert world.events == []
