"""Celery's application, configured as its documentation recommends; docs/comparison.md says where.

    celery -A celery_app worker --pool=threads

`CONDITIONS` in the environment is JSON with the conditions that hold for all contenders.
"""

import hashlib
import json
import os
import time
import uuid
from typing import Any

import jwt
import requests
from celery import Celery
from requests.adapters import HTTPAdapter

CONDITIONS = json.loads(os.environ["CONDITIONS"])

LIFETIME = 3600
"""Seconds that a token is valid, as the bundle's are."""

app = Celery("celery_app", broker=os.environ["BROKER"])
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    # As many as threads: with ten, which is the default, acknowledgements fail in a burst.
    broker_pool_limit=CONDITIONS["parallelAttempts"],
    broker_transport_options={
        "max_connections": CONDITIONS["parallelAttempts"],
        # Looks for expired messages every 10 s. By default it does every 100 s.
        "unacked_restore_throttle": 1,
        "visibility_timeout": CONDITIONS["lease"],
    },
)

session = requests.Session()
session.mount(
    "https://",
    HTTPAdapter(
        pool_connections=CONDITIONS["endpoints"], pool_maxsize=CONDITIONS["parallelAttempts"]
    ),
)


@app.task(  # type: ignore[untyped-decorator]  # Celery has no types
    autoretry_for=(requests.RequestException,),
    retry_backoff=CONDITIONS["firstWait"],
    retry_backoff_max=CONDITIONS["longestWait"],
    retry_jitter=True,
    max_retries=CONDITIONS["attempts"] - 1,
)
def deliver(url: str, body: str) -> None:
    """POST a body; raises an error when the answer is none, or is an error."""
    raw = body.encode()
    headers = {"Content-Type": "application/json", "X-Dt-Signature": signature(raw)}
    response = session.post(url, data=raw, headers=headers, timeout=CONDITIONS["attempt"])
    response.raise_for_status()


def signature(body: bytes) -> str:
    """The token that receivers check: HS256, with the checksums of exactly this body."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "checksum": hashlib.sha1(body, usedforsecurity=False).hexdigest(),
        "checksum_sha256": hashlib.sha256(body).hexdigest(),
        "exp": now + LIFETIME,
        "iat": now,
        "jti": uuid.uuid4().hex,
    }
    return jwt.encode(claims, CONDITIONS["secret"], algorithm="HS256")
