"""Starts and stops `make run`, as a newcomer would, for the tests of this folder."""

import json
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import disruptive
import pytest

ROOT = Path(__file__).parents[2]

START_SECONDS = 120
"""Without the environments and the artefact, which `make test` has made before."""

STOP_SECONDS = 5
"""The limits that `make run` promises."""


class Stack:
    """A running `make run`. `ready` is the object of its ready line.

    It unpacks files in `temporary`.
    """

    def __init__(self, state_dir: Path) -> None:
        self.temporary = state_dir / "tmp"
        self.ports = free_port(), free_port()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.output: list[str] = []
        self._process = subprocess.Popen(
            [
                "make",
                "--no-print-directory",
                "run",
                f"PORT={self.ports[0]}",
                f"RECEIVER_PORT={self.ports[1]}",
                f"STATE_DIR={state_dir}",
                "DEMO=0",
            ],
            cwd=ROOT,
            # The environment is that of a user's shell, without the variables of `make test`.
            env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.ready = self._wait_until_ready()

    @property
    def pid(self) -> int:
        """The process id of `make`. All other processes are its descendants."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line.rstrip())
        self._lines.put(None)

    def _wait_until_ready(self) -> dict[str, str]:
        deadline = time.monotonic() + START_SECONDS
        while True:
            line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            if line is None:
                raise AssertionError("make run ended:\n" + "\n".join(self.output))
            self.output.append(line)
            if line.startswith("ready "):
                ready: dict[str, str] = json.loads(line.removeprefix("ready "))
                return ready

    def stop(self) -> tuple[float, int]:
        """Stop it as a supervisor would; the seconds it took, and its exit code."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(STOP_SECONDS * 4)
        return time.monotonic() - began, code

    def end(self) -> None:
        """Kill everything that is left, whatever a test did."""
        if self._process.poll() is None:
            self.stop()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def processes(self) -> list[int]:
        """The processes of its session that still exist."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self._process.pid and fields[0] != "Z":
                    found.append(int(entry.name))
        return found


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One local stack for all tests of this folder."""
    running = Stack(tmp_path_factory.mktemp("state"))
    yield running
    running.end()


@pytest.fixture(scope="session")
def sdk(stack: Stack) -> Any:
    """The vendor's SDK, configured as the README says: a credentials file and two lines."""
    os.environ["DT_CREDENTIALS_FILE"] = stack.ready["credentials"]
    disruptive.default_auth = disruptive.Auth.init()  # as its import does if the variable is set
    disruptive.base_url = stack.ready["api"]
    disruptive.emulator_base_url = stack.ready["api"]
    return disruptive
