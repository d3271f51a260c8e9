"""Where a run's events go to, and what has arrived there."""

from ops.smoke.project import Project, Shown
from ops.smoke.report import Report, SmokeError

TRY_OUT = "the stack's endpoint to try connectors with"


class TryOut:
    """An address of the stack's own endpoint, which shows what arrives and answers as told."""

    def __init__(self, project: Project, made: Shown) -> None:
        """`made` is the API's answer."""
        self.url = made["url"]
        self._project = project
        self._path = "/" + made["name"]

    def answer(self, status: int) -> None:
        """Answer deliveries with 200 or 500 from now on."""
        self._project.call("PATCH", self._path, {"answer": str(status)})

    def deliveries(self, event_id: str) -> list[Shown]:
        """Those of an event so far, the newest first.

        One that was refused has no event id, and counts.
        """
        shown = self._project.call("GET", self._path)["deliveries"]
        return [each for each in shown if each["eventId"] == event_id or each["problem"]]


class Receiver:
    """An endpoint of the deployer's that answers 200. What arrives there only its owner sees."""

    def __init__(self, url: str) -> None:
        self.url = url


Endpoint = TryOut | Receiver


def find_endpoint(project: Project, receiver: str, report: Report) -> Endpoint | None:
    """The stack's own endpoint, unless `receiver` is the URL of one; None when there is neither."""
    if receiver:
        report.add(TRY_OUT, "not reachable", f"events go to {receiver} instead")
        return Receiver(receiver)
    reply = project.api.call("POST", f"{project.path}/tryouts", {})
    if reply.status == 200:
        made = reply.json()
        project.delete_later("the address", "/" + made["name"])
        report.add(TRY_OUT, "yes", "it made an address")
        return TryOut(project, made)
    if reply.status != 404:
        raise SmokeError(f"POST tryouts answered {reply.status}: {reply.beginning()}")
    report.add(
        TRY_OUT,
        "not reachable",
        "the stack has TryOut=false. Deploy it with TryOut=true for a while, or name an "
        "endpoint that answers 200 with RECEIVER=https://...: until then no event can be seen "
        "to arrive, nor a signature, nor a retry",
    )
    return None
