"""Does the repairs of a run one after another, so that a failed one does not stop the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.control_plane import CallError, NotYetError
from dataconnectors.provisioning.reports import NotRepaired, OnResult, Repaired, Report


@dataclass(frozen=True, slots=True)
class Repair:
    """One connector to put right, or one orphan to delete; an orphan's `connector` is "".

    `run` raises the errors of `Provisioner.converge`.
    """

    connector: str
    queue_id: str
    run: Callable[[], None]


class RepairRunner:
    """Runs repairs, counts them in `report` and calls `on_result` for each."""

    def __init__(self, report: Report, on_result: OnResult) -> None:
        self.report = report
        self._on_result = on_result

    def run(self, repairs: Sequence[Repair]) -> None:
        """Run each repair.

        Raises `CallError` when AWS throttles the account and `OutOfTimeError` when time is short:
        both stop the run, because no other repair would fare better.
        """
        self.report.not_done += len(repairs)
        for repair in repairs:
            try:
                repair.run()
            except NotYetError:
                self.report.waiting += 1
            except CallError as error:
                if error.throttled:
                    raise
                self.record_failure(error, repair.connector, repair.queue_id)
            except (ControlPlaneError, ClientError, BotoCoreError) as error:
                self.record_failure(error, repair.connector, repair.queue_id)
            self.report.not_done -= 1

    def record_repair(self, connector: str, queue_id: str, change: str, *, drift: bool) -> None:
        """Report one change, or one finished connector."""
        self.report.drift += drift
        self._on_result(Repaired(connector, queue_id, change, drift))

    def record_failure(self, error: Exception, connector: str = "", queue_id: str = "") -> None:
        """Report what failed. Without names it was a listing."""
        self.report.not_repaired += 1
        detail = str(error.__cause__ or "")
        self._on_result(NotRepaired(connector, queue_id, str(error), detail))
