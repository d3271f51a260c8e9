"""Events of this stack on the account's default event bus."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

ENTRIES_PER_CALL = 10
"""AWS: PutEvents takes 10 entries."""


class EventBus:
    """Sends events with the stack's name as their `source`. `event_bridge` is a botocore client."""

    def __init__(self, event_bridge: Any, source: str) -> None:
        self._event_bridge = event_bridge
        self._source = source

    def put(self, events: Sequence[tuple[str, Mapping[str, Any]]]) -> list[bool]:
        """Send at most `ENTRIES_PER_CALL` events, each a detail type and a detail.

        Returns for each whether EventBridge has accepted it. Raises botocore's errors.
        """
        answer = self._event_bridge.put_events(
            Entries=[
                {
                    "Source": self._source,
                    "DetailType": detail_type,
                    "Detail": json.dumps(detail),
                    "Resources": [],
                }
                for detail_type, detail in events
            ]
        )
        # The answer has one entry for each one sent, in the same order.
        return ["ErrorCode" not in entry for entry in answer["Entries"]]
