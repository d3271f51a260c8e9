"""The events of a replay, in a fixed order, from any position on: counted, and in pages."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from itertools import islice

from dataconnectors.events.event import Event
from dataconnectors.replay.replay import Position, Replay
from dataconnectors.store import keys
from dataconnectors.store.devices import DeviceStore
from dataconnectors.store.history import HistoryStore, Span

QUERIES_OF_PAGE = 100
"""Queries after which a page ends, however few events it has: a run saves how far it is at least
that often. A Query takes 5 ms, or 50 ms when it reads 1 MB."""

COUNTED_AT_ONCE = 32
"""Devices whose events are counted in parallel: as many as a client has connections."""


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some of a replay's events, and the position after them; None after the last page."""

    events: Sequence[Event]
    position: Position | None


@dataclass(frozen=True, slots=True)
class CountedPart:
    """How many events a part of a replay has, and the position after it; None after the last."""

    count: int
    position: Position | None


class ReplayEvents:
    """Reads the events of replays. The `executor` counts in parallel."""

    def __init__(self, devices: DeviceStore, history: HistoryStore, executor: Executor) -> None:
        self._devices = devices
        self._history = history
        self._executor = executor

    def pages(self, replay: Replay, size: int) -> Iterator[EventPage]:
        """Yield what follows the replay's position, device by device, the oldest events first.

        A page has `size` events at most.
        """
        events: list[Event] = []
        queries = 0
        for start in self._devices_from(replay):
            span, after = _span(replay, start.device), start.event
            while True:
                found, after = self._history.in_order(span, limit=size - len(events), after=after)
                events += found
                queries += 1
                if len(events) == size or queries == QUERIES_OF_PAGE:
                    yield EventPage(events, Position(False, start.partition, start.device, after))
                    events, queries = [], 0
                if not after:
                    break
        yield EventPage(events, None)

    def counts(self, replay: Replay) -> Iterator[CountedPart]:
        """Yield how many events follow the replay's position, part by part."""
        devices = self._devices_from(replay)
        while chunk := list(islice(devices, COUNTED_AT_ONCE)):
            counted = self._executor.map(partial(self._count, replay), chunk)
            for start, (count, after) in zip(chunk, counted, strict=True):
                yield from self._parts(replay, start, count, after)
        yield CountedPart(0, None)

    def _parts(
        self, replay: Replay, start: Position, count: int, after: str
    ) -> Iterator[CountedPart]:
        """Yield the parts of one device, of which one Query has counted `count` up to `after`."""
        queries = 1
        while after:
            if queries == QUERIES_OF_PAGE:
                yield CountedPart(count, Position(True, start.partition, start.device, after))
                count = queries = 0
            more, after = self._count(replay, Position(True, start.partition, start.device, after))
            count, queries = count + more, queries + 1
        yield CountedPart(count, Position(True, start.partition, start.device))

    def _count(self, replay: Replay, start: Position) -> tuple[int, str]:
        return self._history.count(_span(replay, start.device), after=start.event)

    def _devices_from(self, replay: Replay) -> Iterator[Position]:
        """Yield the beginning of each device from the replay's position on.

        The first one may be in the middle of a device. Devices that were deleted or moved to
        another project have no row, so they are left out unless the replay names them.
        """
        now = replay.position
        if now.event:
            yield now
        if replay.devices:
            yield from (
                Position(now.counting, 0, device)
                for device in replay.devices
                if device > now.device
            )
            return
        for partition, key in enumerate(keys.device_partitions(replay.project)):
            if partition >= now.partition:
                after = now.device if partition == now.partition else ""
                for state in self._devices.states(replay.project, key, after):
                    yield Position(now.counting, partition, state.device.id)


def _span(replay: Replay, device: str) -> Span:
    return Span(replay.project, device, replay.start, replay.end, replay.event_types)
