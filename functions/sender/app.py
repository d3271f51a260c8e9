"""A batch of queue messages in, one POST for each event; messages that failed come back later.

It imports botocore alone, without boto3 and a tracer: every cold start pays for what is imported.
"""

from dataconnectors.aws import coldstart

coldstart.begin()

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from aws_lambda_powertools.logging import Logger

from dataconnectors.aws import metrics
from dataconnectors.aws.clients import Clients
from dataconnectors.aws.settings import SenderSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.attempt_log import Entry
from dataconnectors.delivery.dead_letters import DeadLetterQueue
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.outcome_counts import metric_values
from dataconnectors.delivery.received import ReceivedMessage, oldest_age
from dataconnectors.delivery.sender import Sender
from dataconnectors.delivery.visibility import QueueVisibility
from dataconnectors.endpoints.client import EndpointClient, Poster
from dataconnectors.endpoints.dialler import Dialler
from dataconnectors.endpoints.tls import client_context
from dataconnectors.endpoints.transport import Transport
from dataconnectors.kernel.workers import Workers
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.failing import FailingStore
from dataconnectors.store.keys import ATTEMPT_COUNT_SHARDS, ATTEMPT_SHARDS
from dataconnectors.store.table import Table

WORKERS = 10
"""Threads: as many as a batch has messages, so that no POST waits for another."""

settings = SenderSettings.from_env(os.environ)
logger = Logger()
clients = Clients()


def emit(values: metrics.Values) -> None:
    """Write metrics of the stack."""
    print(metrics.line(settings.stack, values, time.time()))


def make_sender(
    transport: Poster,
    workers: Workers,
    *,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> Sender:
    """This stack's sender. Tests choose its transport, threads and clocks."""
    table = Table(clients.get("dynamodb", never_repeated=("UpdateItem",)), settings.table_name)
    connector_rows = ConnectorStore(table, now=now)
    sqs = clients.lazy("sqs")
    (shard,) = os.urandom(1)

    def disable_gone(connector: Connector, reason: str) -> Connector | None:
        from dataconnectors.store.system_disabling import disable_by_system

        return disable_by_system(connector_rows, connector, reason, now())

    def write_attempts(entries: Sequence[Entry]) -> int:
        # Imported here: the first POST of a cold start must not wait for it.
        from dataconnectors.store.attempts import AttemptStore

        return AttemptStore(table, shard % ATTEMPT_SHARDS).write(entries)

    return Sender(
        connectors=connector_rows,
        vault=Vault(clients.lazy("kms"), clock=clock),
        endpoint_client=EndpointClient(
            transport,
            settings.allowed_networks,
            timeout=settings.attempt_timeout,
            acknowledge_any_2xx=settings.acknowledge_any_2xx,
            clock=clock,
            now=now,
        ),
        visibility=QueueVisibility(sqs),
        dead_letters=DeadLetterQueue(sqs, settings.dead_letter_queue_arn),
        expired_events=ExpiredEventStore(table),
        attempt_counters=AttemptCountStore(table, shard % ATTEMPT_COUNT_SHARDS),
        failing_connectors=FailingStore(table),
        workers=workers,
        log=logger,
        log_mode=LogMode(settings.attempt_log.mode),
        log_one_in=settings.attempt_log.one_in,
        write_attempts=write_attempts,
        report_attempts=lambda outcomes, waits: emit(metric_values(outcomes, waits)),
        report_expired=lambda count: emit({"Expired": (count, "Count")}),
        disable_gone=disable_gone if settings.disable_on_gone else None,
        clock=clock,
        now=now,
    )


sender = make_sender(
    Transport(
        client_context(settings.trusted_authorities_file), Dialler(settings.allowed_networks)
    ),
    Workers(WORKERS),
)

coldstart.end()


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send a batch, and name the messages that stay in the queue.

    Lambda takes an empty list for success. It takes a misspelt key or an unknown id for a failure
    of the whole batch.
    """
    messages = [ReceivedMessage.from_event(record) for record in event["Records"]]
    emit({"OldestMessageAge": (oldest_age(messages, time.time()), "Seconds")})
    remaining = sender.send(messages, context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in remaining]}
