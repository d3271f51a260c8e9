"""Every minute: queues and mappings that are half made, half gone or altered are put right.

Expired events are announced, too, and once in an hour each queue is accounted for: see
`dataconnectors.announcements` and `dataconnectors.balance`.

`{"audit": true}`, sent by an operator, compares everything at once instead of in the next quarter
of an hour. The answer is the run's report. See `dataconnectors.reconciliation`.
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws import metrics
from dataconnectors.aws.clients import Clients
from dataconnectors.aws.settings import ReconcilerSettings
from dataconnectors.expiry.accounting import Accountant
from dataconnectors.expiry.announcements import Announcer
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.reconciler import Failed, Reconciler, Repaired
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredStore
from dataconnectors.store.table import Table

ACCOUNTING_RESERVE = 30.0
"""Seconds that accounting leaves for mending: it takes a call for a hundred connectors."""

settings = ReconcilerSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
# What is taken off a count, or told, twice would be wrong or too much: see `Announcer`.
table = Table(clients.get("dynamodb", once=("UpdateItem",)), settings.table_name)
store = ConnectorStore(table)
records = ExpiredStore(table)
announcer = Announcer(clients.get("events", once=("PutEvents",)), records, settings.queues.stack)
accountant = Accountant(
    clients.get("cloudwatch"), store, records, Blueprint(settings.queues).queue_name
)


def tell(news: Repaired | Failed) -> None:
    """One line for each thing that was put right, or could not be."""
    match news:
        case Repaired():
            logger.info("reconciler.repaired", extra=asdict(news))
        case Failed():
            logger.error("reconciler.failed", extra=asdict(news))


def announce(remaining: Callable[[], float]) -> None:
    """Tell of expired events."""
    announced = announcer.announce(time.time(), remaining)
    if announced.error:
        logger.error("expired.not_announced", extra=asdict(announced))
    elif announced.connectors:
        logger.info("expired.announced", extra=asdict(announced))


def account(now: float, remaining: Callable[[], float]) -> None:
    """Look for events that SQS has dropped unseen, once an hour."""
    accounted = accountant.run(now, lambda: remaining() > ACCOUNTING_RESERVE)
    if accounted is None:
        return
    log = logger.error if accounted.unaccounted or accounted.error else logger.info
    log("queues.accounted", extra=asdict(accounted))
    values = {"Unaccounted": (accounted.unaccounted, "Count")}
    print(metrics.line(settings.queues.stack, values, time.time()))


def make_reconciler(**clocks: Any) -> Reconciler:
    """The reconciler of this stack; `clocks` replaces what it takes for time, for tests."""
    return Reconciler(
        clients.get("sqs"), clients.get("lambda"), store, settings.queues, tell=tell, **clocks
    )


reconciler = make_reconciler()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the invocation's time allows; the next one goes on.

    Mending comes last: it may take all the time there is, and the rest takes a moment. The metric
    is sent at zero too, so that an alarm can tell "no drift" from "no reconciler".
    """

    def remaining() -> float:
        left: int = context.get_remaining_time_in_millis()
        return left / 1000

    announce(remaining)
    account(time.time(), remaining)
    try:
        report = reconciler.run(audit=event.get("audit") is True, remaining=remaining)
    except (ClientError, BotoCoreError) as error:
        reason = "the index of connectors could not be read; the next minute's run goes on"
        tell(Failed("", "", reason, f"{type(error).__name__}: {error}"))
        # An invocation without an error would be a good one to ReconcilerErrorsAlarm. The stack
        # below says nothing more, and Lambda would log all of it.
        raise error.with_traceback(None) from None
    fields = asdict(report)
    logger.info("reconciler.ran", extra=fields)
    print(metrics.line(settings.queues.stack, {"Drift": (report.drift, "Count")}, time.time()))
    return fields
