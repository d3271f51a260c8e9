"""What is told of a failing connector, and when it is disabled."""

from dataclasses import replace

import pytest

from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.connectors.failing import Failing
from dataconnectors.notices.watched import DAY, Kind, Watched, is_due_to_be_disabled, look
from tests.support.rows import PLAIN

NOW = 1_790_000_000.0
FAILING = Failing(NOW - 100, NOW - 1, "status", "answered 500", 500, NOW - 200, NOW - 90, 3)
OUTAGE = FAILING._replace(failures=100)
LISTED = Watched(PLAIN.name, NOW - 100)
TOLD = LISTED._replace(outage=NOW - 90, version=PLAIN.version)


def row(failing: Failing | None, **changes: object) -> Connector:
    return replace(PLAIN, failing=failing, **changes)  # type: ignore[arg-type]


def kinds(entry: Watched, connector: Connector | None, after_days: int = 5) -> list[Kind]:
    return [notice.kind for notice in look(entry, connector, NOW, after_days).notices]


@pytest.mark.parametrize(
    ("entry", "connector", "told", "stays"),
    [
        (LISTED, row(FAILING), [], True),
        (LISTED, row(OUTAGE), [Kind.OUTAGE_BEGAN], True),
        (TOLD, row(OUTAGE), [], True),
        (TOLD, row(FAILING._replace(window=NOW - 5)), [Kind.OUTAGE_ENDED], True),
        (
            TOLD,
            row(OUTAGE._replace(window=NOW - 5)),
            [Kind.OUTAGE_ENDED, Kind.OUTAGE_BEGAN],
            True,
        ),
        (LISTED, row(None), [], False),
        (TOLD, row(None), [Kind.OUTAGE_ENDED], False),
        (TOLD, None, [Kind.OUTAGE_ENDED], False),
        (LISTED, None, [], False),
        (LISTED, row(FAILING, status=Status.USER_DISABLED), [], False),
        (LISTED, row(OUTAGE, lifecycle=Lifecycle.DELETING), [], False),
        (TOLD, row(OUTAGE, paused_at=NOW - 3), [Kind.OUTAGE_ENDED], False),
        (LISTED, row(FAILING, status=Status.SYSTEM_DISABLED), [Kind.DISABLED], False),
        (
            TOLD,
            row(OUTAGE, status=Status.SYSTEM_DISABLED),
            [Kind.OUTAGE_ENDED, Kind.DISABLED],
            False,
        ),
    ],
)
def test_what_is_told(
    entry: Watched, connector: Connector | None, told: list[Kind], stays: bool
) -> None:
    findings = look(entry, connector, NOW, 5)
    assert [notice.kind for notice in findings.notices] == told
    assert (findings.entry is not None) == stays
    if findings.entry is not None:
        # Nothing is told twice.
        assert kinds(findings.entry, connector) == []


@pytest.mark.parametrize(
    ("connector", "reason"),
    [
        (row(None), "recovered"),
        (row(None, version=PLAIN.version + 1), "changed"),
        (row(None, status=Status.USER_DISABLED), "disabled"),
        (row(None, paused_at=NOW), "paused"),
        (None, "deleted"),
        (row(None, lifecycle=Lifecycle.DELETING), "deleted"),
    ],
)
def test_the_end_of_an_outage_has_a_reason(connector: Connector | None, reason: str) -> None:
    (notice,) = look(TOLD, connector, NOW, 5).notices
    assert notice.detail == {
        "connector": PLAIN.name,
        "since": "2026-09-21T14:11:50.000000Z",
        "ended": "2026-09-21T14:13:20.000000Z",
        "reason": reason,
    }
    assert notice.sentence.startswith(f"{PLAIN.name}: the outage that began at ")


def test_an_outage_is_told_once_a_day() -> None:
    entry, told = TOLD, []
    for hour in range(1, 73):
        findings = look(entry, row(OUTAGE), NOW - 90 + hour * 3600, 0)
        assert findings.entry is not None
        entry = findings.entry
        told += [
            (hour, notice.detail["days"])
            for notice in findings.notices
            if notice.kind is Kind.OUTAGE_CONTINUES
        ]
    assert told == [(24, 1), (48, 2), (72, 3)]


@pytest.mark.parametrize(("after_days", "words"), [(5, "disabled after 5 days"), (0, "500).")])
def test_warnings_come_after_one_and_three_days(after_days: int, words: str) -> None:
    entry, told = LISTED, []
    for hour in range(1, 24 * 6):
        findings = look(entry, row(FAILING), FAILING.since + hour * 3600, after_days)
        assert findings.entry is not None
        entry = findings.entry
        told += [(hour, notice) for notice in findings.notices]
    assert [(hour, notice.detail["days"]) for hour, notice in told] == [(24, 1), (72, 3)]
    assert all(words in notice.sentence for _, notice in told)
    # A connector that begins to fail anew is warned of anew.
    anew = FAILING._replace(since=FAILING.since + DAY)
    findings = look(entry, row(anew), anew.since + DAY, after_days)
    assert [notice.detail["days"] for notice in findings.notices] == [1]


@pytest.mark.parametrize(
    ("failing", "status", "days", "after_days", "due"),
    [
        (FAILING, Status.ACTIVE, 4.99, 5, False),
        (FAILING, Status.ACTIVE, 5.0, 5, True),
        (OUTAGE, Status.ACTIVE, 5.0, 5, True),
        (FAILING, Status.ACTIVE, 5.0, 0, False),
        (FAILING, Status.USER_DISABLED, 5.0, 5, False),
        (None, Status.ACTIVE, 5.0, 5, False),
    ],
)
def test_who_is_disabled(
    failing: Failing | None, status: Status, days: float, after_days: int, due: bool
) -> None:
    now = FAILING.since + days * DAY
    recent = failing and failing._replace(failed_at=now - DAY)
    assert is_due_to_be_disabled(row(recent, status=status), now, after_days) is due
    # A connector without an attempt for a day proves nothing about its endpoint.
    quiet = failing and failing._replace(failed_at=now - DAY - 1)
    assert not is_due_to_be_disabled(row(quiet, status=status), now, after_days)
    assert not is_due_to_be_disabled(None, now, after_days)


def test_a_paused_connector_is_not_disabled() -> None:
    now = FAILING.since + 9 * DAY
    paused = row(FAILING._replace(failed_at=now), paused_at=now - 10)
    assert not is_due_to_be_disabled(paused, now, 5)


def test_details_name_the_last_error_and_no_status_that_there_is_not() -> None:
    failing = OUTAGE._replace(kind="timeout", message="no answer in time", status=None)
    (notice,) = look(LISTED, row(failing), NOW, 5).notices
    assert notice.detail["lastError"] == {"kind": "timeout", "message": "no answer in time"}
    assert "no answer in time" in notice.sentence
