"""History: which events of a device a request asks for, and for how long they are kept."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.events.event import EVENT_TYPES, MAXIMUM_AGE
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import LONGEST_ID

KEPT = MAXIMUM_AGE
"""Seconds after its timestamp that an event can be read back: 31 days."""

DEFAULT_SPAN = 24 * 3600
"""Seconds that a request without `startTime` looks back."""

LARGEST_PAGE = 1000
"""Events on a page, also when a request names no size: the vendor's SDK never does."""

NOT_IN_HISTORY = frozenset({"labelsChanged"})
"""Delivered, but not in a device's history."""

_POSITION = re.compile(rf"[0-9]{{16}}#[A-Za-z0-9_-]{{1,{LONGEST_ID}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What a request asks for: events from `start` on and before `end`, newest first.

    Epoch seconds; `end` None has no bound, since an event's timestamp may be ahead of our clock.
    Empty `event_types` means all. `after` is the position that the page before ended at.
    """

    start: float
    end: float | None
    event_types: frozenset[str]
    size: int
    after: str | None


def parse_query(event: Mapping[str, Any], now: float) -> HistoryQuery:
    """Read a request's query; raises `BadRequestError` that names the parameter.

    What has expired is outside of every answer, whether the database has removed it or not: a
    start before that time is moved there.
    """
    end = _time(event, "endTime", "end_time")
    start = _time(event, "startTime", "start_time")
    if start is None:
        start = now - DEFAULT_SPAN
    if end is not None and end <= start:
        raise BadRequestError(
            "endTime: not after startTime, which is 24 hours ago when it is left out"
        )
    event_types = frozenset(
        text for text in gateway.query(event, "eventTypes", "event_types", "eventTypes[]") if text
    )
    for event_type in event_types:
        if event_type not in EVENT_TYPES:
            raise BadRequestError(f"eventTypes: {event_type!r:.40} is unknown")
    return HistoryQuery(
        start=max(start, now - KEPT),
        end=end,
        event_types=event_types,
        size=gateway.page_size(event, LARGEST_PAGE),
        after=_position(gateway.page_token(event)),
    )


def _position(position: list[Any] | None) -> str | None:
    if position is None:
        return None
    match position:
        case [str(text)] if _POSITION.fullmatch(text):
            return text
    raise paging.bad_token()


def _time(event: Mapping[str, Any], *names: str) -> float | None:
    texts = [text for text in gateway.query(event, *names) if text]
    if not texts:
        return None
    try:
        # A `+` that a client forgot to encode arrives as a space.
        return times.from_text(texts[-1].replace(" ", "+"))
    except (ValueError, OverflowError):
        raise BadRequestError(
            f"{names[0]}: {texts[-1]!r:.40}, expected an RFC 3339 time with a zone"
        ) from None
