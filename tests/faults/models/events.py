"""EventBridge, which accepts entries."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.faults.models.errors import refusal

ENTRIES = 10
"""AWS: the most entries of one PutEvents."""


class EventBridge:
    """The default bus. `taken` is called with the detail of each entry."""

    name = "events"

    def __init__(self, taken: Callable[[Mapping[str, Any]], None] = lambda detail: None) -> None:
        self._taken = taken

    def put_events(self, *, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Accept each entry; the answer is in the order of the entries."""
        if not 1 <= len(Entries) <= ENTRIES:
            raise refusal("ValidationException", "PutEvents", f"{len(Entries)} entries")
        for entry in Entries:
            self._taken(json.loads(entry["Detail"]))
        return {
            "FailedEntryCount": 0,
            "Entries": [{"EventId": str(number)} for number in range(len(Entries))],
        }
