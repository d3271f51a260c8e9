"""Reads the connectors of a batch, each with its opened secrets, as often as freshness demands."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Literal, NamedTuple, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors.connector import Connector
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets, open_secrets
from dataconnectors.delivery.freshness import FreshRead
from dataconnectors.delivery.results import Verdict
from dataconnectors.kernel.errors import StaleError, UnknownConnectorError, VaultError
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers

UNREADABLE = (VaultError, StaleError, UnknownConnectorError, ClientError, BotoCoreError)
"""Why a connector, or its secret, may not be readable for now."""


class Connectors(Protocol):
    """What delivery needs of `store.connectors.ConnectorStore`."""

    def connector(self, name: str) -> Connector | None:
        """The connector's row, strongly consistent; None when there is none."""

    def was_removed(self, name: str) -> bool:
        """Whether the connector was removed in the last 13 hours."""


class ReadConnector(NamedTuple):
    """A connector's row and its opened secrets, as one read found them."""

    connector: Connector
    secrets: Secrets


ConnectorRead = FreshRead[ReadConnector | None]
"""Gives the connector as it is now, or None when it was removed."""

Found = ReadConnector | Literal[Verdict.DROPPED, Verdict.POSTPONED, Verdict.UNDELIVERABLE]


class ConnectorReader:
    """Reads connectors in parallel. `clock` is the monotonic one."""

    def __init__(
        self,
        connectors: Connectors,
        vault: Vault,
        workers: Workers,
        log: Log,
        clock: Callable[[], float],
    ) -> None:
        self._connectors = connectors
        self._vault = vault
        self._workers = workers
        self._log = log
        self._clock = clock

    def read(self, names: Iterable[str], until: float) -> Mapping[str, tuple[ConnectorRead, Found]]:
        """By connector name: how to read it again, and what the first read found.

        A connector that cannot be used gives the verdict of its messages instead. Ends by `until`,
        in seconds of the monotonic clock.
        """
        reads = {
            name: ConnectorRead(partial(self._read_one, name), clock=self._clock)
            for name in dict.fromkeys(names)
        }
        futures = self._workers.run(
            [partial(read.get, until) for read in reads.values()], until - self._clock()
        )
        return {
            name: (read, self._found(name, future))
            for (name, read), future in zip(reads.items(), futures, strict=True)
        }

    def _read_one(self, name: str) -> ReadConnector | None:
        connector = self._connectors.connector(name)
        if connector is None:
            # The tombstone is read after the row: one transaction replaces the row by it.
            if self._connectors.was_removed(name):
                return None
            raise UnknownConnectorError(f"{name:.200} was never there")
        # A connector that sends nothing needs no secrets: its messages are dropped even when KMS
        # does not answer.
        if not connector.is_active:
            return ReadConnector(connector, NO_SECRETS)
        return ReadConnector(connector, open_secrets(connector, self._vault))

    def _found(self, name: str, read: "Future[ReadConnector | None]") -> Found:
        """What a read found. Without its secret nothing is sent: an unsigned event is worse than a
        late one."""
        if not read.done() or read.cancelled():
            reason = "no answer in time"
        else:
            try:
                return read.result() or Verdict.DROPPED
            except UnknownConnectorError:
                return Verdict.UNDELIVERABLE
            except UNREADABLE as error:
                reason = reason_of(error)
        self._log.error("delivery.postponed", extra={"connector": name, "error": reason})
        return Verdict.POSTPONED


def reason_of(error: Exception) -> str:
    """What to log: our own errors say what happened, AWS's need their class."""
    if isinstance(error, VaultError | StaleError):
        return str(error)
    return f"{type(error).__name__}: {error}"
