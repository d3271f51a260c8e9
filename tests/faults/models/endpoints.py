"""Customers' endpoints: whether each saves a POST, how long it takes, and what the sender gets."""

import random
from dataclasses import dataclass

from dataconnectors.endpoints.outcomes import Answer, FailureKind, NoAnswer
from tests.faults.plan import Plan


@dataclass(frozen=True)
class Behaviour:
    """How an endpoint handles a POST.

    `seconds` are the shortest and the longest time that it takes. `saves` says whether the endpoint
    saves the event and sends a 200. `answer` is what arrives at the sender; of one that is
    `broken_off`, only the beginning does.
    """

    kind: str
    answer: Answer | NoAnswer
    seconds: tuple[float, float]
    saves: bool = False
    broken_off: bool = False

    @property
    def begins(self) -> bool:
        """Whether a byte of an answer arrives at the sender."""
        return self.broken_off or isinstance(self.answer, Answer)


HEALTHY = Behaviour("", Answer(200), (0.02, 0.4), saves=True)

FAILURES = (
    Behaviour("endpoint 500", Answer(500), (0.02, 0.5)),
    Behaviour("endpoint 503 after seconds", Answer(503), (2.0, 9.0)),
    Behaviour("endpoint 301", Answer(301), (0.02, 0.2)),
    Behaviour("endpoint 204", Answer(204), (0.02, 0.2)),
    Behaviour("endpoint 404", Answer(404), (0.02, 0.2)),
    Behaviour("endpoint 429", Answer(429), (0.02, 0.2)),
    Behaviour("endpoint 429 for a minute", Answer(429, "60"), (0.02, 0.2)),
    Behaviour("endpoint 503 for an hour", Answer(503, "3600"), (0.02, 0.2)),
    Behaviour("endpoint does not resolve", NoAnswer(FailureKind.DNS, "no address"), (0.01, 2.0)),
    Behaviour(
        "endpoint refuses the connection", NoAnswer(FailureKind.CONNECT, "refused"), (0.01, 0.2)
    ),
    Behaviour("endpoint's certificate is bad", NoAnswer(FailureKind.TLS, "expired"), (0.05, 0.2)),
    Behaviour("endpoint resets", NoAnswer(FailureKind.PROTOCOL, "reset"), (0.01, 3.0)),
    Behaviour("endpoint times out", NoAnswer(FailureKind.TIMEOUT, "no answer"), (10.0, 10.0)),
)

OUTLASTS = Behaviour("attempt outlasts its deadline", Answer(200), (11.5, 25.0), saves=True)

LOST = (
    Behaviour(
        "endpoint's 200 is lost", NoAnswer(FailureKind.PROTOCOL, "reset"), (0.02, 2.0), saves=True
    ),
    Behaviour(
        "endpoint's 200 is late", NoAnswer(FailureKind.TIMEOUT, "late"), (10.0, 10.0), saves=True
    ),
    Behaviour(
        "endpoint's 200 breaks off",
        NoAnswer(FailureKind.PROTOCOL, "broke off"),
        (0.02, 2.0),
        saves=True,
        broken_off=True,
    ),
    OUTLASTS,
)

SLOW = Behaviour("endpoint is slow", Answer(200), (4.0, 9.9), saves=True)

GONE = Behaviour("endpoint is gone", Answer(410), (0.02, 0.2))

FAILURE_RATE = 0.03
LOST_RATE = 0.01
SLOW_RATE = 0.01
"""Shares of the POSTs to a healthy endpoint, in a run of intensity 1."""

HEALTHY_SECONDS = 4 * 3600
FLAPPING_SECONDS = (60, 1800)
DOWN_SECONDS = (30, 3600)
DEAD_SECONDS = (13 * 3600, 16 * 3600)
MOMENTS, RELAPSE_SECONDS = (2, 90), (60, 600)
HEALTHY_SHARE = 0.8
DEAD_SHARE = 0.05
"""How many seconds an endpoint stays in a state, for how long it works between relapses, the share
of those that begin healthy, and the share of outages that last longer than an event's 12 hours."""


class Endpoint:
    """One customer's endpoint: healthy, flapping, or down in one way."""

    def __init__(self, rng: random.Random, plan: Plan) -> None:
        self._rng = rng
        self._plan = plan
        self._until = 0.0
        self._since = 0.0
        self._relapses = 0
        self._flaps = False
        self._down: Behaviour | None = None
        self._gone_until = 0.0

    def vanish(self, now: float, seconds: float) -> None:
        """Answer 410 from now on for so many seconds."""
        self._gone_until = now + seconds

    def die(self, now: float) -> None:
        """Be down from now on until all present events have expired."""
        self.fail(now, self._rng.uniform(*DEAD_SECONDS))
        self._plan.count("endpoint down for half a day")

    def fail(self, now: float, seconds: float, relapses: int = 0) -> None:
        """Be down in one way for so many seconds, and again so many times after it has worked for
        moments."""
        self._flaps, self._down = False, self._rng.choice(FAILURES)
        self._until = now + seconds
        self._relapses = relapses

    def healthy_since(self, now: float) -> float:
        """Since when the endpoint works, apart from single failures; infinite when it does not."""
        if now < self._gone_until:
            return float("inf")
        return max(self._works_since(now), self._gone_until)

    def _works_since(self, now: float) -> float:
        works = not self._flaps and self._down is None
        if now < self._until:
            return self._since if works else float("inf")
        return float("inf") if works else self._until

    def behave(self, now: float) -> Behaviour:
        """How the endpoint handles a POST now."""
        if not self._plan.active:
            return HEALTHY
        if now >= self._until:
            self._change(now)
        rng, intensity = self._rng, self._plan.intensity
        chance = rng.random()
        behaviour = HEALTHY
        if now < self._gone_until:
            behaviour = GONE
        elif self._down is not None:
            behaviour = self._down
        elif (self._flaps and chance < 0.5) or chance < FAILURE_RATE * intensity:
            behaviour = rng.choice(FAILURES)
        elif chance < (FAILURE_RATE + LOST_RATE) * intensity:
            behaviour = rng.choice(LOST)
        elif chance < (FAILURE_RATE + LOST_RATE + SLOW_RATE) * intensity:
            behaviour = SLOW
        if behaviour.kind:
            self._plan.count(behaviour.kind)
        return behaviour

    def _change(self, now: float) -> None:
        rng = self._rng
        was_healthy = not self._flaps and self._down is None
        self._flaps, self._down = False, None
        self._since = self._until
        if self._relapses and was_healthy:
            self.fail(now, rng.uniform(*RELAPSE_SECONDS), self._relapses - 1)
            return
        begins = not self._until and rng.random() < HEALTHY_SHARE
        if begins or (self._until and not was_healthy):
            seconds = rng.expovariate(self._plan.intensity / HEALTHY_SECONDS)
            self._until = now + (rng.uniform(*MOMENTS) if self._relapses else seconds)
        elif rng.random() < 0.4:
            self._flaps = True
            self._until = now + rng.uniform(*FLAPPING_SECONDS)
            self._plan.count("endpoint flaps")
        else:
            if rng.random() < DEAD_SHARE:
                self.die(now)
                return
            self._down = rng.choice(FAILURES)
            self._until = now + rng.uniform(*DOWN_SECONDS)
            self._plan.count("endpoint down")
