"""How many messages a connector's queue has."""

from typing import Any

from botocore.exceptions import ClientError

from dataconnectors.ingest.queues import MISSING_QUEUE
from dataconnectors.replay.pace import QueueDepth

WAITING = "ApproximateNumberOfMessages"
IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"


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
