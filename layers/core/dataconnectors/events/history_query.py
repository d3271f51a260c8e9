"""History queries: which of a device's events a request asks for, and how far back it can ask."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dataconnectors.aws import gateway
from dataconnectors.events.event import MAXIMUM_AGE_SECONDS
from dataconnectors.events.event_types import EVENT_TYPES, LABELS_CHANGED
from dataconnectors.kernel import paging, times
from dataconnectors.kernel.errors import BadRequestError
from dataconnectors.kernel.ids import LONGEST_ID

RETENTION_SECONDS = MAXIMUM_AGE_SECONDS
"""How long after its timestamp an event can be read back: 31 days. An event that is older when it
arrives is not accepted."""

DEFAULT_SPAN_SECONDS = 24 * 3600
"""How far a request without `startTime` looks back."""

LARGEST_PAGE = 1000
"""Events on a page at most, and the size of a page when a request names none: the vendor's SDK
never names one."""

NOT_IN_HISTORY = frozenset({LABELS_CHANGED})
"""Event types that are delivered but not kept in a device's history."""

_POSITION = re.compile(rf"[0-9]{{16}}#[A-Za-z0-9_-]{{1,{LONGEST_ID}}}", re.ASCII)
"""A sort key of history: 16 digits of microseconds and the event's id."""


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A request for events from `start` on and before `end`, newest first.

    Both are epoch seconds. `end` None means no bound, since an event's timestamp may be ahead of
    our clock. Empty `event_types` means all types. `after` is the position at which the previous
    page ended; None asks for the first page.
    """

    start: float
    end: float | None
    event_types: frozenset[str]
    size: int
    after: str | None


def parse_query(event: Mapping[str, Any], now: float) -> HistoryQuery:
    """Read the query of an API Gateway event; raises `BadRequestError` that names the parameter.

    `now` is in epoch seconds. A `start` before the retention is moved to where it begins: no answer
    shows an expired event, whether DynamoDB has removed it yet or not.
    """
    end = _time(event, "endTime", "end_time")
    start = _time(event, "startTime", "start_time")
    if start is None:
        start = now - DEFAULT_SPAN_SECONDS
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
        start=max(start, now - RETENTION_SECONDS),
        end=end,
        event_types=event_types,
        size=gateway.page_size(event, LARGEST_PAGE),
        after=_position(gateway.page_token(event)),
    )


def _position(token: list[Any] | None) -> str | None:
    """Return the position that a page token holds; raises `BadRequestError`."""
    if token is None:
        return None
    match token:
        case [str(position)] if _POSITION.fullmatch(position):
            return position
    raise paging.wrong_token()


def _time(event: Mapping[str, Any], *names: str) -> float | None:
    """Return the epoch seconds of a parameter, known by any of `names`; None when it is absent."""
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
