"""Visibility timeouts: until when SQS does not hand a message out, the wait between attempts."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

ENTRIES_PER_CALL = 10
"""AWS: ChangeMessageVisibilityBatch takes 10 entries."""

LONGEST_SECONDS = 43_200
"""AWS: a message is invisible for 12 hours at most, counted from its first receive."""

MARGIN_SECONDS = 5
"""Kept from that limit. AWS refuses a change that would pass it, and goes by its own clock."""


class VisibilityChange(NamedTuple):
    """A received message, and the whole seconds until SQS may hand it out again."""

    message_id: str
    receipt_handle: str
    seconds: int


class QueueVisibility:
    """Changes visibility timeouts. `sqs` is a botocore client."""

    def __init__(self, sqs: Any) -> None:
        self._sqs = sqs

    def change(self, queue_arn: str, changes: Sequence[VisibilityChange]) -> Mapping[str, str]:
        """Make the changes, and return error codes by message id for those that SQS refused.

        A message whose change is refused stays invisible for what is left of the queue's visibility
        timeout. So do all messages when this raises botocore's `ClientError` or `BotoCoreError`.
        """
        refused = {}
        for start in range(0, len(changes), ENTRIES_PER_CALL):
            part = changes[start : start + ENTRIES_PER_CALL]
            answer = self._sqs.change_message_visibility_batch(
                QueueUrl=queue_url(self._sqs.meta.endpoint_url, queue_arn),
                Entries=[
                    {
                        "Id": str(position),
                        "ReceiptHandle": change.receipt_handle,
                        "VisibilityTimeout": change.seconds,
                    }
                    for position, change in enumerate(part)
                ],
            )
            # SQS may answer with 200 and have changed nothing.
            for failed in answer.get("Failed", ()):
                refused[part[int(failed["Id"])].message_id] = failed["Code"]
        return refused


def queue_url(endpoint: str, arn: str) -> str:
    """The URL of the queue with this ARN, at the endpoint of the SQS client.

    Every message brings the ARN of its queue. The connector's row has the URL too, but may be
    unreadable just now.
    """
    *_, account, name = arn.split(":")
    return f"{endpoint}/{account}/{name}"


def longest_wait(seconds_since_first_receive: float) -> int:
    """The longest that a message can still be made invisible for, in whole seconds."""
    return max(0, int(LONGEST_SECONDS - MARGIN_SECONDS - seconds_since_first_receive))
