"""The connector that a run makes, and what the API says of its events."""

import itertools
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from client.http import CallError
from ops.smoke.project import Project, Shown
from ops.smoke.report import Report, SmokeError
from ops.smoke.timer import ARRIVAL_S, Timer

SECRET_BYTES = 32
"""RFC 7518, section 3.2: HS256, which signs deliveries, takes a key of 32 bytes or more."""

CONNECTOR = "the connector"


class Connector:
    """A connector, and a device whose events it delivers."""

    def __init__(self, project: Project, path: str, device: str, secret: str, timer: Timer) -> None:
        """`path` is the connector's below `/v2`, `device` a name; `secret` signs deliveries."""
        self.path = path
        self.secret = secret
        self._project = project
        self._device = device
        self._timer = timer
        self._temperatures = itertools.count(21)

    @classmethod
    def make(cls, project: Project, url: str, timer: Timer, report: Report) -> "Connector":
        """A new one that delivers to `url`; records that the API has made it as it was told."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        config = {"url": url, "signatureSecret": secret, "headers": {}}
        body = {"type": "HTTP_PUSH", "displayName": "Smoke test", "httpConfig": config}
        # One whose queue is not ready yet is answered with 503, and is there all the same.
        project.delete_later_by(CONNECTOR, lambda: _delete_connectors(project))
        made = project.call("POST", f"{project.path}/dataconnectors", body)
        device = project.call(
            "POST", f"{project.path}/devices", {"type": "temperature", "labels": {"name": "Smoke"}}
        )["name"]
        project.delete_later("the device", f"/{device}")
        same = made["httpConfig"]["signatureSecret"] == secret
        details = made["name"] if same else "the answer has another signature secret"
        report.judge("a connector is made", same and made["status"] == "ACTIVE", details)
        return cls(project, "/" + made["name"], device, secret, timer)

    def publish(self) -> tuple[str, float]:
        """Publish an event; its id, and when the call began, in epoch seconds."""
        event_id = f"smoke-{secrets.token_hex(8)}"
        began = time.time()
        event = {
            "eventId": event_id,
            "targetName": self._device,
            "eventType": "temperature",
            "data": {"temperature": {"value": float(next(self._temperatures))}},
            "timestamp": datetime.fromtimestamp(began).astimezone().isoformat(),
        }
        answer = self._project.call("POST", f"{self._project.path}/events", {"events": [event]})
        if answer["accepted"] != 1:
            raise SmokeError(f"the event was not accepted: {answer}")
        return event_id, began

    def attempts(self, event_id: str) -> list[Shown]:
        """The attempts of an event so far. New connectors are logged whole."""
        query = f"?eventId={event_id}"
        listed: list[Shown] = self._project.call("GET", f"{self.path}/attempts{query}")["attempts"]
        return listed

    def first_attempt(self, event_id: str) -> Shown:
        """The first attempt of an event, as soon as it is logged."""
        found = self.wait(lambda: self.attempts(event_id), 1, f"attempt 1 of the event {event_id}")
        return next(each for each in found if each["attempt"] == 1)

    def wait(self, look: Callable[[], list[Shown]], wanted: int, what: str) -> list[Shown]:
        """What `look` sees when there are as many as wanted.

        Raises `SmokeError` when `what` does not come in time.
        """
        found = self._timer.wait(look, lambda seen: len(seen) >= wanted)
        if len(found) < wanted:
            raise SmokeError(f"no {what} within {ARRIVAL_S:g} s: {self._why()}")
        return found

    def disable(self) -> None:
        """Have it deliver nothing."""
        self._project.call("PATCH", self.path, {"status": "USER_DISABLED"})

    def delete(self) -> int:
        """Delete it; the status of the answer to a GET afterwards."""
        self._project.call("DELETE", self.path)
        self._project.deleted(CONNECTOR)
        return self._project.api.call("GET", self.path).status

    def _why(self) -> str:
        """What the API says about a connector whose events do not arrive."""
        try:
            health = self._project.call("GET", f"{self.path}:health")
        except (CallError, SmokeError) as error:
            return f"and its health is not known ({error})"
        last = health["lastError"] or {}
        return f"its state is {health['state']}, its last error: {last.get('message', 'none')}"


def _delete_connectors(project: Project) -> None:
    for each in project.api.expect("GET", f"{project.path}/dataconnectors")["dataConnectors"]:
        project.api.expect("DELETE", "/" + each["name"])
