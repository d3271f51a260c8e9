"""The config API: connectors, devices, projects and tokens over REST.

Serves every route of the HTTP API that is not ingest's, unknown ones included.
"""

from dataconnectors.aws import coldstart

coldstart.begin()

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayHttpResolver
from aws_lambda_powertools.logging import Logger
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.api import (
    audit,
    errors,
    expired,
    history,
    organizations,
    reference,
    roles,
    tokens,
)
from dataconnectors.aws import gateway
from dataconnectors.aws.clients import MAXIMUM_CONNECTIONS, Clients
from dataconnectors.aws.settings import ApiSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.endpoints.addresses import check_url
from dataconnectors.identity.access import Access
from dataconnectors.identity.throttle import Throttle
from dataconnectors.kernel.errors import DataConnectorsError
from dataconnectors.services import (
    connectors,
    devices,
    labels,
    members,
    projects,
    serviceaccounts,
    sync,
)
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.audit import AuditStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.expired_events import ExpiredEventStore
from dataconnectors.store.history import HistoryStore
from dataconnectors.store.members import MemberStore
from dataconnectors.store.plain_json import use_plain_json
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.request_counts import RequestStore
from dataconnectors.store.table import Table

settings = ApiSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(use_plain_json(clients.get("dynamodb")), settings.table_name)
functions = clients.lazy("lambda")
sqs = clients.lazy("sqs")
connector_rows = ConnectorStore(table)
project_rows = ProjectStore(table)
device_rows = DeviceStore(table)
pool = ThreadPoolExecutor(MAXIMUM_CONNECTIONS)
device_service = devices.Devices(device_rows, project_rows, pool)
vault = Vault(clients.get("kms"), settings.kms_key_arn)
account_rows = AccountStore(table)
member_rows = MemberStore(table)
access = Access(account_rows, vault, entropy=os.urandom, audiences=settings.token_audiences)
member_service = members.Members(member_rows, account_rows)
account_service = serviceaccounts.ServiceAccounts(
    account_rows, member_service, vault, entropy=os.urandom
)
project_service = projects.Projects(
    project_rows,
    connector_rows,
    account_rows,
    member_rows,
    member_service,
    access,
    entropy=os.urandom,
)


def provision(connector: Connector, sleep: Callable[[float], None] = time.sleep) -> Connector:
    """Make a connector's queue and mapping. Few cold starts are there to create one: what does so
    is imported here, a twentieth of them."""
    from dataconnectors.provisioning.provisioner import Provisioner

    queues = Provisioner(sqs, functions, connector_rows, settings.queues, time.monotonic, sleep)
    return queues.provision(connector)


connector_service = connectors.Connectors(
    connector_rows,
    vault,
    provision,
    partial(check_url, allowed=settings.allowed_networks),
    AttemptCountStore(table),
    entropy=os.urandom,
    now=time.time,
)

app = APIGatewayHttpResolver()
errors.install(app, logger)
app.include_router(tokens.routes(access))
app.include_router(projects.routes(project_service, access))
app.include_router(members.project_routes(member_service, access))
app.include_router(members.organization_routes(member_service, access))
app.include_router(organizations.routes(access))
app.include_router(roles.routes(access))
app.include_router(serviceaccounts.routes(account_service, account_rows, access))
app.include_router(audit.routes(AuditStore(table), access))
app.include_router(
    sync.routes(sync.SyncStarter(connector_rows, functions, settings.sync_function), access)
)
app.include_router(connectors.routes(connector_service, access))
app.include_router(expired.routes(ExpiredEventStore(table), connector_rows, access, time.time))
app.include_router(
    devices.routes(
        device_service,
        access,
        project_service.all_visible_ids,
        entropy=os.urandom,
        now=time.time,
    )
)
app.include_router(labels.routes(labels.DeviceLabels(device_rows, pool, now=time.time), access))
app.include_router(history.routes(HistoryStore(table), device_rows, access, time.time))
app.include_router(errors.routes())
app.include_router(reference.routes())
throttle = Throttle(RequestStore(table), settings.request_limit, logger, now=time.time)

coldstart.end()


def key_of(event: Mapping[str, Any]) -> str:
    """The id of the key that a request is made with; "" when it is refused, or when that cannot be
    told now: the routes answer both, and say why."""
    try:
        return access.caller(gateway.headers(event)).key.id
    except (DataConnectorsError, ClientError, BotoCoreError):
        return ""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve a request; every answer is JSON, errors too."""
    plain = gateway.plain(event)
    return throttle.serve(plain, key_of, lambda: app.resolve(plain, context))
