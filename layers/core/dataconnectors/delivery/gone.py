"""Endpoints that answer 410 Gone: their connectors are disabled, if the deployer wants that."""

from collections.abc import Callable, Sequence
from functools import partial

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.deadlines import Clocks
from dataconnectors.delivery.results import Result
from dataconnectors.kernel.log import Log
from dataconnectors.kernel.workers import Workers, failure_of

GONE = 410
"""RFC 9110, section 15.5.11: the resource is gone, and likely for good. Its owner wants no more."""

REASON = "the endpoint answered 410 Gone"

Disable = Callable[[Connector, str], Connector | None]
"""Disables a connector, whose row is given as the attempt found it, for a reason. None when the row
has changed since, or was disabled already."""


class GoneEndpoints:
    """Disables connectors by `disable`."""

    def __init__(self, disable: Disable, workers: Workers, log: Log, clocks: Clocks) -> None:
        self._disable = disable
        self._workers = workers
        self._log = log
        self._clocks = clocks

    def apply(self, results: Sequence[Result], until: float) -> None:
        """Disable the connectors whose endpoints are gone, by `until`.

        Their events have their wait like any that failed. When SQS hands them out again, the sender
        drops them, or sends them if the connector was not disabled: then the next 410 does that.
        """
        gone = {result.gone.name: result.gone for result in results if result.gone is not None}
        if not gone:
            return
        calls = [partial(self._disable, row, REASON) for row in gone.values()]
        futures = self._workers.run(calls, until - self._clocks.monotonic())
        for name, future in zip(gone, futures, strict=True):
            error = failure_of(future)
            if error:
                extra = {"connector": name, "error": error}
                self._log.error("connector.not_disabled", extra=extra)
            elif future.result() is not None:
                extra = {"connector": name, "reason": REASON}
                self._log.info("connector.system_disabled", extra=extra)
