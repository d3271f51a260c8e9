"""Times on the wire: RFC 3339."""

import re
from datetime import UTC, datetime

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def to_text(now: float) -> str:
    """The epoch second `now` in UTC with `Z` and six digits, which every SDK version parses."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_text(text: str) -> float:
    """The epoch second of an RFC 3339 text with a zone; `ValueError` when it is none.

    `datetime.fromisoformat` alone takes more than RFC 3339, such as week dates.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError(f"{text!r:.40} is not an RFC 3339 time with a zone")
    return datetime.fromisoformat(text.upper()).timestamp()
