"""Customers: they change, disable, delete and create connectors while events are on their way."""

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.api.connectors import Connectors
from dataconnectors.audit import Author
from dataconnectors.connectors import Lifecycle
from dataconnectors.control_plane import NotYetError
from dataconnectors.destinations import check_url
from dataconnectors.errors import ControlPlaneError, DataConnectorsError
from dataconnectors.ids import ENTROPY_BYTES, new_id
from dataconnectors.provisioning import Provisioner, Subject
from dataconnectors.settings import QueueSettings
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.table import Table
from dataconnectors.store.tallies import TallyStore
from dataconnectors.vault import Vault
from tests.faults.ledger import Account
from tests.faults.process import KilledError, Process
from tests.faults.publishers import TYPES

if TYPE_CHECKING:
    from tests.faults.world import World

FEWEST_CONNECTORS, MOST_CONNECTORS = 1, 4
"""Of a project."""

SETTLE_SECONDS = 60.0
"""Between two runs of the reconciler."""


class Customers:
    """Those of all projects, by way of the config API's service."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._rng, self._scheduler = world.rng, world.scheduler
        self._plan, self._ledger = world.plan, world.ledger
        self._urls = 0
        self._steady: set[str] = set()
        self._settles = False

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
        """A new one each time, so that an attempt tells whose and which it is."""
        self._urls += 1
        return f"https://endpoint-{self._urls}.example.com/"

    def service(self, process: Process) -> Connectors:
        table = Table(process.get("dynamodb"), os.environ["TABLE_NAME"])
        return Connectors(
            ConnectorStore(table, now=process.now),
            Vault(process.get("kms"), os.environ["KMS_KEY_ARN"], clock=process.clock),
            self._provisioner(process),
            check_url,
            TallyStore(table),
            entropy=self._rng.randbytes,
            now=process.now,
            sleep=process.sleep,
        )

    def _rows(self, process: Process) -> ConnectorStore:
        table = Table(process.get("dynamodb"), os.environ["TABLE_NAME"])
        return ConnectorStore(table, now=process.now)

    def _provisioner(self, process: Process) -> Provisioner:
        return Provisioner(
            process.get("sqs"),
            process.get("lambda"),
            self._rows(process),
            QueueSettings.from_env(os.environ),
            clock=process.clock,
            sleep=process.sleep,
        )

    def change(self) -> None:
        """One call of a customer to the config API's connectors."""
        project = self._rng.choice(self._world.projects)
        existing = [
            account.name.rpartition("/")[2]
            for account in self._ledger.by_project[project.id]
            if account.settings[-1].there
        ]
        process = self._world.process("config")
        rng = self._rng
        kind = rng.choice(
            ("patch", "url", "secret", "secret", "disable", "disable", "enable", "cycle")
        )
        if rng.random() < 0.15:
            kind = "create" if len(existing) < MOST_CONNECTORS else "delete"
            if kind == "create" and len(existing) > FEWEST_CONNECTORS and rng.random() < 0.5:
                kind = "delete"
        try:
            if kind == "create":
                self.create(process, project.id)
            elif existing:
                self._alter(process, project.id, rng.choice(existing), kind)
            self._plan.count(f"connector: {kind}")
        except (KilledError, DataConnectorsError, ClientError, BotoCoreError):
            pass
        self._settle_later()

    def create(self, process: Process, project: str) -> None:
        """A new connector."""
        self.service(process).create(project, self.settings(), self._author(process))

    def _author(self, process: Process) -> Author:
        request = new_id(process.now(), self._rng.randbytes(ENTROPY_BYTES))
        return Author("a@example.com", "key", "192.0.2.1", process.now(), request)

    def _patch(
        self,
        process: Process,
        project: str,
        connector: str,
        change: dict[str, Any],
        mask: str = "",
    ) -> None:
        fields = [mask] if mask else None
        author = self._author(process)
        self.service(process).patch(project, connector, change, fields, author)
        name = f"projects/{project}/dataconnectors/{connector}"
        self._ledger.changed(process, name)

    def keep_steady(self, project: str) -> None:
        """Never disable, delete or move a project's first connector: its events may expire."""
        self._steady.add(self._ledger.by_project[project][0].name)

    def a_steady_account(self) -> Account:
        """One of those."""
        return self._ledger.accounts[self._rng.choice(sorted(self._steady))]

    def _alter(self, process: Process, project: str, connector: str, kind: str) -> None:
        rng = self._rng
        steady = f"projects/{project}/dataconnectors/{connector}" in self._steady
        if steady and kind not in ("patch", "secret"):
            return
        patch = partial(self._patch, process, project, connector)
        match kind:
            case "delete":
                self.service(process).delete(project, connector, self._author(process))
                self._ledger.changed(process, f"projects/{project}/dataconnectors/{connector}")
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
            case "secret":
                change = {"httpConfig": {"signatureSecret": f"{rng.random()}"}}
                patch(change, "httpConfig.signatureSecret")
            case "disable":
                patch({"status": "USER_DISABLED"})
                enable = partial(self._scheduler.spawn, partial(self._enable, project, connector))
                self._scheduler.after(rng.expovariate(1 / 120), enable)
            case "enable":
                patch({"status": "ACTIVE"})
            case _:  # a cycle: what waits belongs to an older epoch at once
                patch({"status": "USER_DISABLED"})
                patch({"status": "ACTIVE"})

    def disable(self, name: str) -> None:
        """Disable a connector by its name, and enable it later."""
        _, project, _, connector = name.split("/")
        process = self._world.process("config")
        with contextlib.suppress(KilledError, DataConnectorsError, ClientError, BotoCoreError):
            self._alter(process, project, connector, "disable")

    def _enable(self, project: str, connector: str) -> None:
        process = self._world.process("config")
        with contextlib.suppress(KilledError, DataConnectorsError, ClientError, BotoCoreError):
            self._patch(process, project, connector, {"status": "ACTIVE"})

    def _settle_later(self) -> None:
        if not self._settles:
            self._settles = True
            self._scheduler.after(SETTLE_SECONDS, partial(self._scheduler.spawn, self._settle))

    def _settle(self) -> None:
        """What the reconciler does each minute: finish what a call to the API has left undone."""
        self._settles = False
        process = self._world.process("reconciler")
        rows = self._rows(process)
        provisioner = self._provisioner(process)
        unfinished = False
        try:
            for lifecycle in (Lifecycle.PROVISIONING, Lifecycle.DELETING):
                for entry in list(rows.connectors_in(lifecycle)):
                    unfinished = True
                    row = rows.connector(entry.name)
                    if row is None or row.lifecycle is not lifecycle:
                        continue
                    if lifecycle is Lifecycle.PROVISIONING:
                        provisioner.provision(row)
                        continue
                    with contextlib.suppress(NotYetError):
                        provisioner.clear(Subject.of(row))
                        rows.remove(row)
        except (KilledError, ControlPlaneError, ClientError, BotoCoreError):
            unfinished = True
        if unfinished:
            self._settle_later()
