"""Syncs one connector. The config API invokes it and does not wait for it.

When it fails, Lambda invokes it again, and the connector gets all events once more.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.logging import Logger

from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import TableSettings
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.ingest.sync import Sync
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.plain_json import use_plain_json
from dataconnectors.store.table import Table

settings = TableSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(use_plain_json(clients.get("dynamodb")), settings.table_name)
queues = ConnectorQueues(clients.get("sqs"), ThreadPoolExecutor(MAXIMUM_CONNECTIONS))
sync = Sync(ConnectorStore(table), DeviceStore(table), queues, time.time)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Sync the connector of `{"connector": "projects/…/dataconnectors/…"}`."""
    sent = sync.run(event["connector"])
    fields = {"connector": event["connector"], "sent": sent}
    logger.info("sync.ran", extra=fields)
    return fields
