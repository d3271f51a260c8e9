"""The Retry-After header: how long an endpoint asks to be left alone (RFC 9110, section 10.2.3)."""

from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus

STATUSES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Answers whose Retry-After counts. RFC 9110 also has it on redirects, which are not followed."""

LONGEST_TEXT = 64
"""Characters. A number of seconds or an HTTP date is shorter."""

LONGEST_SECONDS = 3600.0
"""The longest wait between attempts: an endpoint cannot ask for more than the back-off gives."""


def seconds_of(text: str, now: float) -> float:
    """The seconds that a header asks for, an hour at most; 0 for a text that is no Retry-After.

    It is a whole number of seconds or an HTTP date. `now` is in epoch seconds.
    """
    text = text.strip()
    if not text.isascii() or len(text) > LONGEST_TEXT:
        return 0.0
    if text.isdigit():
        return min(float(text), LONGEST_SECONDS)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:  # the form of asctime (RFC 9110, section 5.6.7)
            date = date.replace(tzinfo=UTC)
        wait = date.timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(wait, 0.0), LONGEST_SECONDS)
