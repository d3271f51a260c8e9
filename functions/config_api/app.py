"""The config API: connectors, devices, projects and tokens over REST.

Serves every route of the HTTP API that is not ingest's, unknown ones included.
"""

import os
import time
from functools import partial
from typing import Any
from urllib.parse import quote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from dataconnectors import gateway
from dataconnectors.access import Access
from dataconnectors.api import connectors, devices, errors, projects, tokens
from dataconnectors.aws import Clients
from dataconnectors.destinations import check_url
from dataconnectors.provisioning import Provisioner
from dataconnectors.settings import ApiSettings
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.projects import ProjectStore
from dataconnectors.store.table import Table
from dataconnectors.vault import Vault

settings = ApiSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
connector_rows = ConnectorStore(table)
vault = Vault(clients.get("kms"), settings.kms_key_arn)
access = Access(AccountStore(table), vault, entropy=os.urandom)
connector_service = connectors.Connectors(
    connector_rows,
    vault,
    Provisioner(clients.get("sqs"), clients.get("lambda"), connector_rows, settings.queues),
    partial(check_url, allowed=settings.allowed_networks),
    entropy=os.urandom,
    now=time.time,
)

app = APIGatewayHttpResolver()
errors.install(app, logger)
app.include_router(tokens.routes(access))
app.include_router(projects.routes(ProjectStore(table), access))
app.include_router(connectors.routes(connector_service, access))
app.include_router(devices.routes(DeviceStore(table), access, entropy=os.urandom, now=time.time))
app.include_router(errors.routes())


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Serve a request; every answer is JSON, errors too."""
    # `//` comes from a base URL with a trailing slash, `%3A` from clients that encode a verb's
    # colon: routes are matched on the plain path.
    path = "/".join(quote(segment, safe=":@-._~") for segment in gateway.segments(event) if segment)
    return app.resolve({**event, "rawPath": f"/{path}"}, context)
