"""Kills workers of the local stack while events flow, with real processes and time.

    python -m tests.e2e.workers_killed --minutes 10 --events 5000

Starts `make run`, publishes to a receiver that flaps, and kills a random worker process of the
emulator every few seconds. The worker may be an ingest, sender or API function, and may be doing
anything. Then waits until the receiver has acknowledged every event that was accepted from a
publisher. Prints one line, and ends with 1 when an event is missing.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from client.http import CallError
from tests.e2e.conftest import Stack
from tests.e2e.customer import Customer

BATCH = 10
"""Events of a publish call."""

KILL_EVERY = (1.0, 6.0)
"""Seconds between two kills, at random."""

FLAP_EVERY = (3.0, 15.0)
"""Seconds between two changes of what the receiver answers, at random."""

ANSWERS: Sequence[Mapping[str, float]] = (
    {"status": 500},
    {"status": 503, "delay_s": 0.5},
    {"status": 200, "delay_s": 1},
    {"status": 301},
    {"status": 200},
    {"status": 200},
)

DRAIN_SECONDS = 900
"""A killed sender's messages wait 180 s, and one that failed six times before waits 256 s."""

HOOK = "killed"


class Run:
    """A run, with the accepted events, the acknowledged ones, and the killed workers."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self.random = random.Random(seed)
        self.accepted: set[str] = set()
        self.acknowledged: Counter[str] = Counter()
        self.attempts = 0
        self.kills = 0
        self.repeated_calls = 0
        self.over = threading.Event()
        self._customer = Customer(stack.ready, timeout=35)
        self._customer.connect(HOOK)  # before any worker is killed
        self._seen = 0

    def publish(self, events: int, minutes: float) -> None:
        """Publish evenly over the time. Each call is repeated until it is answered with 200."""
        calls = events // BATCH
        began = time.monotonic()
        for call in range(calls):
            ids = [f"event-{call}-{number}" for number in range(BATCH)]
            body = self._customer.touches(ids)
            while not self._accepted(body):
                self.repeated_calls += 1
                time.sleep(0.5)
            self.accepted.update(ids)
            due = began + (call + 1) * minutes * 60 / calls
            time.sleep(max(0.0, due - time.monotonic()))

    def _accepted(self, body: Sequence[Mapping[str, Any]]) -> bool:
        try:
            return self._customer.publish(body)
        except CallError:
            return False

    def kill(self) -> None:
        """Kill workers until the run is over."""
        while not self.over.wait(self.random.uniform(*KILL_EVERY)):
            workers = self.workers()
            if workers:
                os.kill(self.random.choice(workers), signal.SIGKILL)
                self.kills += 1

    def workers(self) -> list[int]:
        """The processes that run functions: children of the emulator, found by its command line."""
        found = []
        for pid in descendants(self.stack.pid):
            try:
                command = (Path("/proc") / str(pid) / "cmdline").read_bytes()
            except OSError:
                continue
            parent_is_emulator = b"emulator_process" in command_of_parent(pid)
            if parent_is_emulator and b"emulator_process" not in command:
                found.append(pid)
        return found

    def flap(self) -> None:
        """Change what the receiver answers until the run is over, then leave it healthy."""
        while not self.over.wait(self.random.uniform(*FLAP_EVERY)):
            self._customer.let_answer(HOOK, **self.random.choice(ANSWERS))
        self._customer.let_answer(HOOK, status=200)

    def look(self) -> None:
        """Take in what the receiver has answered since the last look."""
        for delivery in self._customer.deliveries(HOOK, after=self._seen):
            if delivery.answered is None:
                return  # the next call reads it again
            self._seen = delivery.number
            self.attempts += 1
            if delivery.answered == 200:
                self.acknowledged[delivery.event_id] += 1

    def missing(self) -> set[str]:
        """The accepted events that the receiver has not acknowledged yet."""
        return self.accepted - self.acknowledged.keys()


def descendants(pid: int) -> list[int]:
    """All descendants of a process."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            children.setdefault(parent(int(entry.name)), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def parent(pid: int) -> int:
    """The parent of a process; 0 when the process is gone."""
    try:
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def command_of_parent(pid: int) -> bytes:
    """The command line of a process's parent."""
    try:
        return (Path("/proc") / str(parent(pid)) / "cmdline").read_bytes()
    except OSError:
        return b""


def main() -> int:
    """Do the run and print its line."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.workers_killed")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            run = Run(stack, options.seed)
            helpers = [threading.Thread(target=work) for work in (run.kill, run.flap)]
            for helper in helpers:
                helper.start()
            publisher = threading.Thread(target=run.publish, args=(options.events, options.minutes))
            publisher.start()
            while publisher.is_alive():
                run.look()
                publisher.join(1)
            run.over.set()
            for helper in helpers:
                helper.join()
            deadline = time.monotonic() + DRAIN_SECONDS
            while run.missing() and time.monotonic() < deadline:
                run.look()
                time.sleep(1)
        finally:
            stack.end()
    duplicates = sum(run.acknowledged.values()) - len(run.acknowledged)
    print(
        f"workers killed: events={len(run.accepted)} attempts={run.attempts} kills={run.kills} "
        f"repeated_calls={run.repeated_calls} duplicates={duplicates} lost={len(run.missing())} "
        f"seed={options.seed} seconds={time.monotonic() - began:.0f}"
    )
    return 1 if run.missing() else 0


if __name__ == "__main__":
    sys.exit(main())
