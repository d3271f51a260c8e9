"""Every minute: queues and mappings that are half made, half gone or altered are put right.

And expired events are announced, see `dataconnectors.announcements`.

`{"audit": true}`, sent by an operator, compares everything at once instead of in the next quarter
of an hour. The answer is the run's report. See `dataconnectors.reconciliation`.
"""

import os
import time
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger

from dataconnectors import metrics
from dataconnectors.announcements import Announcer
from dataconnectors.aws import Clients
from dataconnectors.reconciliation import Failed, Mended, Reconciler
from dataconnectors.settings import ReconcilerSettings
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired import ExpiredStore
from dataconnectors.store.table import Table

settings = ReconcilerSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
store = ConnectorStore(table)
announcer = Announcer(clients.get("events"), ExpiredStore(table), settings.queues.stack)


def tell(news: Mended | Failed) -> None:
    """One line for each thing that was put right, or could not be."""
    match news:
        case Mended():
            logger.info("reconciler.mended", extra=asdict(news))
        case Failed():
            logger.error("reconciler.failed", extra=asdict(news))


def make_reconciler(**clocks: Any) -> Reconciler:
    """The reconciler of this stack; `clocks` replaces what it takes for time, for tests."""
    return Reconciler(
        clients.get("sqs"), clients.get("lambda"), store, settings.queues, tell=tell, **clocks
    )


reconciler = make_reconciler()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the invocation's time allows; the next one goes on.

    Announcements come first: they take a moment, and mending may take all the time there is. The
    metric is sent at zero too, so that an alarm can tell "no drift" from "no reconciler".
    """

    def remaining() -> float:
        left: int = context.get_remaining_time_in_millis()
        return left / 1000

    announced = announcer.announce(time.time(), remaining)
    if announced.error:
        logger.error("expired.unannounced", extra=asdict(announced))
    elif announced.connectors:
        logger.info("expired.announced", extra=asdict(announced))
    report = reconciler.run(audit=event.get("audit") is True, remaining=remaining)
    fields = asdict(report)
    logger.info("reconciler.ran", extra=fields)
    print(metrics.line(settings.queues.stack, {"Drift": (report.drift, "Count")}, time.time()))
    return fields
