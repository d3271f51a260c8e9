"""A Lambda that delivers webhooks as public samples do: written by us, after many of them.

Each message is POSTed on a new connection of `requests`, one after the other. A message that failed
stays in the queue until its visibility timeout ends.
"""

import hashlib
import json
import os
import time
import uuid
from typing import Any

import jwt
import requests

SECRET = os.environ["SECRET"]
TIMEOUT = int(os.environ["TIMEOUT"])

LIFETIME = 3600
"""Seconds that a token is valid, as the bundle's are."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Deliver a batch, and name the messages that failed."""
    failures = []
    for record in event["Records"]:
        message = json.loads(record["body"])
        try:
            deliver(message["url"], message["body"].encode())
            print(f"delivered {record['messageId']}")
        except requests.RequestException as error:
            print(f"failed {record['messageId']}: {error}")
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def deliver(url: str, body: bytes) -> None:
    """POST a body; raises an error when the answer is none, or is an error."""
    headers = {"Content-Type": "application/json", "X-Dt-Signature": signature(body)}
    response = requests.post(url, data=body, headers=headers, timeout=TIMEOUT)
    response.raise_for_status()


def signature(body: bytes) -> str:
    """The token that receivers check: HS256, with the checksums of exactly this body."""
    now = int(time.time())
    claims = {
        "checksum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "checksum_sha256": hashlib.sha256(body).hexdigest(),
        "exp": now + LIFETIME,
        "iat": now,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, SECRET, algorithm="HS256")
