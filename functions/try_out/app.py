"""The endpoint to try connectors with: POST /try/{name}, if the stack has TryOut.

It plays a customer's receiver for one connector, and keeps the last deliveries for an hour, which
the config API shows to those who may change the connector.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws import gateway
from dataconnectors.aws.clients import Clients
from dataconnectors.aws.settings import TryOutSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.kernel.errors import (
    NotFoundError,
    RequestError,
    TooLargeError,
    UnavailableError,
    VaultError,
)
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.table import Table
from dataconnectors.store.tryouts import TryOutStore
from dataconnectors.tryouts.inspection import MAXIMUM_BODY, answer_of, inspect, kept, senders
from dataconnectors.tryouts.try_out import parse_path_name

settings = TryOutSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
connector_rows = ConnectorStore(table)
try_out_rows = TryOutStore(table)
vault = Vault(clients.get("kms"))


def take(event: dict[str, Any], now: float, sleep: Callable[[float], None]) -> dict[str, Any]:
    """Take one POST: judge it, keep what may be kept, and answer as the try-out is set to."""
    body = gateway.body(event)
    if len(body) > MAXIMUM_BODY:
        raise TooLargeError(f"body: {len(body)} bytes, at most {MAXIMUM_BODY}")
    name = gateway.segments(event)[-1]
    project, try_out_id = parse_path_name(name)
    counted = try_out_rows.count_delivery(project, try_out_id) if project else None
    if counted is None:
        raise NotFoundError("there is no such address: it was never made, or was deleted")
    try_out, number = counted
    from_connectors = senders(try_out, connector_rows.connectors(project), now)
    if not from_connectors:
        raise NotFoundError("no connector delivers to this address, or its time is over")
    headers = gateway.headers(event)
    verdict = inspect(from_connectors, vault, headers, body, now)
    answered = answer_of(verdict, try_out.answer, settings.attempt_timeout)
    try_out_rows.keep(try_out_id, number, kept(verdict, headers, body, answered, now))
    status, seconds = answered
    if seconds:
        sleep(seconds)
    fields = {"connector": verdict.connector, "status": status, "problem": verdict.problem}
    logger.info("tryout.delivered", extra=fields)
    if status == 200:
        return gateway.answer(status, {})
    reason = verdict.problem or "this address answers 500, as it was asked to"
    return gateway.answer(status, gateway.error_content(status, reason))


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Serve one delivery. Errors are answered as JSON too."""
    try:
        return take(event, time.time(), time.sleep)
    except RequestError as error:
        return gateway.error_answer(error)
    except (ClientError, BotoCoreError, VaultError) as error:
        fields = {"error": f"{type(error).__name__}: {error}"}
        logger.error("tryout.dependency_failed", extra=fields)
        return gateway.error_answer(UnavailableError("the service is busy: send it again"))
