"""Customers, who create, change, disable and delete connectors while events are on their way."""

import json
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from dataconnectors.connectors.idempotency import REMEMBERED_SECONDS
from dataconnectors.kernel.times import to_text
from tests.faults.accounts import CUSTOMERS_FIELDS, Account, Change
from tests.faults.process import KilledError
from tests.faults.publishers import TYPES, Project
from tests.faults.replays import LONGEST
from tests.support.http_api import request

if TYPE_CHECKING:
    from tests.faults.world import World

FEWEST_CONNECTORS, MOST_CONNECTORS = 1, 4
"""Connectors of a project."""

PATIENCE = 3.0
CREATE_TRIES = 4
"""A client repeats a create call when it has no good answer after so many seconds, as the vendor's
SDK does. The first call may still be running."""

ANSWERS = (200, 404, 409, 503)
"""Statuses that calls may get. 404: the connector was deleted meanwhile. 409: others changed it
each time. 503: a fault of AWS, so the call has to be repeated."""

PAUSES, PAUSE_SHARES = (
    ((5.0, 120.0), (600.0, 7200.0), (13 * 3600.0, 14 * 3600.0)),
    (0.7, 0.25, 0.05),
)
"""How many seconds a connector is paused, and the share of each kind. The last kind is longer than
events live."""

_FIELDS = {
    "status": ("active", "paused"),  # a disabled connector holds nothing
    "events": ("types",),
    "labels": ("labels",),
    "httpConfig.url": ("url",),
    "httpConfig.signatureSecret": ("secret",),
}

CANCEL_SHARE = 0.15
"""The share of replays that their customer cancels, within two minutes."""

_KEEPING = ("patch", "secret", "both", "pause", "replay")
"""What may be done with connectors that are never disabled, deleted or moved."""

assert PATIENCE * CREATE_TRIES < REMEMBERED_SECONDS / 2


class Customers:
    """The customers of all projects. They call the config API's handler."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._rng, self._scheduler = world.rng, world.scheduler
        self._plan, self._ledger = world.plan, world.ledger
        self._urls = 0
        self._steady: set[str] = set()

    def settings(self) -> dict[str, Any]:
        rng = self._rng
        return {
            "events": rng.choice([[], [], rng.sample(list(TYPES), 3)]),
            "labels": rng.choice([[], ["name"], ["name", "room"]]),
            "httpConfig": {
                "url": self._url(),
                "signatureSecret": rng.choice(["", f"secret {rng.random()}", f"{rng.random()}"]),
                "headers": rng.choice([{}, {"X-Key": f"{rng.random()}"}]),
            },
        }

    def _url(self) -> str:
        """A new URL each time, so that an attempt's URL identifies the connector and its
        setting."""
        self._urls += 1
        return f"https://endpoint-{self._urls}.example.com/"

    # --- calls ---------------------------------------------------------------------------------

    def _call(
        self,
        method: str,
        project: Project,
        path: str = "",
        content: Any = None,
        query: str = "",
        fields: Collection[str] = CUSTOMERS_FIELDS,
        others: Collection[int] = (),
    ) -> tuple[Change, int, Any]:
        """Make a request that may change some fields; the status of its answer, 0 for none, and the
        content. `others` are statuses that only this call may get."""
        change = Change(self._ledger.tick, fields)
        url = f"/v2/projects/{project.id}/dataconnectors{path}"
        event = request(method, url, content, query=query, headers=project.headers)
        try:
            answer = self._world.invoke(self._world.environment("config_api"), event, change)
        except KilledError:
            return change, 0, None
        status = answer["statusCode"]
        if status not in (*ANSWERS, *others):
            self._ledger.violated(f"the config API answered {method} with {answer}")
        if self._plan.roll("config API's answer is lost", 0.01):
            return change, 0, None
        return change, status, json.loads(answer["body"])

    def _patch(
        self, project: Project, connector: str, content: dict[str, Any], mask: str = ""
    ) -> None:
        query = f"update_mask={mask}" if mask else ""
        # The fields that the mask names or that the body has, by their names in the ledger.
        fields = [field for name in ([mask] if mask else content) for field in _FIELDS[name]]
        change, status, answer = self._call(
            "PATCH", project, f"/{connector}", content, query, fields
        )
        if status == 200:
            stopped = answer["status"] == "USER_DISABLED"
            self._ledger.changed(change, _name(project, connector), stopped=stopped)

    def _delete(self, project: Project, connector: str) -> None:
        change, status, _ = self._call("DELETE", project, f"/{connector}")
        if status in (200, 404):
            self._ledger.changed(change, _name(project, connector), stopped=True)

    def _hold(self, project: Project, connector: str, verb: str) -> None:
        """Pause or resume a connector. A disabled one is refused."""
        path = f"/{connector}:{verb}"
        change, status, _ = self._call("POST", project, path, fields=("paused",), others=(400,))
        if status == 200 and verb == "pause":
            self._ledger.paused(change, _name(project, connector))

    def _replay(self, project: Project, connector: str) -> None:
        """Start a replay of some of the project's events. A disabled connector's is refused."""
        rng = self._rng
        times = self._ledger.replays.times_of(project.id)
        if not times:
            return
        first = rng.randrange(len(times))
        last = min(first + rng.randint(1, LONGEST), len(times) - 1)
        content = {
            "startTime": to_text(times[first] / 1_000_000),
            "endTime": to_text(times[last] / 1_000_000),
            "eventTypes": rng.choice([[], [], rng.sample(list(TYPES), 2)]),
            "devices": rng.choice([[], [], [f"projects/{project.id}/devices/emu1"]]),
        }
        _, status, answer = self._call(
            "POST", project, f"/{connector}:replay", content, fields=(), others=(400,)
        )
        if status == 200 and rng.random() < CANCEL_SHARE:
            path = "/" + answer["name"].partition("/dataconnectors/")[2]
            cancel = partial(self._cancel, project, answer["name"], f"{path}:cancel")
            self._scheduler.after(rng.uniform(0, 120), partial(self._scheduler.spawn, cancel))

    def _cancel(self, project: Project, name: str, path: str) -> None:
        self._ledger.replays.cancelled(name)
        self._call("POST", project, path, fields=())

    def create(self, project: Project) -> None:
        """Create a connector, and repeat the call until it is answered."""
        self._try_to_create(project, self.settings(), [])

    def _try_to_create(
        self, project: Project, settings: dict[str, Any], statuses: list[int]
    ) -> None:
        # Scheduled before the call, because the next call may come while this one is served.
        tries = len(statuses)
        statuses.append(0)
        if tries + 1 < CREATE_TRIES:
            again = partial(self._create_again, project, settings, statuses)
            self._scheduler.after(PATIENCE, again)
        _, statuses[tries], _ = self._call("POST", project, content=settings)

    def _create_again(
        self, project: Project, settings: dict[str, Any], statuses: list[int]
    ) -> None:
        if 200 not in statuses:
            self._plan.count("create call is sent again")
            self._scheduler.spawn(partial(self._try_to_create, project, settings, statuses))

    # --- what they do --------------------------------------------------------------------------

    def change(self) -> None:
        """Let a customer do one thing to a connector."""
        rng = self._rng
        project = rng.choice(self._world.projects)
        existing = [
            account.name.rpartition("/")[2]
            for account in self._ledger.by_project[project.id]
            if account.settings[-1].exists
        ]
        kind = rng.choice(
            (
                "patch",
                "url",
                "secret",
                "both",
                "disable",
                "disable",
                "enable",
                "cycle",
                "pause",
                "replay",
                "replay",
            )
        )
        if rng.random() < 0.15:
            kind = "create" if len(existing) < MOST_CONNECTORS else "delete"
            if kind == "create" and len(existing) > FEWEST_CONNECTORS and rng.random() < 0.5:
                kind = "delete"
        self._plan.count(f"connector: {kind}")
        if kind == "create":
            self.create(project)
        elif existing:
            self._alter(project, rng.choice(existing), kind)

    def keep_steady(self, project: str) -> None:
        """Never disable, delete or move a project's first connector, so that its events may
        expire."""
        self._steady.add(self._ledger.by_project[project][0].name)

    def abandon(self, seconds: float) -> None:
        """Let an endpoint answer 410 for a while. Its customer enables the connector now and then,
        sometimes too early."""
        account = self.an_active_account(self._rng.choice(self._world.projects))
        if account is None or account.name in self._steady:
            return
        self._world.abandon_endpoint(account.settings[-1].url, seconds)
        for share in (0.3, 0.7, 1.01):
            enable = partial(self.disable, account.name, "enable")
            self._scheduler.after(seconds * share, partial(self._scheduler.spawn, enable))

    def a_steady_account(self) -> Account:
        """A connector that is never disabled, deleted or moved."""
        return self._ledger.accounts[self._rng.choice(sorted(self._steady))]

    def an_active_account(self, project: Project) -> Account | None:
        """A connector of a project that wants events, if there is one."""
        wanting = [
            account for account in self._ledger.by_project[project.id] if account.settings[-1].wants
        ]
        return self._rng.choice(wanting) if wanting else None

    def _alter(self, project: Project, connector: str, kind: str) -> None:
        rng = self._rng
        if _name(project, connector) in self._steady and kind not in _KEEPING:
            return
        patch = partial(self._patch, project, connector)
        match kind:
            case "delete":
                self._delete(project, connector)
            case "patch":
                settings = self.settings()
                del settings["httpConfig"]
                change: dict[str, Any] = rng.choice(
                    [settings, {"labels": settings["labels"]}, {"events": settings["events"]}]
                )
                patch(change)
            case "url":
                change = {"httpConfig": {"url": self._url()}}
                patch(change, "httpConfig.url")
            case "both":  # two people change it at once, and no change may be lost
                secret = partial(self._alter, project, connector, "secret")
                self._scheduler.after(rng.uniform(0, 0.1), partial(self._scheduler.spawn, secret))
                self._alter(project, connector, "url")
            case "secret":
                change = {"httpConfig": {"signatureSecret": f"{rng.random()}"}}
                patch(change, "httpConfig.signatureSecret")
            case "disable":
                patch({"status": "USER_DISABLED"})
                enable = partial(patch, {"status": "ACTIVE"})
                self._scheduler.after(
                    rng.expovariate(1 / 120), partial(self._scheduler.spawn, enable)
                )
            case "pause":
                self._hold(project, connector, "pause")
                seconds = rng.uniform(*rng.choices(PAUSES, PAUSE_SHARES)[0])
                resume = partial(self._resume, project, connector)
                self._scheduler.after(seconds, partial(self._scheduler.spawn, resume))
            case "replay":
                self._replay(project, connector)
            case "enable":
                patch({"status": "ACTIVE"})
            case _:  # "cycle": waiting events belong to an older epoch at once
                patch({"status": "USER_DISABLED"})
                patch({"status": "ACTIVE"})

    def _resume(self, project: Project, connector: str) -> None:
        """Resume a connector. A customer who gets no good answer tries again."""
        self._hold(project, connector, "resume")
        name = _name(project, connector)
        if self._ledger.accounts[name].settings[-1].paused:
            again = partial(self._resume, project, connector)
            self._scheduler.after(PATIENCE, partial(self._scheduler.spawn, again))

    def disable(self, name: str, kind: str = "disable") -> None:
        """Disable or pause the connector with this name, if it exists, and let it go on later."""
        if name not in self._ledger.accounts:
            return
        _, project_id, _, connector = name.split("/")
        (project,) = (entry for entry in self._world.projects if entry.id == project_id)
        self._alter(project, connector, kind)


def _name(project: Project, connector: str) -> str:
    return f"projects/{project.id}/dataconnectors/{connector}"
