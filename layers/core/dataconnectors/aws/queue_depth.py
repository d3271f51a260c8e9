"""How many messages a queue has."""

from typing import Any, NamedTuple

from botocore.exceptions import ClientError

MISSING_QUEUE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
"""Error codes of a queue that is not there, in the query protocol and in the JSON protocol."""

WAITING = "ApproximateNumberOfMessages"
IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"


class QueueDepth(NamedTuple):
    """About how many messages of a queue wait to be received, and how many have been received.

    AWS: the numbers are approximate, and may be seconds behind.
    """

    waiting: int
    in_flight: int


def queue_depth(sqs: Any, queue_url: str) -> QueueDepth | None:
    """The depth of a queue; None when it is not there. Raises botocore's errors.

    `sqs` is a botocore client.
    """
    try:
        answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[WAITING, IN_FLIGHT])
    except ClientError as error:
        if error.response.get("Error", {}).get("Code", "") in MISSING_QUEUE:
            return None
        raise
    found = answer["Attributes"]
    return QueueDepth(int(found[WAITING]), int(found[IN_FLIGHT]))
