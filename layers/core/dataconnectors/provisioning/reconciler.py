"""Brings queues and mappings in line with the connectors' rows, on a schedule.

A process may die half-way, and somebody may change a queue by hand: the next runs repair it. Each
run finishes the connectors that are half made or half deleted. Every quarter of an hour a run also
makes the drift check, which compares all connectors with all queues and mappings.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.control_plane import CallError, ControlPlane
from dataconnectors.provisioning.drift_check import DriftCheck
from dataconnectors.provisioning.provisioner import Provisioner
from dataconnectors.provisioning.rate_limit import OutOfTimeError, RateLimit
from dataconnectors.provisioning.repairs import RepairRunner
from dataconnectors.provisioning.reports import OnResult, Report
from dataconnectors.provisioning.rows import ConnectorRows
from dataconnectors.provisioning.unfinished import UnfinishedConnectors

DRIFT_CHECK_MINUTES = 15
"""Minutes between drift checks. One lists everything, which takes some of Lambda's small allowance
of calls and a read of the whole index."""


class Reconciler:
    """Makes one run after another. Two runs at once do no harm.

    `now` gives epoch seconds; `clock` and `sleep` are in seconds. `shuffle` puts the repairs of a
    run in a random order.
    """

    def __init__(
        self,
        sqs: Any,
        lambda_client: Any,
        rows: ConnectorRows,
        settings: QueueSettings,
        *,
        on_result: OnResult,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        shuffle: Callable[[list[Any]], None] = random.shuffle,
    ) -> None:
        self._sqs = sqs
        self._lambda = lambda_client
        self._rows = rows
        self._blueprint = Blueprint(settings)
        self._on_result = on_result
        self._clock = clock
        self._sleep = sleep
        self._now = now
        self._shuffle = shuffle
        self._drift_check_unfinished = False

    def run(self, *, drift_check: bool, remaining: Callable[[], float]) -> Report:
        """Repair what can be repaired while `remaining()` gives enough seconds.

        The run includes the drift check when `drift_check` is True, every `DRIFT_CHECK_MINUTES` by
        the clock, and when this process's last drift check left something to do. Raises botocore's
        errors when the index of connectors cannot be read.
        """
        minute = self._now() // 60
        drift_check = (
            drift_check or self._drift_check_unfinished or minute % DRIFT_CHECK_MINUTES == 0
        )
        report = Report(drift_check)
        rate_limit = RateLimit(remaining, clock=self._clock, sleep=self._sleep)
        self._repair(report, rate_limit)
        report.calls = rate_limit.calls
        if drift_check:
            # What is left over, or waits for AWS, is done in the next minute and not in a quarter
            # of an hour.
            self._drift_check_unfinished = not report.finished or report.drift_check_waiting > 0
        return report

    def _repair(self, report: Report, rate_limit: RateLimit) -> None:
        """Finish the unfinished connectors, then check for drift, as far as time and AWS allow."""
        runner = RepairRunner(report, self._on_result)
        provisioner = Provisioner(
            self._sqs,
            self._lambda,
            self._rows,
            self._blueprint.settings,
            self._clock,
            self._sleep,
            rate_limit,
        )
        unfinished = UnfinishedConnectors(
            self._rows, provisioner, runner, now=self._now, shuffle=self._shuffle
        )
        drift_check = DriftCheck(
            self._rows,
            self._blueprint,
            ControlPlane(self._sqs, self._lambda, self._blueprint, rate_limit),
            provisioner,
            runner,
            now=self._now,
            shuffle=self._shuffle,
        )
        try:
            unfinished.finish()
            if report.drift_check:
                waiting = report.waiting
                drift_check.run()
                report.drift_check_waiting = report.waiting - waiting
        except OutOfTimeError:
            report.finished = False
        except ControlPlaneError as error:
            report.finished = False
            report.throttled = isinstance(error, CallError) and error.throttled
            if not report.throttled:  # A listing was refused.
                runner.record_failure(error)
