"""Runs every minute: repairs queues and mappings, tells of expired events and of outages, accounts
for queues, goes on with replays.

The rules are in `dataconnectors.provisioning.reconciler`, `dataconnectors.expiry.announcements`,
`dataconnectors.notices.watcher`, `dataconnectors.expiry.accounting` and
`dataconnectors.replay.waiting_runs`.

An operator may send `{"audit": true}`: the run then includes the drift check, which otherwise comes
every quarter of an hour. The answer is the run's report.
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
from dataconnectors.aws.event_bus import EventBus
from dataconnectors.aws.settings import ReconcilerSettings
from dataconnectors.expiry.accounting import Accountant
from dataconnectors.expiry.announcements import Announcer
from dataconnectors.notices.watcher import Watcher
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.reconciler import Reconciler
from dataconnectors.provisioning.reports import NotRepaired, Repaired
from dataconnectors.replay.waiting_runs import WaitingRuns
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.failing_list import FailingList
from dataconnectors.store.replays import ReplayStore
from dataconnectors.store.table import Table

DRIFT_CHECK_KEY = "audit"
"""The key of the operator's payload, which asks for the drift check with `true`."""

ACCOUNTING_RESERVE = 30.0
"""Seconds that the accounting leaves for repairs. It makes one call for a hundred connectors."""

settings = ReconcilerSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
sns = clients.lazy("sns")
# botocore must not repeat these calls: a count would be reduced twice, or an announcement sent
# twice. See `Announcer`.
table = Table(clients.get("dynamodb", never_repeated=("UpdateItem",)), settings.table_name)
connector_rows = ConnectorStore(table)
expired_events = ExpiredEventStore(table)
bus = EventBus(clients.get("events", never_repeated=("PutEvents",)), settings.queues.stack)
announcer = Announcer(bus, expired_events)
accountant = Accountant(
    clients.get("cloudwatch"),
    connector_rows,
    expired_events,
    Blueprint(settings.queues).queue_name,
)
functions = clients.get("lambda")
waiting_replays = WaitingRuns(
    ReplayStore(table), functions, settings.replays.function, settings.replays.concurrency
)


def log_result(result: Repaired | NotRepaired) -> None:
    """Log one line for each thing that was repaired, or could not be."""
    match result:
        case Repaired():
            logger.info("reconciler.repaired", extra=asdict(result))
        case NotRepaired():
            logger.error("reconciler.not_repaired", extra=asdict(result))


def announce_expired_events(remaining: Callable[[], float]) -> None:
    """Send the announcements that are due to EventBridge, and log how many."""
    report = announcer.announce(time.time(), remaining)
    if report.error:
        logger.error("expired.not_announced", extra=asdict(report))
    elif report.connectors:
        logger.info("expired.announced", extra=asdict(report))


def publish(subject: str, sentence: str) -> None:
    """Send a sentence to the stack's SNS topic, if it has one.

    It is sent once. A topic that is gone must not have the same notice sent again each minute, and
    EventBridge has it anyway.
    """
    if not settings.notice_topic:
        return
    try:
        sns.publish(TopicArn=settings.notice_topic, Subject=subject, Message=sentence)
    except (ClientError, BotoCoreError) as error:
        extra = {"topic": settings.notice_topic, "error": f"{type(error).__name__}: {error}"}
        logger.error("notice.not_published", extra=extra)


watcher = Watcher(FailingList(table, connector_rows), bus, publish, settings.disable_after_days)


def watch_failing_connectors(remaining: Callable[[], float]) -> None:
    """Tell of outages, and disable connectors that have not worked for days."""
    report = watcher.run(time.time(), remaining)
    if report.error:
        logger.error("connectors.not_watched", extra=asdict(report))
    elif report.watched:
        logger.info("connectors.watched", extra=asdict(report))


def account_for_queues(now: float, remaining: Callable[[], float]) -> None:
    """Once an hour, log and count the events that SQS has deleted without the sender seeing them.

    `now` is in epoch seconds.
    """
    report = accountant.run(now, lambda: remaining() > ACCOUNTING_RESERVE)
    if report is None:
        return
    log = logger.error if report.unaccounted or report.error else logger.info
    log("queues.accounted", extra=asdict(report))
    values = {"Unaccounted": (report.unaccounted, "Count")}
    print(metrics.line(settings.queues.stack, values, time.time()))


def start_waiting_replays() -> None:
    """Start a run for each replay that nobody works on, and log how many."""
    report = waiting_replays.start(time.time())
    if report.error:
        logger.error("replay.not_started", extra=asdict(report))
    elif report.started or report.waiting:
        logger.info("replay.started", extra=asdict(report))


def make_reconciler(**clocks: Any) -> Reconciler:
    """The reconciler of this stack. Tests pass `clocks` to replace real time."""
    return Reconciler(
        clients.get("sqs"),
        functions,
        connector_rows,
        settings.queues,
        on_result=log_result,
        **clocks,
    )


reconciler = make_reconciler()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do what the invocation's time allows; the next invocation goes on.

    Repairs come last: they may take all the time that is left, while the rest takes a moment. The
    metric is sent at zero too, so that an alarm can tell "no drift" from "no reconciler".
    """

    def remaining() -> float:
        milliseconds: int = context.get_remaining_time_in_millis()
        return milliseconds / 1000

    announce_expired_events(remaining)
    watch_failing_connectors(remaining)
    account_for_queues(time.time(), remaining)
    start_waiting_replays()
    try:
        report = reconciler.run(drift_check=event.get(DRIFT_CHECK_KEY) is True, remaining=remaining)
    except (ClientError, BotoCoreError) as error:
        reason = "the index of connectors could not be read; the next minute's run goes on"
        log_result(NotRepaired("", "", reason, f"{type(error).__name__}: {error}"))
        # The invocation has to fail, or ReconcilerErrorsAlarm would count a good one. Lambda logs
        # the whole stack trace, so the part below this function, which says nothing more, is cut.
        raise error.with_traceback(None) from None
    fields = asdict(report)
    logger.info("reconciler.ran", extra=fields)
    print(metrics.line(settings.queues.stack, {"Drift": (report.drift, "Count")}, time.time()))
    return fields
