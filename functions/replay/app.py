"""Runs one replay until it ends, or until the invocation's time is over.

The config API invokes it and does not wait for it. The reconciler invokes it again, every minute,
for each replay that is not finished and that no process works on.
"""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.logging import Logger

from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import ReplaySettings
from dataconnectors.ingest.queues import ConnectorQueues
from dataconnectors.ingest.replay import ReplayRunner
from dataconnectors.ingest.replay_events import ReplayEvents
from dataconnectors.replay.pace import Pace
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import HistoryStore
from dataconnectors.store.plain_json import use_plain_json
from dataconnectors.store.replays import ReplayStore
from dataconnectors.store.table import Table

settings = ReplaySettings.from_env(os.environ)
logger = Logger()
clients = Clients()
sqs = clients.get("sqs")
executor = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
table = Table(use_plain_json(clients.get("dynamodb")), settings.table_name)
devices = DeviceStore(table)

PACE = Pace(settings.rate, settings.maximum_concurrency)


def make_runner(pace: Pace = PACE, **clocks: Any) -> ReplayRunner:
    """The runner of this stack's replays. Tests pass a `pace`, and `clocks` for real time."""
    return ReplayRunner(
        ReplayStore(table),
        ConnectorStore(table),
        devices,
        ReplayEvents(devices, HistoryStore(table), executor),
        ConnectorQueues(sqs, executor),
        sqs,
        pace,
        **{"now": time.time, "sleep": time.sleep} | clocks,
    )


runner = make_runner()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Go on with the replay of `{"replay": "projects/…/dataconnectors/…/replays/…"}`."""

    def remaining() -> float:
        milliseconds: int = context.get_remaining_time_in_millis()
        return milliseconds / 1000

    # Lambda may deliver an event twice, and then with the same request id.
    process = os.urandom(16).hex()
    report = runner.run(event["replay"], process, remaining)
    fields = {"replay": event["replay"], "outcome": report.outcome, "sent": report.sent}
    logger.info("replay.ran", extra=fields)
    return fields
