"""Makes administrators for the deployer, who invokes it directly: IAM alone guards it."""

import os
import time
from typing import Any

from aws_lambda_powertools.logging import Logger

from dataconnectors.aws.clients import Clients
from dataconnectors.aws.settings import AdminSettings
from dataconnectors.aws.vault import Vault
from dataconnectors.identity.bootstrap import Bootstrap
from dataconnectors.store.bootstrap import BootstrapStore
from dataconnectors.store.table import Table

settings = AdminSettings.from_env(os.environ)
logger = Logger()
clients = Clients()
table = Table(clients.get("dynamodb"), settings.table_name)
bootstrap = Bootstrap(
    BootstrapStore(table),
    Vault(clients.get("kms"), settings.kms_key_arn),
    entropy=os.urandom,
    now=time.time,
)


def lambda_handler(event: Any, _context: object) -> dict[str, Any]:
    """Make an administrator. The answer holds the secret, which is never logged or shown again."""
    administrator = bootstrap.make_administrator(event)
    logger.info(
        "administrator.created",
        extra={
            "project": administrator["project"],
            "email": administrator["serviceAccount"]["email"],
        },
    )
    return administrator
