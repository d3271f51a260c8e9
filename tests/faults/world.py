"""A run: the models, the functions' processes, publishers, customers and endpoints."""

import base64
import contextlib
import gc
import io
import json
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.vault import Vault
from dataconnectors.devices.device import Device
from dataconnectors.endpoints.addresses import check_url
from dataconnectors.identity.bootstrap import Bootstrap
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import UnavailableError
from dataconnectors.store.bootstrap import BootstrapStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.table import Table
from tests.faults.accounts import Account, Batch
from tests.faults.customers import Customers
from tests.faults.ledger import Ledger
from tests.faults.models.cloudwatch import CloudWatch
from tests.faults.models.dynamodb import DynamoDb
from tests.faults.models.endpoints import Endpoint
from tests.faults.models.events import EventBridge
from tests.faults.models.kms import Kms
from tests.faults.models.mappings import Mappings
from tests.faults.models.sns import Sns
from tests.faults.models.sqs import Message, Queue, Sqs
from tests.faults.plan import KILL_RATE, Plan
from tests.faults.pollers import POLL_SECONDS, Poller
from tests.faults.process import (
    EPOCH,
    Context,
    InlineWorkers,
    KilledError,
    Process,
    Surroundings,
)
from tests.faults.program import Edits, Program
from tests.faults.publishers import DEVICES, FIRST_BURST, Project, Publishers
from tests.faults.replays import EVENTS_KEPT, PAGE_MESSAGES, ReplayRun
from tests.faults.scheduler import Scheduler
from tests.faults.transport import Transport
from tests.permissions.recorder import recorder

PROJECTS = 8
CONNECTORS = 2
"""Projects of a run, and connectors of each at its start; customers add and delete some."""

SENDER_WORKERS = 10
MAXIMUM_ENVIRONMENTS = 50
"""The parallel attempts of a sender, and how many idle environments of a function are kept."""

FUNCTIONS = ("ingest", "sender", "config_api", "reconciler", "replay")

TIMEOUTS = {
    "ingest": 20.0,
    "sender": float(os.environ["FUNCTION_TIMEOUT"]),
    "config_api": 29.0,
    "reconciler": 55.0,
    "replay": 900.0,
}
"""The timeouts of functions in seconds, as in template.yaml."""

PUNCTUAL = ("ingest", "sender")
"""Functions that always end before their timeouts. The others make as many calls as they have work
for, and the next run finishes what a killed one left."""

START_SECONDS = (0.01, 0.5)
"""Seconds from an invocation that nobody waits for to its begin."""

COLLECTED_AFTER = (50_000, 20, 20)
"""The thresholds of the garbage collector. Almost nothing in a run is in a cycle, so the usual ones
cost a tenth of its time."""

Gone = Literal["disables", "fails"]
"""What 410 does, as the template's `DisableOnGone` says."""

MINUTE = 60.0
"""Seconds between two runs of the reconciler."""

AFTERMATH_MINUTES = 90
"""How long the reconciler runs on after everything else has ended. The last hour is accounted for
by then."""

SETTLING_SECONDS = (0.0, 8.0)
"""Seconds that a change of an event source mapping takes."""

SKEW_SECONDS = 30.0
SKEWED_SHARE = 0.3
"""The largest error of a process's wall clock, and the share of processes whose clock is wrong."""


@dataclass(frozen=True)
class Scenario:
    """A run's parameters.

    A violation that fits the pattern `until` ends the run. `edits` are mutations of the handlers'
    sources by function. With `gone`, endpoints answer 410 for a while, and that disables or fails.
    """

    seed: int
    events: int
    intensity: float = 1.0
    until: str = ""
    projects: int = PROJECTS
    edits: Mapping[str, Edits] | None = None
    gone: Gone | None = None


@dataclass(frozen=True)
class Report:
    """The result of a run. It counts each event once for each connector.

    Events that were not delivered are `expired`, or their connector was `disabled` or `deleted`.
    SQS deleted the `unrecorded` ones of the expired before a record was saved. `late` events were
    delivered although a record says that they expired. `uncounted` batches are missing in the
    connectors' metrics. `outages` began, in which `canaries` were attempted; `held` counts
    how often messages were held, and `recovered` how many came back to an endpoint that works
    again. `replays` have succeeded, and all replays have sent `replayed` messages.
    `unkilled` are the steps at which no process has died.
    """

    scenario: Scenario
    events: int
    attempts: int
    injected: Mapping[str, int]
    duplicates: int
    expired: int
    unrecorded: int
    late: int
    disabled: int
    deleted: int
    outages: int
    canaries: int
    held: int
    recovered: int
    replays: int
    replayed: int
    lost: int
    uncounted: int
    unkilled: Sequence[str]
    violations: Sequence[str]
    seconds: float

    def line(self) -> str:
        """The report as one line."""
        return (
            f"faults: events={self.events} attempts={self.attempts} kinds={len(self.injected)} "
            f"injected={sum(self.injected.values())} duplicates={self.duplicates} "
            f"expired={self.expired} late={self.late} disabled={self.disabled} "
            f"deleted={self.deleted} outages={self.outages} canaries={self.canaries} "
            f"held={self.held} recovered={self.recovered} replays={self.replays} "
            f"replayed={self.replayed} lost={self.lost} "
            f"seed={self.scenario.seed} seconds={self.seconds:.0f}"
        )


class Nowhere(io.TextIOBase):
    """A file that discards the metrics that handlers print."""

    def write(self, text: str) -> int:
        return len(text)


def run(scenario: Scenario) -> Report:
    """Run a scenario. The same scenario gives the same report."""
    started = time.perf_counter()
    chance, thresholds = random.getstate(), gc.get_threshold()
    random.seed(scenario.seed)  # our code draws its back-off from this
    gc.set_threshold(*COLLECTED_AFTER)
    with contextlib.redirect_stdout(Nowhere()):
        world = World(scenario)
        try:
            world.run()
        finally:
            world.scheduler.close()
            random.setstate(chance)
            gc.set_threshold(*thresholds)
    ledger, plan = world.ledger, world.plan
    return Report(
        scenario=scenario,
        events=world.publishers.published,
        attempts=ledger.attempts,
        injected=dict(sorted(plan.injected.items())),
        duplicates=ledger.duplicates,
        expired=ledger.expired,
        unrecorded=ledger.unrecorded,
        late=ledger.late,
        disabled=ledger.disabled,
        deleted=ledger.deleted,
        outages=ledger.outages.count,
        canaries=ledger.outages.canaries,
        held=ledger.outages.held,
        recovered=ledger.outages.recovered,
        replays=ledger.replays.succeeded,
        replayed=ledger.replays.sent,
        lost=ledger.lost,
        uncounted=ledger.uncounted,
        unkilled=plan.unkilled,
        violations=ledger.violations,
        seconds=time.perf_counter() - started,
    )


class World:
    """Everything in one run. Its faults are drawn at random, unless a `plan` is given."""

    def __init__(self, scenario: Scenario, plan: Plan | None = None) -> None:
        self.scenario = scenario
        self.rng = random.Random(scenario.seed)
        self.scheduler = Scheduler()
        self.plan = plan or Plan(self.rng, scenario.intensity)
        self.ledger = Ledger(self.epoch, gone_disables=scenario.gone == "disables")
        self.sqs = Sqs(self.epoch, made=self._queue_made, deleted=self.ledger.queue_deleted)
        self.surroundings = Surroundings(
            self.scheduler,
            self.plan,
            self.rng,
            {
                "sqs": self.sqs,
                "dynamodb": DynamoDb(
                    self.epoch,
                    os.environ["TABLE_NAME"],
                    written=self.ledger.written,
                    unread=("ATTEMPTS#", "AUDIT#", "METRICS#"),
                    newest={"HISTORY#": EVENTS_KEPT},
                ),
                "kms": Kms(),
                "lambda": Mappings(
                    self._mapping_made,
                    self._mapping_deleted,
                    self._invoked,
                    clock=self.epoch,
                    settling=lambda: self.rng.uniform(*SETTLING_SECONDS),
                ),
                "events": EventBridge(),
                "sns": Sns(),
                "cloudwatch": CloudWatch(self.sqs.queues),
            },
            self._called,
            self._observe,
            self._slowed,
        )
        edits = scenario.edits or {}
        self._programs = {name: Program(name, edits.get(name)) for name in FUNCTIONS}
        self._idle: dict[str, list[Process]] = {name: [] for name in FUNCTIONS}
        self._minutes_left = AFTERMATH_MINUTES
        self._pollers: dict[str, Poller] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.projects: list[Project] = []
        self.customers = Customers(self)
        self.publishers = Publishers(self)

    def epoch(self) -> float:
        """The epoch second by AWS's clock."""
        return EPOCH + self.scheduler.now

    # --- the run -------------------------------------------------------------------------------

    def run(self) -> None:
        """Set up, publish everything, and go on until every queue is empty."""
        self.set_up()
        self.plan.active = True
        dead = self._kill_an_endpoint()
        self.scheduler.after(0.0, self.publishers.publish_next)
        burst = partial(self.publishers.burst, dead)
        self.scheduler.after(self.rng.uniform(*FIRST_BURST), burst)
        self.finish()

    def set_up(self) -> None:
        """Create projects, devices and connectors without faults, and start the reconciler."""
        self.scheduler.spawn(self._set_up)
        self.scheduler.run()
        self.scheduler.after(MINUTE, self._reconcile)

    def finish(self) -> None:
        """Run until nothing is left to do, and check that no event is owed."""
        self.scheduler.run(self._is_over)
        self.ledger.close(self.sqs.queues.values())
        if not self._is_over():
            self._check_order()

    def _check_order(self) -> None:
        _, *queues = self.sqs.queues  # the first is the dead-letter queue
        answer = self.surroundings.services["lambda"].list_event_source_mappings()
        mapped = [mapping["EventSourceArn"] for mapping in answer["EventSourceMappings"]]
        self.ledger.check_order(
            [name.rpartition("-")[2] for name in queues],
            [arn.rpartition("-")[2] for arn in mapped],
        )

    def _kill_an_endpoint(self) -> Account:
        """Let an endpoint of a connector that stays active fail for hours, so that events expire.

        A run without expired events would prove little.
        """
        account = self.customers.a_steady_account()
        (url,) = {setting.url for setting in account.settings}
        self.endpoint(check_url(url).host).die(self.scheduler.now)
        return account

    def endpoint(self, host: str) -> Endpoint:
        """The endpoint of a host, which may be new."""
        found = self.endpoints.get(host)
        if found is None:
            found = self.endpoints[host] = Endpoint(self.rng, self.plan)
        return found

    def fail_endpoint(self, url: str, seconds: float, relapses: int) -> None:
        """Let an endpoint be down from now on."""
        self.endpoint(check_url(url).host).fail(self.scheduler.now, seconds, relapses)

    def abandon_endpoint(self, url: str, seconds: float) -> None:
        """Let an endpoint answer 410 from now on."""
        self.endpoint(check_url(url).host).vanish(self.scheduler.now, seconds)

    def _is_over(self) -> bool:
        return bool(self.scenario.until) and self.ledger.has_violated(self.scenario.until)

    def _set_up(self) -> None:
        dead_letter_queue = os.environ["DEAD_LETTER_QUEUE_ARN"].rpartition(":")[2]
        self.sqs.create_queue(QueueName=dead_letter_queue)
        process = self.process("admin")
        table = Table(process.get("dynamodb"), os.environ["TABLE_NAME"])
        vault = Vault(process.get("kms"), os.environ["KMS_KEY_ARN"], clock=process.clock)
        bootstrap = Bootstrap(
            BootstrapStore(table),
            vault,
            entropy=self.rng.randbytes,
            now=process.now,
        )
        for _ in range(self.scenario.projects):
            made = bootstrap.make_administrator({"displayName": "Faults"})
            project = made["project"]
            account = made["serviceAccount"]
            basic = base64.b64encode(f"{account['keyId']}:{account['secret']}".encode()).decode()
            self.projects.append(Project(project, {"authorization": f"Basic {basic}"}))
            for number in range(DEVICES):
                DeviceStore(table).create_device(
                    Device(
                        project=project,
                        id=f"emu{number}",
                        type="temperature",
                        labels={"name": f"Sensor {number}", "room": "2", "": "x"},
                        product_number="",
                        create_time=times.to_text(process.now()),
                    )
                )
            process.sleep(MINUTE)  # nobody uses a project in the second in which it was created
            for _ in range(CONNECTORS):
                self.customers.create(self.projects[-1])
            self.customers.keep_steady(project)

    # --- processes -----------------------------------------------------------------------------

    def process(self, role: str) -> Process:
        """A new process. Some have clocks that are off."""
        process = Process(role, self.surroundings)
        # The config API's idempotency records last a minute, which takes clocks that agree.
        skews = role != "config_api"
        if skews and self.plan.roll("clock skew", SKEWED_SHARE / self.plan.intensity):
            process.skew = self.rng.uniform(-SKEW_SECONDS, SKEW_SECONDS)
        return process

    def environment(self, role: str) -> Process:
        """An idle environment of a function, or a new one."""
        idle = self._idle[role]
        if idle and not self.plan.roll(f"cold start of {role}", 0.002):
            return idle.pop(self.rng.randrange(len(idle)))
        process = self.process(role)
        disables = str(self.scenario.gone == "disables").lower()
        program = self._programs[role].start(process, {"DISABLE_ON_GONE": disables})
        if role == "sender":
            program["sender"] = program["make_sender"](
                Transport(self, process),
                InlineWorkers(process, SENDER_WORKERS),
                now=process.now,
                clock=process.clock,
            )
        elif role == "replay":
            pace = replace(program["PACE"], page_messages=PAGE_MESSAGES)
            program["runner"] = program["make_runner"](pace, now=process.now, sleep=process.sleep)
        elif role == "config_api":
            process.statics = ((BaseRouter, "current_event"), (BaseRouter, "lambda_context"))
        process.handler = program["lambda_handler"]
        return process

    def invoke(self, process: Process, event: Any, invocation: Any) -> Any:
        """Run a handler. A killed handler's environment is not used again.

        `invocation` is the ledger's object for it.
        """
        now = self.scheduler.now
        ends_at = now + TIMEOUTS[process.role]
        process.invocation = invocation
        process.faulted.clear()
        process.dies_at = ends_at
        if self.plan.roll(f"{process.role} killed at some moment", KILL_RATE):
            process.dies_at = now + self.rng.uniform(0.0, 12.0)
        try:
            answer = process.handler(event, Context(process, ends_at))
        except KilledError:
            overdue = self.scheduler.now >= ends_at and process.dies_at == ends_at
            if overdue and process.role in PUNCTUAL:
                self.ledger.violated(f"the {process.role} outlasted its own timeout")
            raise
        except Exception:
            self._release(process)
            raise
        self._release(process)
        return answer

    def _release(self, process: Process) -> None:
        process.dies_at = float("inf")
        if len(self._idle[process.role]) < MAXIMUM_ENVIRONMENTS:
            self._idle[process.role].append(process)

    def _called(
        self, process: Process, service: str, operation: str, given: Mapping[str, Any]
    ) -> None:
        """Record what a function needs. Mutants and the test's own processes do not count.

        Outside of pytest nobody reads it, and it would take a tenth of a long run's time.
        """
        if recorder.is_installed and process.role in FUNCTIONS and not self.scenario.edits:
            recorder.record(process.role, service, operation, given)

    def _observe(self, process: Process, method: str, parameters: Mapping[str, Any]) -> None:
        self.ledger.process = process
        if method == "get_item" and process.role == "sender":
            self.ledger.read(process, parameters["Key"])
        elif isinstance(process.invocation, Batch):
            process.invocation.is_decided |= method == "update_item"

    def _slowed(self, process: Process, method: str) -> None:
        """Sometimes disable or pause the connector that a sender has just read, while it waits for
        AWS."""
        batch = process.invocation
        if not isinstance(batch, Batch) or not batch.reads:
            return
        # The sender decrypts a secret between the read of its connector and the attempt.
        rate = 0.9 if method == "decrypt" else 0.2
        name = next(iter(batch.reads))
        if self.plan.roll("connector disabled under a slow call", rate / self.plan.intensity):
            disable = partial(self.customers.disable, name)
            self.scheduler.after(self.rng.uniform(0, 0.1), partial(self.scheduler.spawn, disable))
        elif self.plan.roll("connector paused under a slow call", rate / self.plan.intensity):
            pause = partial(self.customers.disable, name, "pause")
            self.scheduler.after(self.rng.uniform(0, 0.1), partial(self.scheduler.spawn, pause))

    # --- the schedule ---------------------------------------------------------------------------

    def _reconcile(self) -> None:
        """Run the reconciler each minute while anything happens, and for some time afterwards."""
        is_over = self.scheduler.is_idle and not self.ledger.replays.is_any_running
        self._minutes_left = self._minutes_left - 1 if is_over else AFTERMATH_MINUTES
        if self._minutes_left:
            self.scheduler.after(MINUTE, self._reconcile)
            self.scheduler.spawn(self._run_reconciler)

    def _run_reconciler(self) -> None:
        try:
            self.invoke(self.environment("reconciler"), {}, None)
        except (KilledError, ClientError, BotoCoreError):
            pass  # the next run goes on
        except Exception as error:  # noqa: BLE001  # none is expected
            self.ledger.violated(f"the reconciler raised {error!r}")

    def _invoked(self, payload: bytes) -> None:
        """Start the run of a replay, sometimes twice, as Lambda does with what nobody waits for."""
        name = json.loads(payload)["replay"]
        for _ in range(1 + self.plan.roll("replay invoked twice", 0.02)):
            run = partial(self._run_replay, name)
            seconds = self.rng.uniform(*START_SECONDS)
            self.scheduler.after(seconds, partial(self.scheduler.spawn, run))

    def _run_replay(self, name: str) -> None:
        run = ReplayRun(name, self.ledger.tick)
        process = self.environment("replay")
        try:
            answer = self.invoke(process, {"replay": name}, run)
        except (KilledError, ClientError, BotoCoreError, UnavailableError):
            return  # the reconciler starts another run
        except Exception as error:  # noqa: BLE001  # none is expected
            self.ledger.violated(f"the run of a replay raised {error!r}")
            return
        self.ledger.replays.ended(run, answer["outcome"], process.faulted)

    # --- queues and their pollers --------------------------------------------------------------

    def _queue_made(self, queue: Queue) -> None:
        queue.sent = self._sent
        queue.expired = self.ledger.expired_in

    def _sent(self, queue: Queue, message: Message) -> None:
        self.ledger.sent(queue, message)
        if self.plan.roll("message is visible late", 0.01):
            queue.hide(message, self.rng.uniform(1, 30))
        poller = self._pollers.get(queue.arn)
        if poller is not None:
            poller.wake_in(self.rng.uniform(*POLL_SECONDS))

    def _mapping_made(self, arn: str) -> None:
        queue = self.sqs.queues[arn.rpartition(":")[2]]
        self._pollers[arn] = Poller(self, queue)
        self._pollers[arn].wake_in(1.0)

    def _mapping_deleted(self, arn: str) -> None:
        self._pollers.pop(arn).stopped = True
