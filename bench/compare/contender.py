"""What is compared: events, the conditions that hold for all, and what a contender has to do."""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import certifi

from bench.compare.conversation import Conversation
from bench.compare.processes import Process
from dataconnectors.kernel import times
from local.ports import HOST

ENDPOINTS = 10
"""As many customers, each with an endpoint of its own."""

SECRET = "a-secret-of-32-bytes-for-compare"  # no secret: nobody else checks it

ATTEMPT_S = 3
"""Seconds that an attempt may take, for all. Ours has 10 by default; with 3 a run takes a quarter
of an hour, and a sample that tries ten messages one after the other can end within its timeout."""

FUNCTION_S = 15
"""Timeout of both Lambda functions, in seconds: enough for five attempts that hang."""

LEASE_S = 6 * FUNCTION_S
"""Seconds that a message which a dead worker held stays hidden. AWS recommends six times the
function's timeout for the visibility timeout of a queue that Lambda reads."""

PARALLEL_BATCHES = 20
"""Batches in flight at once. Ours has two for each of its ten queues, the least that AWS allows."""

PARALLEL_ATTEMPTS = PARALLEL_BATCHES * 10
"""Attempts at once, which is what twenty batches of ten are to a sender that makes them in
parallel."""

FIRST_WAIT_S, LONGEST_WAIT_S, ATTEMPTS = 8, 3600, 20
"""The back-off of all that have one: ours, which doubles from 8 s to an hour, for 12 hours. What
Celery and BullMQ do by default gives up within seconds."""

COMMAND_S = 30.0
"""Seconds for one answer of a helping process, on a busy machine."""


class Event(NamedTuple):
    """An event for one endpoint: `body` is POSTed as it is."""

    id: str
    endpoint: int
    body: str


def an_event(event_id: str, endpoint: int) -> Event:
    """An event of the size of most: what a temperature sensor reports."""
    now = times.to_text(time.time())
    target = "projects/d6e1b8t0hq5g00c1aaaa/devices/d6e1b8t0hq5g00c1bbbb"
    event = {
        "eventId": event_id,
        "targetName": target,
        "eventType": "temperature",
        "data": {"temperature": {"value": 4.2, "updateTime": now}},
        "timestamp": now,
    }
    value = {
        "event": event,
        "labels": {"name": "Cold room", "room": "Kitchen"},
        "metadata": {"deviceId": "d6e1b8t0hq5g00c1bbbb", "deviceType": "temperature"},
    }
    return Event(event_id, endpoint, json.dumps(value, separators=(",", ":")))


@dataclass(frozen=True)
class Place:
    """Where a contender runs: a directory for its files, and the receiver's endpoints.

    `authorities` is a PEM file with the public authorities and the receiver's.
    """

    directory: Path
    urls: tuple[str, ...]
    authority: Path
    authorities: Path


class Contender(Protocol):
    """One way to deliver events. `lease` is how many seconds what a dead worker held stays away."""

    name: str
    lease: float

    def start(self) -> None:
        """Start broker and workers; raises an error that says what is missing."""

    def publish(self, events: Sequence[Event]) -> Mapping[str, float]:
        """Publish events; when each of them was, in epoch seconds."""

    def application(self) -> list[Process]:
        """The processes that deliver."""

    def broker(self) -> list[Process]:
        """The processes that keep the queue."""

    def kill(self) -> None:
        """`kill -9` all workers, and start them again if nothing else does."""

    def stop(self) -> None:
        """End everything, also when it was not started completely."""


class Receiver:
    """The receiver's process."""

    def __init__(self, directory: Path) -> None:
        """Start it; its files go to `directory`."""
        command = [sys.executable, "-m", "bench.compare.receiver", str(directory), str(ENDPOINTS)]
        self._conversation = Conversation(command, directory / "receiver.log")
        ports = self._conversation.answer(COMMAND_S)
        authority = directory / "ca.pem"
        # All know the public authorities too: to load those is a good part of a new connection.
        authorities = directory / "authorities.pem"
        authorities.write_text(Path(certifi.where()).read_text() + authority.read_text())
        self.place = Place(
            directory,
            tuple(f"https://{HOST}:{port}/hook" for port in ports),
            authority,
            authorities,
        )

    def _ask(self, **command: Any) -> Any:
        return self._conversation.ask(command, COMMAND_S)

    def hang(self, *endpoints: int) -> None:
        """Have these endpoints never answer, and all others do."""
        self._ask(hang=endpoints)

    def delay(self, seconds: float) -> None:
        """Have all endpoints answer after so many seconds."""
        self._ask(delay=seconds)

    def down(self, is_down: bool) -> None:
        """Close all ports and connections, or open the ports again."""
        self._ask(down=is_down)

    def count(self, prefix: str) -> int:
        """How many events have arrived whose ids begin with `prefix`."""
        return int(self._ask(count=prefix))

    def arrivals(self, prefix: str) -> list[tuple[str, int, float, bool]]:
        """What arrived: id, endpoint, epoch second, and whether it was signed correctly."""
        found = self._ask(arrivals=prefix, secret=SECRET)
        return [(event_id, endpoint, at, signed) for event_id, endpoint, at, signed in found]

    def end(self) -> None:
        """End it."""
        self._conversation.end()
