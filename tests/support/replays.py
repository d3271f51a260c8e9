"""Requests for replays."""

import time
from typing import Any

from dataconnectors.kernel import times


def ago(seconds: float) -> str:
    """The text of a time."""
    return times.to_text(time.time() - seconds)


def a_replay(**more: Any) -> dict[str, Any]:
    """The body of a call that replays the last two hours."""
    return {"startTime": ago(7200), "endTime": ago(0)} | more
