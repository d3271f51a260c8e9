"""Retry-After: seconds or a date, an hour at most, and nothing else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataconnectors.endpoints.retry_after import LONGEST_SECONDS, seconds_of

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1", 1.0),
        (" 120 ", 120.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9" * 64, 3600.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tuesday, 14-Nov-23 22:14:20 GMT", 60.0),  # RFC 850
        ("Tue Nov 14 22:14:20 2023", 60.0),  # asctime
        ("Tue, 14 Nov 2023 22:13:20 GMT", 0.0),
        ("Tue, 14 Nov 2023 21:00:00 GMT", 0.0),
        ("Wed, 15 Nov 2023 22:13:20 GMT", 3600.0),
        ("", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("Tue, 99 Nov 2023 99:99:99 GMT", 0.0),
        ("1" * 65, 0.0),
        ("\u0661", 0.0),  # a digit, but not in ASCII
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text: str, seconds: float) -> None:
    assert seconds_of(text, NOW) == seconds


@pytest.mark.parametrize(
    "text",
    ["Tue Nov 14 22:14:20 2023", "Tue, 14 Nov 2023 22:14:20 -0000"],
    ids=["asctime", "-0000"],
)
def test_a_date_without_a_zone_is_in_utc_wherever_this_runs(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        seconds = seconds_of(text, NOW)
    time.tzset()
    assert seconds == 60.0


@given(st.text(max_size=80))
def test_any_retry_after_is_a_wait_within_the_limit(text: str) -> None:
    assert 0.0 <= seconds_of(text, NOW) <= LONGEST_SECONDS
