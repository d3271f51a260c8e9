"""Which events a request for history asks for."""

import base64
from typing import Any
from urllib.parse import quote

import pytest

from dataconnectors.events.history_query import HistoryQuery, parse_query
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError

NOW = 1_790_000_000.0
DAY = 24 * 3600
DEFAULTS = HistoryQuery(NOW - DAY, None, frozenset(), 1000, None)


def parse(query: str) -> HistoryQuery:
    return parse_query({"rawQueryString": query}, NOW)


def stamp(age: float) -> str:
    return quote(times.to_text(NOW - age))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("eventTypes=touch", {"event_types": {"touch"}}),
        ("eventTypes=touch&eventTypes=motion", {"event_types": {"touch", "motion"}}),
        ("eventTypes=touch,motion", {"event_types": {"touch", "motion"}}),
        ("event_types=touch&eventTypes[]=motion", {"event_types": {"touch", "motion"}}),
        (f"startTime={stamp(3 * DAY)}", {"start": NOW - 3 * DAY}),
        (f"start_time={stamp(60)}&end_time={stamp(5)}", {"start": NOW - 60, "end": NOW - 5}),
        (f"startTime={stamp(90 * DAY)}", {"start": NOW - 31 * DAY}),
        ("startTime=1970-01-01T00:00:00Z", {"start": NOW - 31 * DAY}),
        ("startTime=2026-09-21T16:00:00%2B02:00", {"start": 1_789_999_200.0}),
        ("startTime=2026-09-21T16:00:00+02:00", {"start": 1_789_999_200.0}),
        ("startTime=2026-09-20T23:59:60Z", {"start": 1_789_948_800.0}),
        ("pageSize=10", {"size": 10}),
        ("page_size=5000", {"size": 1000}),
        ("pageSize=0", {"size": 1000}),
        ("pageToken=", {}),
        (
            "page_token=" + paging.encode_token(["1790000000000000#e1"]),
            {"after": "1790000000000000#e1"},
        ),
    ],
)
def test_a_query_for_history_is_read_in_every_spelling(
    query: str, expected: dict[str, Any]
) -> None:
    wanted = parse(query)
    fields = {name: getattr(wanted, name) for name in HistoryQuery.__slots__}
    assert fields == {name: getattr(DEFAULTS, name) for name in HistoryQuery.__slots__} | expected


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("eventTypes=bogus", "eventTypes: 'bogus' is unknown"),
        ("startTime=yesterday", "startTime: 'yesterday', expected an RFC 3339 time"),
        ("startTime=2026-09-21T16:00:00", "startTime: .* with a zone"),
        ("startTime=2026-09-20T22:59:60Z", "startTime: "),
        ("startTime=2026-09-20T24:00:00Z", "startTime: "),
        ("end_time=2026-02-30T16:00:00Z", "endTime: "),
        ("endTime=1970-01-01T00:00:00Z", "endTime: not after startTime"),
        (f"startTime={stamp(5)}&endTime={stamp(5)}", "endTime: not after startTime"),
        ("pageSize=-1", "pageSize: '-1', expected a whole number"),
        ("pageSize=x", "pageSize: "),
        ("pageSize=1e3", "pageSize: "),
        ("pageSize=²", "pageSize: "),
        ("pageToken=x", "pageToken: "),
        ("pageToken=%00", "pageToken: "),
        ("pageToken=" + "A" * 5000, "pageToken: "),
        ("pageToken=" + paging.encode_token([]), "pageToken: "),
        ("pageToken=" + paging.encode_token([7]), "pageToken: "),
        ("pageToken=" + paging.encode_token(["\ud800"]), "pageToken: "),
        ("pageToken=" + paging.encode_token(["179#e", "x"]), "pageToken: "),
    ],
)
def test_what_is_wrong_is_named(query: str, reason: str) -> None:
    with pytest.raises(BadRequestError, match=reason):
        parse(query)


def test_a_deeply_nested_page_token_is_refused() -> None:
    deep = "[" * 1500
    token = base64.urlsafe_b64encode(deep.encode()).decode()
    with pytest.raises(BadRequestError):
        parse(f"pageToken={token}")
