"""Connectors through their lives, in whatever order Hypothesis finds: create, change, disable,
enable and delete, while events come in, processes die at a chosen call and time passes.

The real handlers over the models, as in the long runs, but with faults that are chosen instead of
drawn: what breaks a promise is shrunk to the few steps that do.
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

CHANGES = ("patch", "url", "secret", "both", "disable", "cycle", "delete", "create", "create")

SHORT = st.sampled_from([0.0, 0.01, 0.3, 2.0])
"""Seconds until something is begun: before, during or after what else there is."""


TROUBLE = st.none() | st.tuples(
    st.integers(0, 8),
    st.sampled_from([Mode.KILLED_AFTER, Mode.SLOW, Mode.KILLED_BEFORE, Mode.SERVER_ERROR]),
)
"""What goes wrong, after how many calls of AWS."""


class OneEndpoint(dict[str, Endpoint]):
    """Every customer's endpoint: it does what it was told to do."""

    def __init__(self) -> None:
        super().__init__()
        self.behaviour = HEALTHY

    def get(self, host: str, default: Any = None) -> Any:
        """The same for all."""
        return self

    def behave(self, now: float) -> Behaviour:
        """As `Endpoint.behave`."""
        return self.behaviour


class ChosenFaults(Plan):
    """Nothing goes wrong by chance. `chosen` has what goes wrong with the nth next call of a
    function's processes."""

    def __init__(self) -> None:
        super().__init__(random.Random(0), 1.0)
        self.chosen: dict[str, list[tuple[int, Mode]]] = {}

    def choose(self, role: str, calls: int, mode: Mode) -> None:
        """Let the next call but so many go wrong."""
        self.chosen.setdefault(role, []).append((calls, mode))

    def draw(self, role: str, service: str, method: str, now: float) -> Mode | None:
        """As `Plan.draw`."""
        waiting = self.chosen.get(role, [])
        found = None
        for position, (calls, mode) in enumerate(list(waiting)):
            waiting[position] = calls - 1, mode
            if calls <= 0 and found is None:
                found = position
        return waiting.pop(found)[1] if found is not None else None


class Lives(RuleBasedStateMachine):
    """What is chosen is begun when time passes. No promise is broken after any step, and at the end
    nothing is owed and each connector has its queue and its mapping."""

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
        """A customer changes a connector, or makes one."""
        self._choose(whose, trouble)
        (project,) = self.world.projects
        accounts = sorted(self.world.ledger.accounts.items())
        there = [name for name, account in accounts if account.settings[-1].there]
        if kind == "create":
            self._begin(delay, partial(self.world.customers.create, project))
        elif there:
            _, _, connector = there[number % len(there)].rpartition("/")
            self._begin(delay, partial(self.world.customers._alter, project, connector, kind))

    @rule(delay=SHORT, trouble=TROUBLE, whose=st.sampled_from(["ingest", "sender"]))
    def publish(self, delay: float, trouble: tuple[int, Mode] | None, whose: str) -> None:
        """A publisher sends some events."""
        self._choose(whose, trouble)
        (project,) = self.world.projects
        self.world.scheduler.after(delay, partial(self.world.publishers._publish_list, project))

    @rule(behaviour=st.sampled_from([FAILURES[0], FAILURES[1], HEALTHY]))
    def behave(self, behaviour: Behaviour) -> None:
        """Endpoints fail from now on, or work again."""
        self.endpoint.behaviour = behaviour

    def _choose(self, role: str, trouble: tuple[int, Mode] | None) -> None:
        if trouble is not None:
            self.plan.choose(role, *trouble)

    @rule(seconds=st.sampled_from([0.02, 1.0, 10.0, 70.0, 1000.0]))
    def wait(self, seconds: float) -> None:
        """What was begun goes on meanwhile."""
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
    """Without the metrics that handlers print."""
    return contextlib.redirect_stdout(Nowhere())


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, derandomize=True
)
