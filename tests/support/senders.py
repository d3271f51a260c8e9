"""A sender whose database, KMS, endpoints and log are fakes."""

from collections.abc import Callable
from typing import Any

from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient
from dataconnectors.kernel.workers import Workers
from tests.support.attempt_counters import AttemptCounters
from tests.support.failing_connectors import FailingConnectors
from tests.support.sqs_visibility import Sqs
from tests.support.undelivered import DeadLetters, ExpiredEvents


def a_sender(
    fakes: Any,
    *,
    sqs: Sqs,
    workers: Workers,
    clock: Callable[[], float],
    now: Callable[[], float],
    timeout: float = 10.0,
    **others: Any,
) -> Sender:
    """A sender that takes its connectors, secrets, endpoints and log from `fakes`.

    `fakes` has the methods `connector`, `was_removed`, `open`, `post` and those of a log. `others`
    are further arguments of `Sender`; without them nothing fails.
    """
    defaults: dict[str, Any] = {
        "dead_letters": DeadLetters(),
        "expired_events": ExpiredEvents(),
        "attempt_counters": AttemptCounters(),
        "failing_connectors": FailingConnectors(),
    }
    return Sender(
        connectors=fakes,
        vault=fakes,
        endpoint_client=EndpointClient(fakes, timeout=timeout, clock=clock, now=now),
        visibility=QueueVisibility(sqs),
        workers=workers,
        log=fakes,
        clock=clock,
        now=now,
        **defaults | others,
    )
