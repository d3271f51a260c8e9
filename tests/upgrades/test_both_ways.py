"""The present code on what the last release left behind, and the last release on what it writes.

The first is an upgrade, the second a rollback, and both at once are the minutes of a deployment. In
every direction each message is delivered or stays, none becomes a dead letter, and no queue and no
mapping is touched.
"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from dataconnectors.receive import RefusedError, receive
from tests.upgrades.life import NEW_SECRET, SECRET, answers, live, publish
from tests.upgrades.release import PRESENT, Release
from tests.upgrades.stack import (
    Stack,
    account,
    dead_letters,
    mappings,
    messages_by_queue,
    pass_time,
    queues,
    restore,
)

SECRETS = {"signed.example.com": SECRET, "rotating.example.com": NEW_SECRET}
HELD = {"paused"}
"""Connectors whose events stay in their queues, although their endpoints answer 200."""


def differences(older: Any, newer: Any, path: str = "") -> Iterator[str]:
    """What of an older answer is missing in a newer one, or has another value.

    A newer answer may have more fields, and more entries in a list of texts, such as permissions.
    """
    if isinstance(older, dict) and isinstance(newer, dict):
        for name, value in older.items():
            if name not in newer:
                yield f"{path}.{name} is missing"
            else:
                yield from differences(value, newer[name], f"{path}.{name}")
    elif isinstance(older, list) and isinstance(newer, list):
        if all(isinstance(entry, str) for entry in older):
            yield from (f"{path}: {entry!r} is missing" for entry in older if entry not in newer)
        elif len(older) != len(newer):
            yield f"{path} has {len(newer)} entries, not {len(older)}"
        else:
            for number, (one, other) in enumerate(zip(older, newer, strict=True)):
                yield from differences(one, other, f"{path}[{number}]")
    elif older != newer:
        yield f"{path} is {newer!r}, not {older!r}"


def queued() -> dict[str, int]:
    """How many messages are in each queue that has some."""
    return {name: len(found) for name, found in messages_by_queue().items() if found}


def assert_delivered(stack: Stack, lived: dict[str, Any]) -> None:
    """Check that a sender delivers what waits, signed, and that nothing becomes a dead letter."""
    waiting = sum(queued().values())
    stay = stack.deliver()
    received = {
        (host, body) for host, requests in stack.endpoints.received.items() for _, body in requests
    }
    assert waiting == len(received) + len(stay)
    assert waiting > len(stay) > 0
    connectors = stack.do("GET", f"/v2/projects/{lived['project']}/dataconnectors")[
        "dataConnectors"
    ]
    active = {each["displayName"] for each in connectors if each["status"] == "ACTIVE"}
    hosts = {host.partition(".")[0] for host, _ in received}
    assert hosts == active - HELD
    for host, secret in SECRETS.items():
        for headers, body in stack.endpoints.received[host]:
            try:
                receive(headers, body, secret)
            except RefusedError as error:
                pytest.fail(f"{host}: {error}")
    assert stack.endpoints.received["signed.example.com"][0][0]["X-Key"] == "a key of theirs"
    url = boto3.client("sqs").get_queue_url(QueueName=dead_letters())["QueueUrl"]
    assert "Messages" not in boto3.client("sqs").receive_message(QueueUrl=url)


def assert_untouched(stack: Stack) -> None:
    """Check that the reconciler finds nothing to do to queues and mappings."""
    before = mappings(), queues()
    report = stack.reconcile()
    assert before == (mappings(), queues())
    work = ("provisioned", "deleted", "updated", "drift", "not_repaired", "not_done", "waiting")
    assert {name: report[name] for name in work} == dict.fromkeys(work, 0)


@pytest.fixture(scope="class")
def stack(last: Release) -> Iterator[Stack]:
    with account(last.state["moment"]):
        restore(last.state)
        yield Stack(PRESENT)


@pytest.fixture(scope="class")
def lived() -> Iterator[tuple[Stack, dict[str, Any]]]:
    with account():
        stack = Stack(PRESENT)
        yield stack, live(stack)


class TestThePresentCodeAfterTheLastRelease:
    """An upgrade."""

    def test_answers_what_was_answered_before_to_a_token_of_before(
        self, stack: Stack, last: Release
    ) -> None:
        stack.use_token(last.state["token"])
        found = answers(stack, last.state["paths"])
        assert list(differences(last.state["answers"], found)) == []

    def test_takes_the_keys_that_were_given_out(self, stack: Stack, last: Release) -> None:
        stack.log_in(last.state["account"])
        stack.do("GET", "/v2/projects")
        stack.use_key(last.state["account"])
        stack.do("GET", "/v2/projects")

    def test_touches_no_queue_and_no_mapping(self, stack: Stack) -> None:
        assert_untouched(stack)

    def test_delivers_the_messages_that_wait(self, stack: Stack, last: Release) -> None:
        assert_delivered(stack, last.state)


class TestTheLastReleaseAfterThePresentCode:
    """A rollback, or an old function that still runs during a deployment."""

    def test_reads_what_the_present_code_wrote(
        self, lived: tuple[Stack, dict[str, Any]], last: Release
    ) -> None:
        stack, known = lived
        newer = answers(stack, known["paths"])
        stack.deploy(last)
        assert list(differences(answers(stack, known["paths"]), newer)) == []
        stack.log_in(known["account"])
        assert_untouched(stack)

    def test_delivers_what_the_present_code_queued(
        self, lived: tuple[Stack, dict[str, Any]], last: Release
    ) -> None:
        stack, known = lived
        stack.deploy(last)
        assert_delivered(stack, known)

    def test_changes_nothing_that_it_was_not_asked_to_change(
        self, lived: tuple[Stack, dict[str, Any]], last: Release
    ) -> None:
        """A row that an old function writes keeps what a new function has put there."""
        stack, known = lived
        path = f"/v2/projects/{known['project']}/dataconnectors"
        stack.deploy(PRESENT)
        before = stack.do("GET", path)["dataConnectors"]
        stack.deploy(last)
        for connector in before:
            stack.do("PATCH", f"/v2/{connector['name']}", {"displayName": "By the last release"})
        stack.deploy(PRESENT)
        after = stack.do("GET", path)["dataConnectors"]
        renamed = [connector | {"displayName": "By the last release"} for connector in before]
        assert list(differences(renamed, after)) == []

    def test_publishes_what_the_present_sender_delivers(
        self, lived: tuple[Stack, dict[str, Any]], last: Release
    ) -> None:
        stack, known = lived
        pass_time(600.0)
        stack.deploy(last)
        project = f"/v2/projects/{known['project']}"
        publish(stack, project, known["devices"], "rolled-back")
        stack.deploy(PRESENT)
        stack.deliver()
        bodies = b"".join(body for _, body in stack.endpoints.received["plain.example.com"])
        assert b"rolled-back-fridge" in bodies
        assert b"rolled-back-sensor" in bodies


def test_each_release_reads_the_version_of_messages_that_the_other_one_writes(
    last: Release,
) -> None:
    """See docs/upgrades.md: a release that writes a new version comes after one that reads it."""
    old, new = last.module("events.message"), PRESENT.module("events.message")
    assert new.OLDEST_READABLE <= old.VERSION <= new.NEWEST_READABLE
    assert old.OLDEST_READABLE <= new.VERSION <= old.NEWEST_READABLE
