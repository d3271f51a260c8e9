"""What the ledger knows of replays, and the rules that they must keep.

A replay that succeeded has sent each event that it was asked for. One that goes on after a process
has died begins with the page that process was at: nothing is left out, and what an earlier run has
sent and saved is not sent again.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from tests.faults.models.dynamodb import Item

EVENTS_KEPT = 300
"""Events of a device that the run's history keeps, the newest ones, as if the others had expired. A
million would fill the memory."""

LONGEST = 400
"""The most events of a project that a customer asks for."""

PAGE_MESSAGES = 20
"""Messages of a page of a replay: fewer than outside of runs, so that short runs have several."""


@dataclass(frozen=True)
class Kept:
    """An event in history: its time in microseconds, its type and its device's id."""

    micros: int
    event_type: str
    device: str


@dataclass(eq=False)
class ReplayRun:
    """An invocation that works on the replay with this name. `began` is the tick at its begin.

    `sent` are the numbers of the events that it has put into the queue.
    """

    name: str
    began: int
    sent: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Replay:
    """A replay as its row says.

    `expected` are the events that were in history when it was started, and still are; `sent` those
    that any of its runs has put into the queue. `saved` were sent by runs that ended well, so no
    later run may send them again. `began` is the tick before its connector was read.
    """

    project: str
    connector: str
    began: int
    event_types: frozenset[str]
    expected: set[int]
    state: str = "RUNNING"
    cancelled: bool = False
    sent: set[int] = field(default_factory=set)
    saved: set[int] = field(default_factory=set)


class Replays:
    """All replays of a run, and what of history is kept.

    `sent` counts the messages of all replays, and `succeeded` the replays that did. `violated` is
    called with each broken promise. `excused` says whether a connector was stopped since a tick,
    and `wanted` whether it wanted a type all the time since then.
    """

    def __init__(
        self,
        violated: Callable[[str], None],
        excused: Callable[[str, int], bool],
        wanted: Callable[[str, str, int], bool],
    ) -> None:
        self.sent = 0
        self.succeeded = 0
        self._violated, self._excused, self._wanted = violated, excused, wanted
        self._history: dict[str, dict[int, Kept]] = {}
        self._numbers: dict[tuple[str, str], int] = {}
        self._replays: dict[str, Replay] = {}
        self._running: dict[str, Replay] = {}

    @property
    def is_any_running(self) -> bool:
        """Whether there is a replay that has not ended."""
        return bool(self._running)

    def times_of(self, project: str) -> list[int]:
        """The times of a project's events in history, in microseconds and in order."""
        return sorted(kept.micros for kept in self._history.get(project, {}).values())

    # --- rows ----------------------------------------------------------------------------------

    def kept(self, key: tuple[str, str], item: Item, number: int) -> None:
        """Take note of an event that is written to history."""
        _, project, device = key[0].split("#")
        kept = Kept(int(key[1].partition("#")[0]), item["eventType"]["S"], device)
        self._history.setdefault(project, {})[number] = kept
        self._numbers[key] = number

    def expired(self, key: tuple[str, str]) -> None:
        """Take note that the oldest event of a device is not in history any more."""
        _, project, _ = key[0].split("#")
        number = self._numbers.pop(key)
        del self._history[project][number]
        for replay in self._running.values():  # of those that have ended, nothing is expected
            if replay.project == project:
                replay.expected.discard(number)

    def written(self, key: tuple[str, str], item: Item, began: int) -> None:
        """Check the row of a replay. `began` is the tick at which the call began that wrote it."""
        connector = key[0].removeprefix("REPLAYS#")
        name = f"{connector}/replays/{key[1]}"
        replay = self._replays.get(name)
        if replay is None:
            replay = self._replays[name] = self._new(connector, item, began)
            self._running[name] = replay
        before, replay.state = replay.state, item["state"]["S"]
        if before == replay.state:
            return
        self._running.pop(name, None)
        if before != "RUNNING":
            self._violated(f"{name} was {before} and is now {replay.state}")
        elif replay.state == "SUCCEEDED":
            self.succeeded += 1
            self._check_whole(name, replay)
        elif replay.state == "FAILED" and not self._excused(connector, replay.began):
            self._violated(f"{name} failed: {item['error']['S']}")
        elif replay.state == "CANCELLED" and not replay.cancelled:
            self._violated(f"{name} is cancelled, and nobody asked for that")

    def _new(self, connector: str, item: Item, began: int) -> Replay:
        project = connector.split("/")[1]
        start, end = int(item["startTime"]["N"]), int(item["endTime"]["N"])
        types = frozenset(entry["S"] for entry in item["eventTypes"]["L"])
        devices = [entry["S"] for entry in item["devices"]["L"]]
        expected = {
            number
            for number, kept in self._history.get(project, {}).items()
            if start <= kept.micros < end
            and (not types or kept.event_type in types)
            and (not devices or kept.device in devices)
        }
        return Replay(project, connector, began, types, expected)

    def _check_whole(self, name: str, replay: Replay) -> None:
        history = self._history[replay.project]
        left_out = [
            number
            for number in sorted(replay.expected - replay.sent)
            if self._wanted(replay.connector, history[number].event_type, replay.began)
        ]
        if left_out:
            self._violated(f"{name} has succeeded and left out {len(left_out)} events: {left_out}")

    # --- what happens ----------------------------------------------------------------------------

    def cancelled(self, name: str) -> None:
        """Take note that a customer asks for a replay's end."""
        if name in self._replays:
            self._replays[name].cancelled = True

    def queued(self, run: ReplayRun, number: int) -> None:
        """Check an event that a run has put into the queue."""
        self.sent += 1
        replay = self._replays[run.name]
        run.sent.add(number)
        replay.sent.add(number)
        if number in replay.saved:
            self._violated(f"{run.name} sent event {number} again")

    def ended(self, run: ReplayRun, outcome: str, faulted: Collection[str]) -> None:
        """Take note of a run's end. A run without faults that still had its replay has saved
        everything."""
        if outcome != "not ours" and not faulted:
            self._replays[run.name].saved |= run.sent

    def close(self) -> None:
        """Check that no replay was forgotten."""
        for name in self._running:
            self._violated(f"{name} is still running")
