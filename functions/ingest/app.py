"""Events in, over HTTP or by direct invocation; messages out, to each connector's own queue.

Over HTTP the answer tells what was accepted. Who invokes the function directly, as rules and
schedulers do, ignores answers: there it raises, so that Lambda invokes it again and at last moves
the events to the on-failure queue.
"""

from dataconnectors.aws import coldstart

coldstart.begin()

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws import gateway, metrics
from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import IngestSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.identity.access import Access
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.ingest.routes import PublishRoutes
from dataconnectors.kernel.errors import BadRequestError, RequestError, UnavailableError, VaultError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import HistoryWriter
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table

settings = IngestSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
ingest = EventAcceptor(
    ProjectStore(table),
    ConnectorStore(table),
    DeviceStore(table),
    HistoryWriter(table, executor, keeps_history=settings.keep_history),
    ConnectorQueues(clients.get("sqs"), executor),
    time.time,
)
access = Access(AccountStore(table), Vault(clients.get("kms")), entropy=os.urandom)


class NotAcceptedError(RuntimeError):
    """A direct invocation's events were not all accepted: Lambda repeats it, then keeps them."""


def report(project: str, outcome: AcceptResult) -> None:
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


publishing = PublishRoutes(ingest, access, report, entropy=os.urandom, now=time.time)

coldstart.end()


def answer_request(event: dict[str, Any]) -> dict[str, Any]:
    """A request's answer; whatever happens, it is JSON and tells no internals."""
    try:
        return publishing.serve(event)
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
    project = event.get("project", "")
    if not is_id(project):
        raise BadRequestError('project: expected {"project": "<id>", "events": [...]}')
    outcome = ingest.accept(project, event.get("events"))
    report(project, outcome)
    if outcome.refused:
        logger.warning("ingest.refused", extra={"project": project, "errors": outcome.errors()})
    if outcome.unconfirmed or not outcome.accepted:
        raise NotAcceptedError(f"{outcome.accepted} accepted, not accepted: {outcome.errors()}")
    return {"accepted": outcome.accepted, "errors": outcome.errors()}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Serve a request of the API, or a direct invocation."""
    return answer_request(event) if "requestContext" in event else answer_invocation(event)
