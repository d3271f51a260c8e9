"""Starts the function that runs replays, for each replay that no process works on.

The config API does this when it has made a replay, and the reconciler every minute: so a replay
goes on whose process died, or whose process had no time left.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.kernel.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class UnfinishedReplay:
    """A replay that runs, by its resource name.

    A process works on it until `leased_until`, and saved it at `update_time`, in epoch seconds.
    """

    name: str
    leased_until: float
    update_time: float


class UnfinishedReplays(Protocol):
    """What this module needs of `store.replays.ReplayStore`."""

    def unfinished(self) -> Sequence[UnfinishedReplay]:
        """The replays of all projects that are not finished."""


@dataclass(frozen=True, slots=True)
class StartReport:
    """How many replays were `started`, and how many are `waiting` for another one to end.

    `error` says why not all could be started, or is "".
    """

    started: int = 0
    waiting: int = 0
    error: str = ""


class WaitingRuns:
    """Starts runs of replays, at most `concurrency` at a time.

    Each run takes one of the account's concurrent executions for up to 15 minutes. `functions` is a
    client of Lambda, and `function` the ARN of the function that runs a replay.
    """

    def __init__(
        self, replays: UnfinishedReplays, functions: Any, function: str, concurrency: int
    ) -> None:
        self._replays = replays
        self._functions = functions
        self._function = function
        self._concurrency = concurrency

    def start(self, now: float) -> StartReport:
        """Start what waits at `now`, in epoch seconds; that which has waited longest comes first.

        A replay that is started twice is run once: see `store.replays.ReplayStore.claim`. Raises
        nothing when AWS fails: the report's `error` says so, and the next minute's call goes on.
        """
        started = waiting = 0
        try:
            unfinished = self._replays.unfinished()
            idle = [replay for replay in unfinished if replay.leased_until <= now]
            idle.sort(key=lambda replay: replay.update_time)
            places = max(self._concurrency - (len(unfinished) - len(idle)), 0)
            waiting = len(idle)
            for replay in idle[:places]:
                self._functions.invoke(
                    FunctionName=self._function,
                    InvocationType="Event",
                    Payload=json.dumps({"replay": replay.name}).encode(),
                )
                started, waiting = started + 1, waiting - 1
        except (ClientError, BotoCoreError, UnavailableError) as error:
            return StartReport(started, waiting, f"{type(error).__name__}: {error}")
        return StartReport(started, waiting)
