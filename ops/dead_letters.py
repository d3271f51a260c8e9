"""Shows the messages in the dead-letter queue, and sends them back after the cause is fixed.

    python -m ops.dead_letters --stack NAME [--region REGION] [--send-back]

Prints a JSON object for each message: the reason, the queue that it came from, since when it is
here, and its body. With `--send-back`, each message is sent to the queue that it came from, and is
deleted here once SQS has confirmed that. There it is a new message: its 12 hours and its attempts
start again.
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
"""Visibility timeout of a message that is shown: others do not receive it for this long."""

WAIT_SECONDS = 2
"""How long a long poll waits. Only a long poll asks all servers of SQS, so that an empty answer
means that no message is left."""


def dead_letters(sqs: Any, url: str) -> Iterator[dict[str, Any]]:
    """The messages in the queue, each of them once. Each stays invisible for `HELD_SECONDS`."""
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
    """What an operator is shown of a message: its attributes and its body."""
    attributes = message.get("MessageAttributes", {})
    return {name: value["StringValue"] for name, value in sorted(attributes.items())} | {
        "body": message["Body"]
    }


def send_back(sqs: Any, url: str, message: dict[str, Any]) -> str:
    """Send a message to the queue that it came from. Returns "", or why the message stays here."""
    attributes = message.get("MessageAttributes", {})
    if "bytes" in attributes:
        return "its body was cut"
    if "queue" not in attributes:
        return "it does not say which queue it came from"
    name = attributes["queue"]["StringValue"].rpartition(":")[2]
    try:
        origin = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        sqs.send_message(QueueUrl=origin, MessageBody=message["Body"])
    except ClientError as error:
        return f"{name}: {error.response['Error']['Code']}"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return ""


def main() -> int:
    """Run the command. Returns 1 when it failed, or a message could not be sent back."""
    parser = argparse.ArgumentParser(prog="python -m ops.dead_letters")
    parser.add_argument("--stack", required=True)
    parser.add_argument("--region", help="default: that of the AWS configuration")
    parser.add_argument("--send-back", action="store_true")
    options = parser.parse_args()
    try:
        with explained():
            return show(options.stack, options.region, sending_back=options.send_back)
    except StackError as error:
        print(f"dead-letters: {error}", file=sys.stderr)
        return 1


def show(stack: str, region: str | None, *, sending_back: bool) -> int:
    """Print each message, and send it back if that was asked for. Returns 1 when one stays."""
    session = boto3.Session(region_name=region)
    stack_outputs = outputs(session.client("cloudformation"), stack)
    if not stack_outputs or "DeadLetterQueueUrl" not in stack_outputs:
        raise StackError(f"{stack} is not a stack of Data Connectors in this Region")
    sqs, url = session.client("sqs"), stack_outputs["DeadLetterQueueUrl"]
    count = stayed = 0
    for message in dead_letters(sqs, url):
        count += 1
        line = described(message)
        if sending_back:
            line["sentBack"] = not (reason := send_back(sqs, url, message))
            stayed += bool(reason)
            line |= {"stays": reason} if reason else {}
        print(json.dumps(line))
    print(f"{count} messages", file=sys.stderr)
    return 1 if stayed else 0


if __name__ == "__main__":
    sys.exit(main())
