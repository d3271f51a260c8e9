"""EventBridge: it takes entries, some of which it may refuse."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.faults.models.errors import refusal

ENTRIES = 10
"""AWS: what one PutEvents takes."""


class EventBridge:
    """The default bus. `taken` hears of the detail of each entry."""

    name = "events"

    def __init__(self, taken: Callable[[Mapping[str, Any]], None] = lambda detail: None) -> None:
        self._taken = taken

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Each entry succeeds or fails by itself; the answer is in their order."""
        if not 1 <= len(Entries) <= ENTRIES:
            raise refusal("ValidationException", "PutEvents", f"{len(Entries)} entries")
        for entry in Entries:
            self._taken(json.loads(entry["Detail"]))
        return {
            "FailedEntryCount": 0,
            "Entries": [{"EventId": str(number)} for number in range(len(Entries))],
        }
