"""Connectors are created, changed, disabled, enabled and deleted in any order, and nothing is lost.

Hypothesis chooses the order. Meanwhile events come in, processes die at a chosen call, and time
passes. The real handlers run over the models, as in the long runs. But the faults are chosen and
not drawn at random, so that a failure is reduced to the few steps that cause it.
"""

import contextlib
import random
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.faults.models.endpoints import FAILURES, HEALTHY, Behaviour, Endpoint
from tests.faults.plan import Mode, Plan
from tests.faults.world import Nowhere, Scenario, World

CHANGES = (
    "patch",
    "url",
    "secret",
    "both",
    "disable",
    "cycle",
    "pause",
    "delete",
    "create",
    "create",
)

SHORT = st.sampled_from([0.0, 0.01, 0.3, 2.0])
"""Seconds until an action begins, so that it comes before, during or after others."""


TROUBLE = st.none() | st.tuples(
    st.integers(0, 8),
    st.sampled_from([Mode.KILLED_AFTER, Mode.SLOW, Mode.KILLED_BEFORE, Mode.SERVER_ERROR]),
)
"""After how many calls to AWS a fault comes, and which one."""


class OneEndpoint(dict[str, Endpoint]):
    """The endpoint of every customer. It has the behaviour that was set."""

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = HEALTHY

    def get(self, host: str, default: Any = None) -> Any:
        """The same endpoint for every host."""
        return self

    def behave(self, now: float) -> Behaviour:
        """As `Endpoint.behave`."""
        return self.behaviour

    def healthy_since(self, now: float) -> float:
        """As `Endpoint.healthy_since`, of an endpoint of which nobody knows since when it works."""
        return float("inf")


class ChosenFaults(Plan):
    """A plan without random faults. `chosen` has faults by function: each with the number of calls
    that come before it."""

    def __init__(self) -> None:
        super().__init__(random.Random(0), 1.0)
        self.chosen: dict[str, list[tuple[int, Mode]]] = {}

    def choose(self, role: str, calls: int, mode: Mode) -> None:
        """Inject a fault into a function's call, after so many other calls."""
        self.chosen.setdefault(role, []).append((calls, mode))

    def draw(self, role: str, service: str, method: str, now: float, step: str = "") -> Mode | None:
        """As `Plan.draw`."""
        waiting = self.chosen.get(role, [])
        found = None
        for position, (calls, mode) in enumerate(list(waiting)):
            waiting[position] = calls - 1, mode
            if calls <= 0 and found is None:
                found = position
        return waiting.pop(found)[1] if found is not None else None


class Lives(RuleBasedStateMachine):
    """Chosen actions begin when time passes. After each step no promise is broken. At the end no
    event is owed, and each connector has its queue and its mapping."""

    @initialize(seed=st.integers(0, 3))
    def start(self, seed: int) -> None:
        self.plan = ChosenFaults()
        self.chance = random.getstate()
        random.seed(seed)
        with quietly():
            self.world = World(Scenario(seed, events=0, projects=1), self.plan)
            self.world.set_up()
        self.endpoint = self.world.endpoints = OneEndpoint()
        self.world.customers._steady.clear()  # each connector may be disabled and deleted

    def _begin(self, delay: float, task: Any) -> None:
        scheduler = self.world.scheduler
        scheduler.after(delay, partial(scheduler.spawn, task))

    @rule(
        kind=st.sampled_from(CHANGES),
        number=st.integers(0, 3),
        delay=SHORT,
        trouble=TROUBLE,
        whose=st.sampled_from(["config_api", "reconciler"]),
    )
    def change(
        self, kind: str, number: int, delay: float, trouble: tuple[int, Mode] | None, whose: str
    ) -> None:
        """Let a customer change a connector or create one."""
        self._choose(whose, trouble)
        (project,) = self.world.projects
        accounts = sorted(self.world.ledger.accounts.items())
        existing = [name for name, account in accounts if account.settings[-1].exists]
        if kind == "create":
            self._begin(delay, partial(self.world.customers.create, project))
        elif existing:
            _, _, connector = existing[number % len(existing)].rpartition("/")
            self._begin(delay, partial(self.world.customers._alter, project, connector, kind))

    @rule(delay=SHORT, trouble=TROUBLE, whose=st.sampled_from(["ingest", "sender"]))
    def publish(self, delay: float, trouble: tuple[int, Mode] | None, whose: str) -> None:
        """Let a publisher send some events."""
        self._choose(whose, trouble)
        (project,) = self.world.projects
        self.world.scheduler.after(delay, partial(self.world.publishers._publish_list, project))

    @rule(behaviour=st.sampled_from([FAILURES[0], FAILURES[1], HEALTHY]))
    def behave(self, behaviour: Behaviour) -> None:
        """Let endpoints fail from now on, or work again."""
        self.endpoint.behaviour = behaviour

    def _choose(self, role: str, trouble: tuple[int, Mode] | None) -> None:
        if trouble is not None:
            self.plan.choose(role, *trouble)

    @rule(seconds=st.sampled_from([0.02, 1.0, 10.0, 70.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass, so that actions run."""
        if not hasattr(self, "world"):
            return
        over: list[bool] = []
        self.world.scheduler.after(seconds, lambda: over.append(True))
        with quietly():
            self.world.scheduler.run(lambda: bool(over))

    @invariant()
    def breaks_no_promise(self) -> None:
        if hasattr(self, "world"):
            assert self.world.ledger.violations == []

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.plan.chosen.clear()
            self.endpoint.behaviour = HEALTHY
            with quietly():
                self.world.finish()
            assert self.world.ledger.violations == []
        finally:
            self.world.scheduler.close()
            random.setstate(self.chance)


def quietly() -> Any:
    """Hide the metrics that handlers print."""
    return contextlib.redirect_stdout(Nowhere())


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, derandomize=True
)
