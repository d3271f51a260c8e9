"""Replay: sending a part of history once more, to one connector only, at a pace.

A run saves how far it is after each page. If its process dies, the next run begins after the last
saved page: nothing is left out, and one page is sent twice at most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dataconnectors.aws.queue_depth import queue_depth
from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.devices.device import Device
from dataconnectors.events.event import Event
from dataconnectors.ingest.fan_out import fan_out
from dataconnectors.ingest.queues import ConnectorQueues, QueueEntry
from dataconnectors.ingest.replay_events import EventPage, ReplayEvents
from dataconnectors.kernel.errors import EventError, UnavailableError
from dataconnectors.replay.pace import Pace
from dataconnectors.replay.replay import MAXIMUM_AGE_SECONDS, Position, Replay, ReplayState
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.replays import ReplayStore

RESERVE_SECONDS = 60.0
"""A run ends when its invocation has less time left than this: the deadlines of a page's calls, and
some to save how far it is."""

LOOKS = 5
"""How often a run looks at a queue that is not short, before it ends. The next one begins within a
minute. So an endpoint that is down for hours costs six seconds a minute and not sixty."""

LOOK_SECONDS = 1.0
"""From one look at a queue to the next one."""

SAVE_SECONDS = 5.0
"""A run that counts saves how far it is this often."""

SEND_ROUNDS = 3
"""How often a page is sent while SQS does not confirm all of it; `ConnectorQueues` has tried each
message three times by then. After that the run fails, and another one begins with the page."""

UNFINISHED = "unfinished"
"""The report's `outcome` when a later run goes on: there was no time left, the queue was not short
or not ready, or the connector's events are held."""

NOT_OURS = "not ours"
"""The report's `outcome` when the replay is finished, was cancelled, or has another process."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did: it `sent` so many messages, and the replay is now as `outcome` says."""

    outcome: str
    sent: int


@dataclass(slots=True)
class _Run:
    """A run of one process. `replay` is as far as it has come."""

    replay: Replay
    process: str
    remaining: Callable[[], float]

    @property
    def has_time(self) -> bool:
        return self.remaining() > RESERVE_SECONDS


class ReplayRunner:
    """Runs replays, each until it ends or the invocation's time is over."""

    def __init__(
        self,
        replays: ReplayStore,
        connectors: ConnectorStore,
        devices: DeviceStore,
        events: ReplayEvents,
        queues: ConnectorQueues,
        sqs: Any,
        pace: Pace,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """`sqs` is a botocore client. `now` gives epoch seconds; `sleep` takes seconds."""
        self._replays = replays
        self._connectors = connectors
        self._devices = devices
        self._events = events
        self._queues = queues
        self._sqs = sqs
        self._pace = pace
        self._now = now
        self._sleep = sleep

    def run(self, name: str, process: str, remaining: Callable[[], float]) -> RunReport:
        """Go on with the replay of this name, within the `remaining()` seconds.

        `process` is a text that no other run uses. Raises `UnavailableError` when the queue does
        not take a page, and botocore's errors: the replay then goes on when its lease is over.
        """
        connector, _, replay_id = name.rpartition("/replays/")
        replay = self._replays.claim(connector, replay_id, process, self._now())
        if replay is None:
            return RunReport(NOT_OURS, 0)
        run = _Run(replay, process, remaining)
        outcome = self._count(run) or self._send(run)
        return RunReport(outcome, run.replay.sent - replay.sent)

    def _count(self, run: _Run) -> str | None:
        """Count the replay's events, unless that is done; returns the outcome if that is all."""
        if not run.replay.position.counting:
            return None
        saved_at = self._now()
        for part in self._events.counts(run.replay):
            counted = run.replay.counted + part.count
            if part.position is None:
                run.replay = replace(
                    run.replay, counted=counted, total=counted, position=Position(counting=False)
                )
            else:
                run.replay = replace(run.replay, counted=counted, position=part.position)
            is_last, has_time = part.position is None, run.has_time
            if is_last or not has_time or self._now() - saved_at >= SAVE_SECONDS:
                saved_at = self._now()
                if not self._save(run, keep=has_time):
                    return NOT_OURS
                if not has_time:
                    return UNFINISHED
        return None

    def _send(self, run: _Run) -> str:
        """Send page after page; returns the outcome."""
        for page in self._events.pages(run.replay, self._pace.page_messages):
            connector = self._connectors.connector(run.replay.connector)
            error = self._why_not(run.replay, connector)
            if error or connector is None:
                return self._finish(run, ReplayState.FAILED, error)
            if not self._queue_is_short(connector):
                return UNFINISHED if self._save(run, keep=False) else NOT_OURS
            began = self._now()
            sent = self._send_page(connector, page)
            run.replay = replace(
                run.replay,
                sent=run.replay.sent + sent,
                skipped=run.replay.skipped + len(page.events) - sent,
                position=page.position or run.replay.position,
            )
            if page.position is None:
                return self._finish(run, ReplayState.SUCCEEDED, "")
            has_time = run.has_time
            if not self._save(run, keep=has_time):
                return NOT_OURS
            if not has_time:
                return UNFINISHED
            self._sleep(max(self._pace.pause_after(sent) - (self._now() - began), 0.0))
        return UNFINISHED

    def _why_not(self, replay: Replay, connector: Connector | None) -> str:
        """Why the replay cannot go on, and what to do; "" when it can."""
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            return "the connector was deleted"
        if not connector.is_active:
            return "the connector was disabled: enable it, and start another replay"
        if not connector.sends(replay.epoch):
            return "the connector was disabled and enabled again: start another replay"
        if self._now() - replay.create_time > MAXIMUM_AGE_SECONDS:
            what_to_do = (
                "the connector is paused: resume it, and start another replay"
                if connector.is_paused
                else "look at the connector's expired events and metrics, and start another replay "
                "of a shorter time"
            )
            return f"not finished after {MAXIMUM_AGE_SECONDS // 86400} days: {what_to_do}"
        return ""

    def _queue_is_short(self, connector: Connector) -> bool:
        """Wait until the connector's queue is short; False when it is not in time, or not there.

        While a connector is paused or in an outage, a replay sends nothing: its messages would only
        be held, and their 12 hours would run.
        """
        if connector.lifecycle is not Lifecycle.READY or connector.held_since is not None:
            return False
        for look in range(LOOKS):
            if look:
                self._sleep(LOOK_SECONDS)
            depth = queue_depth(self._sqs, connector.queue_url)
            if depth is None:
                return False
            if not self._pace.holds_back(depth):
                return True
        return False

    def _send_page(self, connector: Connector, page: EventPage) -> int:
        """Send a page, and return how many messages it made."""
        entries = self._entries(connector, page.events)
        remaining = entries
        reason = ""
        for round_number in range(SEND_ROUNDS):
            if not remaining:
                break
            if round_number:
                self._sleep(LOOK_SECONDS)
            unconfirmed = self._queues.send({connector.queue_url: remaining})[
                connector.queue_url
            ].unconfirmed
            remaining = [entry for entry in remaining if entry.event_index in unconfirmed]
            reason = next(iter(unconfirmed.values()), "")
        if remaining:
            raise UnavailableError(
                f"{len(remaining)} events were not taken by the queue of {connector.name} "
                f"({reason}): the replay goes on in a minute or two"
            )
        return len(entries)

    def _entries(self, connector: Connector, events: Sequence[Event]) -> list[QueueEntry]:
        """The messages of a page: with the labels that the devices have now.

        The connector's types count too, which may have changed since the replay began.
        """
        devices = self._devices.devices(connector.project, [event.device for event in events])
        entries = []
        for index, event in enumerate(events):
            gone = Device(connector.project, event.device, "", {}, "", "")
            device = devices.get(event.device, gone)
            try:
                messages = fan_out(event, device, [connector], self._now())
            except EventError:
                continue  # With the labels that the device has now, the event is too large.
            entries += [QueueEntry(index, text) for _, text in messages]
        return entries

    def _save(self, run: _Run, *, keep: bool) -> bool:
        return self._replays.save(run.replay, run.process, self._now(), keep=keep)

    def _finish(self, run: _Run, state: ReplayState, error: str) -> str:
        ended = self._replays.finish(run.replay, state, error, run.process, self._now())
        return state.value if ended else NOT_OURS
