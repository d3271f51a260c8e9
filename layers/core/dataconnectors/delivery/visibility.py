"""When messages of a queue become visible again: the wait before the next attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ENTRIES_PER_CALL = 10
"""AWS: ChangeMessageVisibilityBatch takes 10 entries."""

LONGEST_SECONDS = 43_200
"""AWS: a message is invisible for 12 hours at most, counted from its first receive."""

MARGIN_SECONDS = 5
"""Kept from that limit: AWS refuses the change that would pass it, by its own clock."""


@dataclass(frozen=True, slots=True)
class VisibilityChange:
    """A received message, and the whole seconds from now until it may be received again."""

    message_id: str
    receipt_handle: str
    seconds: int


class QueueVisibility:
    """Changes visibility timeouts. `sqs` is a botocore client."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs

    def postpone(
        self, queue_arn: str, postponements: Sequence[VisibilityChange]
    ) -> Mapping[str, str]:
        """Postpone messages, and return those that SQS did not: error codes by message id.

        They, and all of them when this raises botocore's `ClientError` or `BotoCoreError`, stay
        invisible for what is left of the queue's visibility timeout.
        """
        refused = {}
        for start in range(0, len(postponements), ENTRIES_PER_CALL):
            part = postponements[start : start + ENTRIES_PER_CALL]
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=queue_url(self._sqs.meta.endpoint_url, queue_arn),
                Entries=[
                    {
                        "Id": str(position),
                        "ReceiptHandle": postponement.receipt_handle,
                        "VisibilityTimeout": postponement.seconds,
                    }
                    for position, postponement in enumerate(part)
                ],
            )
            # A call that SQS answers with 200 may have changed nothing.
            for failed in answer.get("Failed", ()):
                refused[part[int(failed["Id"])].message_id] = failed["Code"]
        return refused


def queue_url(endpoint: str, arn: str) -> str:
    """The URL of a queue, from the client's endpoint: what the message's event source is an ARN of
    arrives with every message, while the connector's row may be unreadable just now."""
    *_, account, name = arn.split(":")
    return f"{endpoint}/{account}/{name}"


def longest_wait(age_since_first_receive: float) -> int:
    """The longest whole seconds that a message can still be made invisible for."""
    return max(0, int(LONGEST_SECONDS - MARGIN_SECONDS - age_since_first_receive))
