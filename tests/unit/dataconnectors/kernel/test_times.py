"""Which texts are read as RFC 3339 times, and how the stopwatch counts seconds."""

import pytest

from dataconnectors.kernel import times


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("1970-01-01T00:00:01Z", 1),
        ("1970-01-01t00:00:01.5z", 1.5),
        ("1970-01-01T02:00:01.250+02:00", 1.25),
        ("1970-01-01T00:00:01.123456789Z", 1.123456),
    ],
)
def test_a_time_with_a_zone_is_read(text: str, second: float) -> None:
    assert times.from_text(text) == second


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1970-01-01",
        "1970-01-01T00:00:01",
        "1970-01-01 00:00:01Z",
        "1970-W01-1T00:00:01Z",
        "1970-13-01T00:00:01Z",
        "1970-01-01T00:00:01.1234567890Z",
        "\uff11970-01-01T00:00:01Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:00+24:00",
    ],
)
def test_a_text_that_is_not_an_rfc_3339_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.from_text(text)


MIDNIGHT = times.from_text("2017-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:59:60Z",
        "2016-12-31t23:59:60z",
        "2016-12-31T15:59:60-08:00",
        "2017-01-01T05:29:60+05:30",
        "2016-12-31T23:59:60.5Z",
        "2016-12-31T23:59:60.999999999Z",
    ],
)
def test_a_leap_second_is_the_beginning_of_the_next_second(text: str) -> None:
    assert times.from_text(text) == MIDNIGHT


def test_a_leap_second_in_the_last_year_that_can_be_written_is_read() -> None:
    assert times.from_text("9999-12-31T23:59:60Z") == 253_402_300_800


@pytest.mark.parametrize(
    "text",
    [
        "2016-12-31T23:58:60Z",
        "2016-12-31T22:59:60Z",
        "2016-12-31T12:00:60Z",
        "2016-12-31T23:59:60-08:00",
        "2016-12-31T15:59:60+08:00",
        "2016-12-31T24:59:60Z",
        "2016-02-30T23:59:60Z",
        "2016-12-31T23:59:60",
    ],
)
def test_a_second_60_that_does_not_end_a_day_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        times.from_text(text)


def test_a_written_time_reads_back() -> None:
    assert times.to_text(1.5) == "1970-01-01T00:00:01.500000Z"
    assert times.from_text(times.to_text(1_790_000_000.25)) == 1_790_000_000.25


@pytest.mark.parametrize(
    ("monotonic", "now", "seconds"),
    [
        ([10, 20, 30], [1000, 1010, 1020], 20),
        ([10, 11, 12], [1000, 1001, 5000], 4000),  # the process and its clock were frozen
        ([10, 20, 30], [1000, 900, 905], 20),  # the wall clock was set back
        ([10, 10, 10], [1000, 990, 995], 5),
    ],
)
def test_a_stopwatch_counts_pauses_and_ignores_clocks_that_are_set_back(
    monotonic: list[float], now: list[float], seconds: float
) -> None:
    watch = times.Stopwatch(iter(monotonic).__next__, iter(now).__next__)
    watch.seconds()
    assert watch.seconds() == seconds
