"""An endpoint as AWS Lambda function, behind a function URL or an HTTP API (payload 2.0).

Environment: SIGNATURE_SECRET, EVENTS_TABLE (a DynamoDB table with the partition key eventId).
"""

import base64
import json
import os
from dataclasses import asdict
from typing import Any

import boto3
from botocore.exceptions import ClientError

from dataconnectors.receive import Event, RefusedError, receive

SECRET = os.environ["SIGNATURE_SECRET"]
TABLE = os.environ["EVENTS_TABLE"]

dynamodb = boto3.client("dynamodb")


def save(event: Event) -> None:
    """Save the event; it is in the table when this returns. The condition ignores a second
    arrival."""
    item = {"eventId": {"S": event.event_id}, "event": {"S": json.dumps(asdict(event))}}
    try:
        dynamodb.put_item(
            TableName=TABLE, Item=item, ConditionExpression="attribute_not_exists(eventId)"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer 200 when the event is saved. Any other exception becomes a 502 or 500, so the event
    comes again."""
    text = event.get("body", "")
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode()
    try:
        save(receive(event["headers"], body, SECRET))
    except RefusedError as error:
        return {"statusCode": error.status, "body": json.dumps({"message": str(error)})}
    return {"statusCode": 200, "body": json.dumps({"message": "saved"})}
