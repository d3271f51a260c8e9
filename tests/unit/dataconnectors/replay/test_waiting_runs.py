"""Which replays are started, and in which order."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from dataconnectors.kernel.errors import UnavailableError
from dataconnectors.replay.waiting_runs import StartReport, UnfinishedReplay, WaitingRuns

NOW = 1_790_000_000.0


class Rows:
    """A fake of the store with these unfinished replays, or an error."""

    def __init__(self, *replays: UnfinishedReplay, error: Exception | None = None) -> None:
        self._replays = list(replays)
        self._error = error

    def unfinished(self) -> list[UnfinishedReplay]:
        if self._error:
            raise self._error
        return self._replays


class Functions:
    """A fake of Lambda that takes `accepts` invocations."""

    def __init__(self, accepts: int = 100) -> None:
        self.invoked: list[str] = []
        self._accepts = accepts

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> Any:
        if len(self.invoked) == self._accepts:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
        assert (FunctionName, InvocationType) == ("arn", "Event")
        self.invoked.append(json.loads(Payload)["replay"])


def idle(name: str, waited: float) -> UnfinishedReplay:
    return UnfinishedReplay(name, 0, NOW - waited)


def busy(name: str) -> UnfinishedReplay:
    return UnfinishedReplay(name, NOW + 1, NOW)


@pytest.mark.parametrize(
    ("replays", "started", "report"),
    [
        ([], [], StartReport()),
        ([busy("a")], [], StartReport()),
        ([idle("a", 1), idle("b", 2)], ["b", "a"], StartReport(started=2)),
        (
            [idle("a", 1), idle("b", 3), idle("c", 2), busy("d")],
            ["b", "c"],
            StartReport(started=2, waiting=1),
        ),
        ([busy("a"), busy("b"), busy("c"), busy("d"), idle("e", 9)], [], StartReport(waiting=1)),
        ([UnfinishedReplay("a", NOW, NOW)], ["a"], StartReport(started=1)),  # its lease is over
    ],
)
def test_what_nobody_works_on_is_started_up_to_the_concurrency(
    replays: list[UnfinishedReplay], started: list[str], report: StartReport
) -> None:
    functions = Functions()
    assert WaitingRuns(Rows(*replays), functions, "arn", 3).start(NOW) == report
    assert functions.invoked == started


def test_a_throttled_invocation_is_reported_and_waits_for_the_next_call() -> None:
    runs = WaitingRuns(Rows(idle("a", 2), idle("b", 1)), Functions(accepts=1), "arn", 3)
    report = runs.start(NOW)
    assert (report.started, report.waiting) == (1, 1)
    assert "TooManyRequestsException" in report.error


def test_a_database_that_fails_is_reported() -> None:
    rows = Rows(error=UnavailableError("the database is busy"))
    assert "busy" in WaitingRuns(rows, Functions(), "arn", 3).start(NOW).error
