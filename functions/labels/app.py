"""Publishes a labelsChanged event for each change of labels that the table's stream reports."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.logging import Logger

from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import TableSettings
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.ingest.label_events import LabelEventPublisher
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history_writer import HistoryWriter
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table

settings = TableSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
acceptor = EventAcceptor(
    ProjectStore(table),
    ConnectorStore(table),
    DeviceStore(table),
    HistoryWriter(table, executor, keeps_history=False),  # It never has labelsChanged events.
    ConnectorQueues(clients.get("sqs"), executor),
    time.time,
)


def report(project: str, result: AcceptResult) -> None:
    """Log one line for each call that accepts a project's label events."""
    log = logger.info if not result.errors() else logger.error
    log(
        "labels.published",
        extra={"project": project, "accepted": result.accepted, "errors": result.errors()},
    )


publisher = LabelEventPublisher(acceptor, report)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Publish the changes of the records.

    Lambda brings the records again from the one that `itemIdentifier` names on.
    """
    first_unaccepted = publisher.publish(event["Records"])
    failures = [] if first_unaccepted is None else [{"itemIdentifier": first_unaccepted}]
    return {"batchItemFailures": failures}
