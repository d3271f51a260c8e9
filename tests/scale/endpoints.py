"""Customers' endpoints: how long an attempt takes, and how it ends."""

import random
from typing import Protocol

from dataconnectors.endpoints.outcomes import Delivered, Failed, FailureKind, Outcome
from tests.outages.account import ANSWER_SECONDS, ERROR_SECONDS, TIMEOUT_SECONDS

SLOW_SECONDS = (4.0, 6.0)
"""Seconds that a slow endpoint takes to acknowledge an event."""

FLAPPING_SECONDS, FLAPPING_DOWN = 300.0, 60.0
"""A flapping endpoint answers 503 for a minute in every five."""


class Endpoint(Protocol):
    """What an endpoint does with an attempt that begins at `now`, in seconds of the run."""

    def answer(self, now: float, rng: random.Random) -> Outcome:
        """How the attempt ends; its response time is how long it takes."""


class Working:
    """Acknowledges everything, after a time within `seconds`."""

    def __init__(self, seconds: tuple[float, float] = ANSWER_SECONDS) -> None:
        self._seconds = seconds

    def answer(self, now: float, rng: random.Random) -> Outcome:
        """As `Endpoint.answer`."""
        return Delivered(200, rng.uniform(*self._seconds))


class Failing:
    """Acknowledges nothing from `since` until `until`: it hangs until the attempt's deadline, or
    answers 503. Before and afterwards it works."""

    def __init__(
        self,
        since: float = 0.0,
        until: float = float("inf"),
        *,
        hangs: bool = True,
        error: float = ERROR_SECONDS,
        works: tuple[float, float] = ANSWER_SECONDS,
    ) -> None:
        self._since, self._until = since, until
        self._works = Working(works)
        self._failure = (
            Failed(FailureKind.TIMEOUT, "example.com: no answer within 10 s", TIMEOUT_SECONDS)
            if hangs
            else Failed(FailureKind.STATUS, "example.com answered 503", error, 503)
        )

    def answer(self, now: float, rng: random.Random) -> Outcome:
        """As `Endpoint.answer`."""
        if self._since <= now < self._until:
            return self._failure
        return self._works.answer(now, rng)


class Flapping:
    """Answers 503 for a part of each period. `phase` is from 0 to 1."""

    def __init__(self, phase: float) -> None:
        self._phase = phase * FLAPPING_SECONDS
        self._up = Working()
        self._down = Failing(hangs=False)

    def answer(self, now: float, rng: random.Random) -> Outcome:
        """As `Endpoint.answer`."""
        is_down = (now + self._phase) % FLAPPING_SECONDS < FLAPPING_DOWN
        return (self._down if is_down else self._up).answer(now, rng)
