"""The kinds of faults, how often each is injected, and a count of those injected."""

import random
from collections import Counter
from enum import StrEnum

from tests.faults.models.errors import operation_name


class Mode(StrEnum):
    """What can go wrong with a call."""

    KILLED_BEFORE = "killed before"  # the process dies before AWS gets the call
    KILLED_AFTER = "killed after"  # the process dies after AWS has done the operation
    THROTTLED = "throttled"
    SERVER_ERROR = "server error"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"  # after all of botocore's tries; AWS has not done the operation
    TIMED_OUT_AFTER_EFFECT = "timed out after its effect"
    REPEATED = "repeated"  # the first answer was lost, and botocore has sent the call again
    PARTIAL = "partial failure"
    SLOW = "slow"


_READS = (Mode.THROTTLED, Mode.SERVER_ERROR, Mode.UNREACHABLE, Mode.TIMED_OUT, Mode.SLOW)
_WRITES = (*_READS, Mode.TIMED_OUT_AFTER_EFFECT, Mode.REPEATED)
_BATCHES = (*_WRITES, Mode.PARTIAL, Mode.PARTIAL, Mode.PARTIAL)
ERRORS: dict[str, tuple[Mode, ...]] = {
    "get_item": _READS,
    "query": _READS,
    "batch_get_item": (*_READS, Mode.PARTIAL),
    "batch_write_item": (*_WRITES, Mode.PARTIAL),
    "decrypt": _READS,
    "encrypt": _READS,
    "send_message_batch": _BATCHES,
    "change_message_visibility_batch": _BATCHES,
}
"""The faults of each method of a client. Methods that are not listed are writes."""

OUTAGE = (Mode.THROTTLED, Mode.SERVER_ERROR, Mode.UNREACHABLE, Mode.TIMED_OUT)
"""The faults of calls to a service that is down."""

ERROR_RATE = 0.012
KILL_RATE = 0.004
STEP_FACTOR = 5
OUTAGE_RATE = 0.9
"""Shares of calls, in a run of intensity 1. The steps of a canary and of a replay are few, so that
each meets so many times more faults."""


class Plan:
    """Draws faults from a seeded source, and counts the injected faults by kind."""

    def __init__(self, rng: random.Random, intensity: float) -> None:
        self.injected: Counter[str] = Counter()
        self.intensity = intensity
        self.active = False
        self._rng = rng
        self._outages: dict[str, float] = {}
        self._steps: set[tuple[str, str]] = set()

    @property
    def unkilled(self) -> list[str]:
        """The steps at which no process has died yet, named like the kinds of faults."""
        kinds = (
            f"{role} {when} {what}"
            for role, what in self._steps
            for when in (Mode.KILLED_BEFORE, Mode.KILLED_AFTER)
        )
        return sorted(kind for kind in kinds if kind not in self.injected)

    def count(self, kind: str) -> None:
        """Count an injected fault."""
        self.injected[kind] += 1

    def roll(self, kind: str, rate: float) -> bool:
        """Whether to inject a fault of this kind now. If so, it is counted."""
        if not self.active or self._rng.random() >= rate * self.intensity:
            return False
        self.count(kind)
        return True

    def begin_outage(self, service: str, until: float) -> None:
        """Let most calls to a service fail until a moment."""
        self._outages[service] = until
        self.count(f"{service} outage")

    def is_down(self, service: str, now: float) -> bool:
        """Whether a service has an outage now."""
        return self._outages.get(service, 0.0) > now

    def kill(self, role: str, what: str, factor: float = 1.0) -> str:
        """Whether a process dies "before" or "after" a step; "" for neither."""
        chance = self._rng.random() if self.active else 1.0
        self._steps.add((role, what))
        rate = KILL_RATE * self.intensity * factor
        if chance >= rate:
            return ""
        when = "before" if chance < rate / 2 else "after"
        self.count(f"{role} killed {when} {what}")
        return when

    def draw(self, role: str, service: str, method: str, now: float, step: str = "") -> Mode | None:
        """The fault of a call by a process of this role; None for no fault.

        `step` names a call that meets more faults than others.
        """
        if not self.active:
            return None
        what = step or operation_name(method)
        self._steps.add((role, what))
        chance = self._rng.random()
        factor = STEP_FACTOR if step else 1
        kills = KILL_RATE * self.intensity * factor
        if chance < kills:
            mode = Mode.KILLED_BEFORE if chance < kills / 2 else Mode.KILLED_AFTER
            self.count(f"{role} {mode} {what}")
            return mode
        if self.is_down(service, now):
            if chance < OUTAGE_RATE:
                mode = self._rng.choice(OUTAGE)
                self.count(f"{what} {mode}")
                return mode
        elif chance < kills + ERROR_RATE * self.intensity * factor:
            mode = self._rng.choice(ERRORS.get(method, _WRITES))
            self.count(f"{what} {mode}")
            return mode
        return None
