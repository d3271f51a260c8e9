"""The sender with stand-ins around it: of the database, KMS, the endpoints and the log."""

from collections.abc import Callable
from typing import Any

from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.kernel.workers import Workers
from tests.support.attempt_counters import AttemptCounters
from tests.support.sqs_visibility import Sqs
from tests.support.undelivered import DeadLetters, ExpiredEvents


def a_sender(
    around: Any,
    *,
    sqs: Sqs,
    workers: Workers,
    clock: Callable[[], float],
    now: Callable[[], float],
    timeout: float = 10.0,
    **others: Any,
) -> Sender:
    """`around` has `connector`, `was_removed`, `open`, `post` and the log's methods; `others` are
    further arguments of `Sender`, and take the places of what takes things and keeps quiet."""
    quiet: dict[str, Any] = {
        "dead_letters": DeadLetters(),
        "expired_events": ExpiredEvents(),
        "attempt_counters": AttemptCounters(),
    }
    return Sender(
        connectors=around,
        vault=around,
        endpoint_client=EndpointClient(around, timeout=timeout, clock=clock, now=now),
        visibility=QueueVisibility(sqs),
        workers=workers,
        log=around,
        clock=clock,
        now=now,
        **quiet | others,
    )
