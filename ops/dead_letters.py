"""What is in the queue of our faults, for a deployer: look at it, and send it back when mended.

    python -m ops.dead_letters --stack NAME [--region REGION] [--send-back]

Prints a JSON object a line: why, from which queue, since when, and the body. With `--send-back`
each message is put into its queue again, and leaves the queue of our faults once SQS has
confirmed that. There it is a new message: its 12 hours and its attempts begin anew.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ops.aws import explained
from ops.stacks import StackError, outputs

HELD_SECONDS = 120
"""A message is invisible to others for this long while we look at it."""

WAIT_SECONDS = 2
"""Of a long poll, which asks all of SQS's servers: an empty answer means that nothing is left."""


def dead_letters(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """The messages in the queue, each once, held for `HELD_SECONDS`."""
    seen: set[str] = set()
    while messages := sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        VisibilityTimeout=HELD_SECONDS,
        WaitTimeSeconds=WAIT_SECONDS,
    ).get("Messages", []):
        new = [message for message in messages if message["MessageId"] not in seen]
        if not new:
            return
        seen |= {message["MessageId"] for message in new}
        yield from new


def described(message: dict[str, Any]) -> dict[str, Any]:
    """What an operator wants to know of a message."""
    attributes = message.get("MessageAttributes", {})
    return {name: value["StringValue"] for name, value in sorted(attributes.items())} | {
        "body": message["Body"]
    }


def send_back(sqs: Any, url: str, message: dict[str, Any]) -> str:
    """Put a message where it came from; "" when it has left, else why it stays."""
    attributes = message.get("MessageAttributes", {})
    if "bytes" in attributes:
        return "its body was cut"
    if "queue" not in attributes:
        return "it does not say where it was"
    name = attributes["queue"]["StringValue"].rpartition(":")[2]
    try:
        origin = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.send_message(QueueUrl=origin, MessageBody=message["Body"])
    except ClientError as error:
        return f"{name}: {error.response['Error']['Code']}"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return ""


def main() -> int:
    """Print what is there; 1 when something could not be sent back."""
    parser = argparse.ArgumentParser(prog="python -m ops.dead_letters")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="the one of the AWS configuration when absent")
    parser.add_argument("--send-back", action="store_true")
    options = parser.parse_args()
    try:
        with explained():
            return show(options.stack, options.region, sending_back=options.send_back)
    except StackError as error:
        print(f"strays: {error}", file=sys.stderr)
        return 1


def show(stack: str, region: str | None, *, sending_back: bool) -> int:
    """Print each message, and send it back if asked for; 1 when one stays."""
    session = boto3.Session(region_name=region)
    known = outputs(session.client("cloudformation"), stack)
    if not known or "DeadLetterQueueUrl" not in known:
        raise StackError(f"{stack} is no stack of Data Connectors here")
    sqs, url = session.client("sqs"), known["DeadLetterQueueUrl"]
    count = stays = 0
    for message in dead_letters(sqs, url):
        count += 1
        line = described(message)
        if sending_back:
            line["sentBack"] = not (reason := send_back(sqs, url, message))
            stays += bool(reason)
            line |= {"stays": reason} if reason else {}
        print(json.dumps(line))
    print(f"{count} messages", file=sys.stderr)
    return 1 if stays else 0


if __name__ == "__main__":
    sys.exit(main())
