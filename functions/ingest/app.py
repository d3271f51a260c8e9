"""Accepts events, over HTTP or by direct invocation, into the queue of each connector.

Over HTTP the answer says which events were accepted. Rules and schedulers invoke the function
directly and ignore answers. For them it raises when an event was not accepted: Lambda then invokes
it again, and at last moves the events to the on-failure queue.
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
from dataconnectors.identity.authentication import Authenticator
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.ingest.routes import PublishRoutes
from dataconnectors.kernel.errors import BadRequestError, RequestError, UnavailableError, VaultError
from dataconnectors.kernel.ids import is_id
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history_writer import HistoryWriter
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.signing_keys import SigningKeyStore
from dataconnectors.store.table import Table

settings = IngestSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
acceptor = EventAcceptor(
    ProjectStore(table),
    ConnectorStore(table),
    DeviceStore(table),
    HistoryWriter(table, executor, keeps_history=settings.keep_history),
    ConnectorQueues(clients.get("sqs"), executor),
    time.time,
)
account_rows = AccountStore(table)
vault = Vault(clients.get("kms"))
signing_keys = SigningKeys(SigningKeyStore(table), vault, entropy=os.urandom)
access = Access(Authenticator(account_rows, signing_keys, vault), account_rows, entropy=os.urandom)


class NotAcceptedError(RuntimeError):
    """Not all events of a direct invocation were accepted. Lambda repeats it, then keeps them."""


def report(project: str, result: AcceptResult) -> None:
    """Log one line for each call, and count valid events that were not accepted."""
    logger.info(
        "ingest.accepted",
        extra={
            "project": project,
            "accepted": result.accepted,
            "refused": len(result.refused),
            "unconfirmed": len(result.unconfirmed),
        },
    )
    if result.unconfirmed:
        report_not_accepted(len(result.unconfirmed))


def report_not_accepted(count: int) -> None:
    """Write the metric of valid events that were not accepted, which an alarm watches."""
    print(metrics.line(settings.stack, {"NotAccepted": (count, "Count")}, time.time()))


routes = PublishRoutes(acceptor, access, report, entropy=os.urandom, now=time.time)

coldstart.end()


def answer_request(event: dict[str, Any]) -> dict[str, Any]:
    """Answer a request of the API; whatever happens, in JSON and without internals."""
    try:
        return routes.serve(event)
    except RequestError as error:
        if error.status >= UnavailableError.status:
            report_not_accepted(1)
        return gateway.error_answer(error)
    except (ClientError, BotoCoreError, VaultError) as error:
        logger.error("ingest.failed", extra={"error": f"{type(error).__name__}: {error}"})
        report_not_accepted(1)
        return gateway.error_answer(UnavailableError("not accepted: send the events again"))


def answer_invocation(event: dict[str, Any]) -> dict[str, Any]:
    """Answer a direct invocation with `{"project", "events"}`: `{"accepted", "errors"}`.

    Raises when a valid event was not accepted, when no event is valid, and when the call itself is
    wrong. Invalid events among valid ones are only logged: repeating them would not help.
    """
    project = event.get("project", "")
    if not is_id(project):
        raise BadRequestError('project: expected {"project": "<id>", "events": [...]}')
    result = acceptor.accept(project, event.get("events"))
    report(project, result)
    if result.refused:
        logger.warning("ingest.refused", extra={"project": project, "errors": result.errors()})
    if result.unconfirmed or not result.accepted:
        raise NotAcceptedError(f"{result.accepted} accepted, not accepted: {result.errors()}")
    return {"accepted": result.accepted, "errors": result.errors()}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Serve a request of the API, or a direct invocation."""
    return answer_request(event) if "requestContext" in event else answer_invocation(event)
