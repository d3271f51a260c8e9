"""The project that a run makes for itself, and deletes with everything in it."""

from collections.abc import Callable, Mapping
from typing import Any

from client.api import Api
from client.http import CallError, Http
from ops.admin import make_administrator
from ops.smoke.target import Target
from ops.smoke.timer import Timer

Shown = Mapping[str, Any]
"""Something as the API shows it, such as a delivery."""


class Project:
    """A project, as its administrator sees it.

    `path` is its own below `/v2`, with a slash. Calls over `api` may come at any time, those over
    `call` only in the time that a run may take.
    """

    def __init__(self, path: str, api: Api, timer: Timer) -> None:
        """The project exists already, and is the last thing to be deleted."""
        self.path = path
        self.api = api
        self._timer = timer
        self._deletions: list[tuple[str, Callable[[], object]]] = []
        self.delete_later("the project", path)

    @classmethod
    def make(cls, target: Target, http: Http, timer: Timer) -> "Project":
        """A new one, by the stack's admin function."""
        made = make_administrator(target.session, target.name, "Smoke test")
        api = Api(http, target.api, target.token, made["serviceAccount"])
        return cls(f"/projects/{made['project']}", api, timer)

    def call(self, method: str, path: str, value: object = None) -> Any:
        """The JSON of an answer with status 200; raises `SmokeError` when the run's time is up."""
        self._timer.raise_when_over()
        return self.api.expect(method, path, value)

    def delete_later(self, what: str, path: str) -> None:
        """Have `delete` call DELETE. `what` is the thing's name in the report."""
        self.delete_later_by(what, lambda: self.api.expect("DELETE", path))

    def delete_later_by(self, what: str, deletion: Callable[[], object]) -> None:
        """Have `delete` call something that raises `CallError` when it fails."""
        self._deletions.append((what, deletion))

    def deleted(self, what: str) -> None:
        """Leave out what is deleted already."""
        self._deletions = [each for each in self._deletions if each[0] != what]

    def delete(self) -> list[str]:
        """Delete what was made, in the opposite order; what is left, and why."""
        left = []
        for what, deletion in reversed(self._deletions):
            try:
                deletion()
            except CallError as error:
                left.append(f"{what} ({error})")
        return left
