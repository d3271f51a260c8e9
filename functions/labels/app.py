"""Changed labels in, from the table's stream; labelsChanged events out, as ingest sends events."""

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
from dataconnectors.store.history import HistoryWriter
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table

settings = TableSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
ingest = EventAcceptor(
    ProjectStore(table),
    ConnectorStore(table),
    DeviceStore(table),
    HistoryWriter(table, executor, keeps_history=False),  # which has no labelsChanged in any case
    ConnectorQueues(clients.get("sqs"), executor),
    time.time,
)


def tell(project: str, outcome: AcceptResult) -> None:
    """One line for the changes of a project."""
    log = logger.info if not outcome.errors() else logger.error
    log(
        "labels.published",
        extra={"project": project, "accepted": outcome.accepted, "errors": outcome.errors()},
    )


teller = LabelEventPublisher(ingest, tell)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Tell of the records; from the one that is answered on, Lambda brings them again."""
    first = teller.run(event["Records"])
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": first}]}
