"""Times as RFC 3339 texts, and the clock that says how old a cached value is."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d[Tt](?:[01]\d|2[0-3]):\d\d:)(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_LEAP_SECOND = "60"
_DAY = 24 * 3600


def to_text(now: float) -> str:
    """The RFC 3339 text of the epoch second `now`: in UTC, with `Z` and six digits of a second.

    Every version of the vendor's SDK parses this form.
    """
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> float:
    """The epoch second of an RFC 3339 text with a time zone; raises `ValueError` for other texts.

    `datetime.fromisoformat` alone accepts more than RFC 3339: week dates, and in some versions of
    Python the hour 24. It refuses leap seconds, which RFC 3339 allows (section 5.6).
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r:.40} is not an RFC 3339 time with a zone")
    minute, second, _, zone = match.groups()
    if second == _LEAP_SECOND:
        return _after_leap_second(text, minute + "59" + zone)
    return datetime.fromisoformat(text.upper()).timestamp()


def _after_leap_second(text: str, second_before: str) -> float:
    """The epoch second that begins when the leap second `text` ends.

    Epoch time has no number for a leap second. The whole of it, fractions included, becomes the
    beginning of the next second: with its fraction added, 23:59:60.9 would come after
    00:00:00.5, which is later. Leap seconds end a day in UTC (RFC 3339, section 5.7). Which days
    have one is not checked: they are announced six months ahead, and a list would go stale.
    """
    after = datetime.fromisoformat(second_before.upper()).timestamp() + 1
    if after % _DAY:
        raise ValueError(f"{text!r:.40} has a leap second before the end of a day in UTC")
    return after


class Stopwatch:
    """Measures elapsed seconds, including those in which Lambda had the process frozen.

    Lambda freezes a process between invocations, and does not document whether the monotonic clock
    goes on meanwhile. The wall clock is right afterwards, but may be set back. So of each interval
    the longer of the two measurements counts, and the total never decreases.
    """

    def __init__(self, monotonic: Callable[[], float], now: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._now = now
        self._lock = Lock()
        self._seen = (monotonic(), now())
        self._seconds = 0.0

    def seconds(self) -> float:
        """Seconds since this stopwatch was made. Threads may share it."""
        with self._lock:
            monotonic, now = self._monotonic(), self._now()
            self._seconds += max(0.0, monotonic - self._seen[0], now - self._seen[1])
            self._seen = monotonic, now
            return self._seconds


_STOPWATCH = Stopwatch(time.monotonic, time.time)


def elapsed() -> float:
    """Seconds since the process started: the clock that cached keys, roles and secrets age by."""
    return _STOPWATCH.seconds()
