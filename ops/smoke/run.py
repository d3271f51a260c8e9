"""One run: the checks in their order, the end of what was made, and the verdict."""

from botocore.exceptions import BotoCoreError, ClientError

from client.http import CallError, Http
from ops.smoke.access import check_account, check_callers, check_forged_token
from ops.smoke.alarms import check_alarms
from ops.smoke.connector import Connector
from ops.smoke.deliveries import (
    ARRIVES,
    check_deleted,
    check_disabled,
    check_first_event,
    check_retries,
)
from ops.smoke.endpoint import TryOut, find_endpoint
from ops.smoke.iam import check_roles
from ops.smoke.lambdas import check_cold_starts, check_mapping, check_may_run, mappings
from ops.smoke.project import Project
from ops.smoke.report import Report, SmokeError, one_line
from ops.smoke.target import Target
from ops.smoke.timer import Timer
from ops.smoke.untested import list_untested
from ops.stacks import StackError

THE_RUN = "the run"
"""The check that has failed when an error or a person has ended the others."""


class Run:
    """One run. `left` is what could not be deleted, and why."""

    def __init__(self, target: Target, receiver: str, report: Report, timer: Timer) -> None:
        """`receiver` is the URL of an endpoint that answers 200; "" uses the stack's own."""
        self.left: list[str] = []
        self._target = target
        self._receiver = receiver
        self._report = report
        self._timer = timer
        self._project: Project | None = None

    def run(self) -> int:
        """Make all checks and clean up; the exit status."""
        try:
            self._check()
        except (SmokeError, CallError, StackError, BotoCoreError, ClientError) as error:
            self._report.add(THE_RUN, "no", one_line(error))
        except (LookupError, TypeError, ValueError) as error:
            self._report.add(THE_RUN, "no", f"could not make sense of an answer: {error!r}")
        except KeyboardInterrupt:
            self._report.add(THE_RUN, "no", "interrupted")
        finally:
            self._clean_up()
        list_untested(self._target, self._report)
        return self._verdict()

    def _check(self) -> None:
        target, report, timer, http = self._target, self._report, self._timer, Http()
        if not check_may_run(target, report):
            return
        self._project = project = Project.make(target, http, timer)
        check_account(project, report)
        check_callers(target, http, project, report)
        check_forged_token(target, http, report)
        endpoint = find_endpoint(project, self._receiver, report)
        check_roles(target, report)
        check_alarms(target, report)
        if endpoint is None:
            return
        before = mappings(target)
        connector = Connector.make(project, endpoint.url, timer, report)
        check_mapping(target, before, timer, report)
        check_first_event(connector, endpoint, report)
        if isinstance(endpoint, TryOut):
            check_retries(connector, endpoint, report)
        check_disabled(connector, endpoint, timer, report)
        check_deleted(connector, report)
        check_cold_starts(target, report)

    def _clean_up(self) -> None:
        """Delete what was made, whatever has happened."""
        if self._project is None:
            return
        self.left = self._project.delete()
        details = f"left: {'; '.join(self.left)}" if self.left else ""
        self._report.judge("everything is cleaned up", not self.left, details)

    def _verdict(self) -> int:
        """Say how the run has ended; the exit status."""
        report, name, seconds = self._report, self._target.name, f"{self._timer.elapsed:.0f} s"
        if report.failed:
            report.say(f"smoke: {name} FAILED in {seconds}: {'; '.join(report.failed)}")
            return 1
        if report.known(ARRIVES) != "yes":
            report.say(f"smoke: {name} in {seconds}, without seeing an event")
            return 2
        report.say(f"smoke: {name} works ({seconds})")
        return 0
