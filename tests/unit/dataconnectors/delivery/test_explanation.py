"""What became of an event, by what is known of it."""

from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.connectors.connector import Status
from dataconnectors.connectors.failing import OUTAGE_FAILURES, Failing
from dataconnectors.delivery.explanation import SOON, Change, Changed, Known, explain, facts
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.logged_attempt import LoggedAttempt
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.kernel import times
from tests.support.rows import a_connector

NOW = 1_790_000_000.0
HOUR = 3600.0
ACCEPTED = NOW - HOUR
NAME = "projects/p/dataconnectors/c"
ACTIVE = a_connector(create_time=times.to_text(NOW - 100 * HOUR))


def attempt(error: str = "status", **changes: Any) -> LoggedAttempt:
    made = LoggedAttempt(
        connector=NAME,
        event_id="e",
        event_type="touch",
        device="projects/p/devices/d",
        started_at=ACCEPTED + 1,
        number=1,
        status=503 if error else 200,
        error=error,
        message="answered 503" if error else "answered 200",
        durations={},
        request_bytes=1,
        response_bytes=1,
        next_at=NOW + 8 if error else None,
        one_in=1,
        left_out=0,
    )
    return made._replace(**changes)


RECORD = ExpiredEvent(
    NAME, "e", "touch", "", 20, "timeout", "no answer in 10 s", None, ACCEPTED, NOW
)
TOGGLED = Change(ACCEPTED + 600, Changed.STATUS, "a@b.c")
CHOSEN = Change(ACCEPTED + 600, Changed.EVENTS, "a@b.c")
DISABLED = replace(ACTIVE, status=Status.USER_DISABLED)
NARROW = replace(ACTIVE, event_types=("motion",))
PAUSED = replace(ACTIVE, paused_at=ACCEPTED)
FAILING = Failing(
    since=ACCEPTED,
    failed_at=NOW,
    kind="timeout",
    message="",
    status=None,
    oldest=ACCEPTED,
    window=ACCEPTED,
    failures=OUTAGE_FAILURES,
)
IN_OUTAGE = replace(ACTIVE, failing=FAILING)


def known(**changes: Any) -> Known:
    made = Known(
        connector=ACTIVE,
        event_type="touch",
        accepted_at=ACCEPTED,
        is_accepted_known=True,
        attempts=(),
        expired=None,
        changes=(),
        knows_all_changes=True,
        mode=LogMode.SAMPLED,
        logs_from=NOW - 72 * HOUR,
        now=NOW,
    )
    return made._replace(**changes)


@pytest.mark.parametrize(
    ("changes", "verdict", "is_certain", "words"),
    [
        ({"attempts": (attempt(""),)}, "DELIVERED", True, "attempt 1"),
        ({"attempts": (attempt(), attempt(""))}, "DELIVERED", True, "attempt 1"),
        ({"attempts": (attempt(is_test=True, next_at=None),)}, "DROPPED", True, "once"),
        ({"expired": RECORD, "attempts": (attempt(),)}, "EXPIRED", True, "no answer in 10 s"),
        ({"accepted_at": NOW - 200 * HOUR}, "NOT_ACTIVE", True, "created after"),
        (
            {"accepted_at": NOW - 200 * HOUR, "is_accepted_known": False},
            "NOT_ACTIVE",
            False,
            "created after",
        ),
        ({"connector": DISABLED}, "NOT_ACTIVE", True, "was disabled when"),
        ({"connector": DISABLED, "knows_all_changes": False}, "NOT_ACTIVE", False, "disabled"),
        ({"changes": (TOGGLED,)}, "NOT_ACTIVE", True, "was disabled when"),
        (
            {"connector": DISABLED, "changes": (TOGGLED,), "attempts": (attempt(),)},
            "DROPPED",
            True,
            "before an attempt succeeded",
        ),
        (
            {"connector": DISABLED, "changes": (TOGGLED._replace(time=ACCEPTED + 1),)},
            "DROPPED",
            False,
            "No attempt before",
        ),
        ({"connector": DISABLED, "changes": (TOGGLED,)}, "DELIVERED", False, "first attempt"),
        ({"changes": (TOGGLED, TOGGLED), "attempts": (attempt(),)}, "DROPPED", True, "disabled"),
        ({"connector": NARROW}, "UNWANTED", True, "is motion"),
        ({"connector": NARROW, "changes": (CHOSEN,)}, "UNWANTED", False, "changed after"),
        ({"connector": NARROW, "attempts": (attempt(""),)}, "DELIVERED", True, "attempt 1"),
        ({"attempts": (attempt(),)}, "WAITING", True, "The next one is due at"),
        ({"connector": PAUSED}, "WAITING", True, "paused"),
        ({"connector": IN_OUTAGE}, "WAITING", True, "outage"),
        ({"connector": PAUSED, "attempts": (attempt(),)}, "WAITING", True, "paused"),
        ({"accepted_at": NOW - SOON / 2}, "WAITING", False, "a moment ago"),
        ({}, "DELIVERED", False, "first attempt"),
        ({"mode": LogMode.FAILURES}, "DELIVERED", False, "first attempt"),
        ({"mode": LogMode.ALL}, "UNKNOWN", False, "left out"),
        ({"mode": LogMode.OFF}, "UNKNOWN", False, "AttemptLog=off"),
        ({"accepted_at": NOW - 90 * HOUR}, "DELIVERED", False, "older than the log"),
        (
            {"accepted_at": NOW - 20 * HOUR, "attempts": (attempt(next_at=None),)},
            "UNKNOWN",
            False,
            "gaps",
        ),
    ],
)
def test_the_first_rule_that_applies_decides(
    changes: dict[str, Any], verdict: str, is_certain: bool, words: str
) -> None:
    found = explain(known(**changes))
    assert (found.verdict, found.is_certain) == (verdict, is_certain), found
    assert words in found.text
    assert found.text.endswith(".")


def test_facts_are_in_the_order_of_time() -> None:
    shown = facts(known(attempts=(attempt(),), expired=RECORD, changes=(TOGGLED,)))
    assert [text.split(";")[0] for _, text in shown] == [
        "the connector was created",
        "the event was accepted",
        "attempt 1: answered 503",
        "the connector was enabled or disabled by a@b.c",
        "the event expired: no answer in 10 s",
    ]
    assert [at for at, _ in shown] == sorted(at for at, _ in shown)
