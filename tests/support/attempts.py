"""Attempts in the log of the table that moto keeps."""

import time

from dataconnectors.store import keys
from dataconnectors.store.attempts import AttemptStore
from functions.config_api import app as config_api
from tests.support.rows import an_attempt


def save_attempt(connector: str) -> str:
    """Write down an attempt of the connector with this resource name; returns the attempt's id."""
    started_at = time.time()
    AttemptStore(config_api.table).write([an_attempt(connector, started_at)])
    return f"e0-{keys.micros(started_at):016d}"
