"""Events in, over HTTP or by direct invocation; messages out, to each connector's own queue.

Over HTTP the answer tells what was accepted. Who invokes the function directly, as rules and
schedulers do, ignores answers: there it raises, so that Lambda invokes it again and at last moves
the events to the on-failure queue.
"""

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors import gateway, metrics
from dataconnectors.access import Access
from dataconnectors.aws import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.errors import (
    BadRequestError,
    NotFoundError,
    RequestError,
    UnavailableError,
    VaultError,
)
from dataconnectors.events import is_id
from dataconnectors.ids import ENTROPY_BYTES, new_id
from dataconnectors.ingest import Ingest, Outcome
from dataconnectors.queues import Queues
from dataconnectors.settings import IngestSettings
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import EventKeeper
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table
from dataconnectors.vault import Vault

settings = IngestSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)


def make_ingest(
    executor: Executor,
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Ingest:
    """What accepts events, over threads and clocks of the caller's choice."""
    queues = Queues(clients.get("sqs"), executor, sleep=sleep)
    return Ingest(
        ProjectStore(table),
        ConnectorStore(table),
        DeviceStore(table, sleep=sleep),
        EventKeeper(table, executor, keeps_history=settings.keep_history, sleep=sleep),
        queues,
        now,
    )


def make_access(
    *, now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
) -> Access:
    """Who may publish, by clocks of the caller's choice."""
    vault = Vault(clients.get("kms"), clock=clock)
    return Access(AccountStore(table), vault, entropy=os.urandom, now=now, clock=clock)


ingest = make_ingest(ThreadPoolExecutor(MAXIMUM_CONNECTIONS))
access = make_access()


class NotAcceptedError(RuntimeError):
    """A direct invocation's events were not all accepted: Lambda repeats it, then keeps them."""


def accept(project: str, envelopes: Any) -> Outcome:
    """Accept events, and report what became of them."""
    outcome = ingest.accept(project, envelopes)
    report(project, outcome)
    return outcome


def report(project: str, outcome: Outcome) -> None:
    """One line for each call, and the metric that an alarm watches."""
    logger.info(
        "ingest.accepted",
        extra={
            "project": project,
            "accepted": outcome.accepted,
            "refused": len(outcome.refused),
            "unconfirmed": len(outcome.unconfirmed),
        },
    )
    if outcome.unconfirmed:
        report_not_accepted(len(outcome.unconfirmed))


def report_not_accepted(count: int) -> None:
    """Count valid events that we did not accept: an alarm watches it."""
    print(metrics.line(settings.stack, {"NotAccepted": (count, "Count")}, time.time()))


def publish(project: str, device: str, event: dict[str, Any]) -> dict[str, Any]:
    """`POST …/devices/{device}:publish`: one event of an emulated device."""
    access.require(gateway.headers(event), project, "event.publish")
    event_id = new_id(time.time(), os.urandom(ENTROPY_BYTES))
    ingest.publish(project, device, gateway.json_body(event), event_id)
    report(project, Outcome(accepted=1))
    return gateway.answer(200, {})


def post_events(project: str, event: dict[str, Any]) -> dict[str, Any]:
    """`POST …/events`: up to a hundred events, accepted or refused one by one."""
    access.require(gateway.headers(event), project, "event.publish")
    content = gateway.json_body(event)
    if not isinstance(content, dict):
        raise BadRequestError('body: expected {"events": [...]}')
    outcome = accept(project, content.get("events"))
    answer = {"accepted": outcome.accepted, "errors": outcome.errors()}
    if outcome.unconfirmed:
        return gateway.error_answer(
            UnavailableError("some events were not accepted: send those again"), answer
        )
    if not outcome.accepted:
        return gateway.error_answer(BadRequestError("events: none is valid"), answer)
    return gateway.answer(200, answer)


def route(event: dict[str, Any]) -> dict[str, Any]:
    """The two routes that the API sends here."""
    match gateway.method(event), gateway.segments(event):
        case "POST", ["v2", "projects", project, "events"]:
            return post_events(project, event)
        case "POST", ["v2", "projects", project, "devices", target] if target.endswith(":publish"):
            return publish(project, target.removesuffix(":publish"), event)
    raise NotFoundError(f"{gateway.method(event)} {event['rawPath']:.200} is not served here")


def answer_request(event: dict[str, Any]) -> dict[str, Any]:
    """A request's answer; whatever happens, it is JSON and tells no internals."""
    try:
        return route(event)
    except RequestError as error:
        if error.status >= UnavailableError.status:
            report_not_accepted(1)
        return gateway.error_answer(error)
    except (ClientError, BotoCoreError, VaultError) as error:
        logger.error("ingest.failed", extra={"error": f"{type(error).__name__}: {error}"})
        report_not_accepted(1)
        return gateway.error_answer(UnavailableError("not accepted: send the events again"))


def answer_invocation(event: dict[str, Any]) -> dict[str, Any]:
    """What a direct invocation gets: `{"project", "events"}` to `{"accepted", "errors"}`.

    Raises when a valid event was not accepted, and when the call itself is wrong. Invalid events
    among valid ones are logged: sending them again would not help.
    """
    project = event.get("project")
    if not is_id(project):
        raise BadRequestError('project: expected {"project": "<id>", "events": [...]}')
    outcome = accept(str(project), event.get("events"))
    if outcome.refused:
        logger.warning("ingest.refused", extra={"project": project, "errors": outcome.errors()})
    if outcome.unconfirmed or not outcome.accepted:
        raise NotAcceptedError(f"{outcome.accepted} accepted, not accepted: {outcome.errors()}")
    return {"accepted": outcome.accepted, "errors": outcome.errors()}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Serve a request of the API, or a direct invocation."""
    return answer_request(event) if "requestContext" in event else answer_invocation(event)
