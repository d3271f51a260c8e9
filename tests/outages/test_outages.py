"""Short outages with the sender's real code, and how their results are judged and shown."""

from array import array
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.outages import ROOT, goals, neighbours, outage, picture, table
from tests.outages.neighbours import Finding, Setting
from tests.outages.outage import Case, Result, share
from tests.outages.prices import Usage

NOTHING = Usage()
RESULT = Result(
    Case(1, 7200, hangs=True, holds=True),
    concurrency=0.5,
    peak=9,
    failed=200,
    outage=NOTHING,
    recovery=NOTHING,
    noticed=25.0,
    backlog=7200,
    unsent=0,
    recovered=(10.0, 20.0, 359.0),
    by_second={60: (10, 0), 400: (0, 900)},
)


@pytest.mark.parametrize(
    ("values", "part", "expected"),
    [
        ([], 0.5, 0),
        ([7], 0.01, 7),
        ([1, 2], 0.5, 1),
        ([1, 2, 3], 0.5, 2),
        (range(1, 21), 0.95, 19),
        (range(1, 101), 0.99, 99),
        (range(1, 101), 1.0, 100),
    ],
)
def test_a_share_of_values(values: list[float], part: float, expected: float) -> None:
    assert share(values, part) == expected


@pytest.fixture(scope="module")
def results() -> dict[bool, Result]:
    """An outage of a minute at 10 events a second, by whether it is noticed."""
    return {holds: outage.run(Case(10, 60, hangs=False, holds=holds)) for holds in (False, True)}


def test_an_outage_is_noticed_and_ends_for_all_of_its_events(results: dict[bool, Result]) -> None:
    noticed = results[True]
    assert noticed.noticed is not None
    assert noticed.noticed < 15
    assert noticed.unsent == 0
    assert noticed.backlog > 500
    assert noticed.recovered[2] < 60


def test_without_the_store_every_event_has_its_own_clock(results: dict[bool, Result]) -> None:
    plain, noticed = results[False], results[True]
    assert plain.noticed is None
    assert plain.failed > 8 * noticed.failed
    assert plain.unsent == 0


def test_what_is_billed_is_what_was_done(results: dict[bool, Result]) -> None:
    used = results[True].outage
    # Each batch is received; its messages are put back by one call, or deleted by one.
    assert used.sqs == pytest.approx(2 * used.invocations, rel=0.1)
    assert used.read_units == pytest.approx(used.invocations, rel=0.1)
    assert 0.2 < used.gb_seconds / used.invocations / 0.25 / 0.05 < 3  # batches of some 50 ms


def test_a_run_is_the_same_for_the_same_seed() -> None:
    case = Case(5, 20, hangs=True, holds=True)
    assert outage.run(case) == outage.run(case)


SETTING = Setting(
    concurrency=100, connectors=40, hanging=3, holds=True, minutes=2, hanging_rate=2.0
)


def test_neighbours_of_hanging_endpoints_notice_nothing() -> None:
    finding = neighbours.run(SETTING)
    assert finding.noticed == SETTING.hanging
    assert len(finding.latencies) > 200
    assert share(finding.latencies, 0.99) < 1.0
    assert (finding.refused, finding.throttled, finding.unsent) == (0, 0, 0)
    assert finding.is_good


def test_without_the_outage_mode_they_do() -> None:
    finding = neighbours.run(replace(SETTING, holds=False))
    assert finding.peak == SETTING.concurrency
    assert finding.refused
    assert not finding.is_good


@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        ({}, 0),
        ({"recovered": (1.0, 2.0, 361.0)}, 1),
        ({"unsent": 1}, 1),
        ({"concurrency": 1.0}, 1),
        ({"outage": Usage(sqs=2_600_000)}, 1),  # $1.04
        ({"outage": Usage(sqs=2_400_000)}, 0),
        ({"case": Case(1, 240, hangs=True, holds=True)}, 1),  # 359 s are too many after this one
        ({"case": Case(1, 7200, hangs=True, holds=False), "concurrency": 50.0}, 0),
        ({"case": Case(20, 7200, hangs=True, holds=True), "concurrency": 5.0}, 0),
    ],
)
def test_goals_that_are_missed(change: dict[str, object], sentences: int) -> None:
    changed = replace(RESULT, **change)  # type: ignore[arg-type]  # a table of changes
    assert len(goals.missed([changed])) == sentences


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (99, "99 s"), (240, "4 min"), (330, "5.5 min"), (7200, "2 h"), (39_600, "11 h")],
)
def test_spans(seconds: float, text: str) -> None:
    assert table.span(seconds) == text


def test_a_row_says_what_was_found() -> None:
    assert table.row(RESULT) == (
        "| 1, 2 h, timeouts | outage mode | 0.50, 9 | 200 | 0 | 0 | 0 | 0.000 | 25 s | 7,200 | "
        "10 s | 20 s | 6 min |"
    )
    assert table.HEADER.count("|") == 2 * (table.row(RESULT).count("|"))
    assert "3 are not" in table.row(replace(RESULT, unsent=3))


def test_a_finding_is_one_row() -> None:
    finding = Finding(SETTING, array("d", [0.1, 0.2]), 5, 2.0, 0, 7, 3, 0)
    assert finding.line() == (
        "| 100 | 40, 3 hang for 2 min | 2 | 50 | outage mode | 2, 5 | 0.10 s | 0.20 s | 0.20 s | "
        "0 | 7 | 0 |"
    )
    assert neighbours.HEADER.count("|") == 2 * finding.line().count("|")


@pytest.mark.parametrize(
    ("change", "is_missed"),
    [
        ({}, False),
        ({"refused": 1}, True),
        ({"unsent": 1}, True),
        ({"latencies": array("d", [1.0])}, True),
        ({"refused": 1, "setting": replace(SETTING, concurrency=10)}, False),
        ({"refused": 1, "setting": replace(SETTING, concurrency=1000, holds=False)}, False),
    ],
)
def test_what_neighbours_must_not_notice(change: dict[str, Any], is_missed: bool) -> None:
    setting = replace(SETTING, concurrency=1000)
    finding = Finding(setting, array("d", [0.1]), 5, 2.0, 0, 7, 3, 0)
    assert replace(finding, **change).is_missed is is_missed


def test_the_documented_neighbours_are_those_that_the_command_runs() -> None:
    lines = (ROOT / "docs/operations.md").read_text().splitlines()
    header = lines.index(neighbours.HEADER.splitlines()[0])
    rows = lines[header + 2 : header + 2 + len(neighbours.SETTINGS)]
    for row, setting in zip(rows, neighbours.SETTINGS, strict=True):
        line = Finding(setting, array("d", [0.1]), 0, 0.0, 0, 0, 0, 0).line()
        assert row.split(" | ")[:5] == line.split(" | ")[:5]


def test_the_picture_shows_both_and_the_one_in_the_docs_is_one() -> None:
    drawn = picture.draw([replace(RESULT, case=replace(RESULT.case, holds=False)), RESULT])
    for text in (drawn, picture.PICTURE.read_text()):
        root = ET.fromstring(text)
        titles = [element.text or "" for element in root.iter() if element.get("class") == "title"]
        assert [title.partition(":")[0] for title in titles] == [
            "Every event on a clock of its own",
            "Outage mode",
        ]
        assert "prefers-color-scheme: dark" in text
    assert "200 attempts fail, all is delivered 359 s after" in drawn
