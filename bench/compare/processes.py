"""CPU time and peak memory of other processes, from /proc (proc(5))."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

TICK = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds of CPU in the units of /proc."""

LOOK_S = 0.25
"""Seconds between two looks. A process that ends between them loses at most that much."""


class Process(NamedTuple):
    """A process at one moment: `key` tells it from a later one with its id; `cpu` in seconds."""

    pid: int
    key: str
    cpu: float
    command: str


def of_session(session: int) -> Iterator[Process]:
    """The processes of a session that still exist."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == session and fields[0] != "Z":
                    cpu = (int(fields[11]) + int(fields[12])) * TICK
                    command = (entry / "cmdline").read_text().replace("\0", " ")
                    yield Process(int(entry.name), f"{entry.name} {fields[19]}", cpu, command)


def peak_memory(pid: int) -> int:
    """Bytes that a process has had resident at most, shared pages included; 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def kill(pids: set[int]) -> None:
    """End these processes without a warning, as `kill -9` and the kernel's OOM killer do."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@dataclass
class Usage:
    """What a group of processes has used so far: CPU seconds, and peak bytes, by process."""

    cpu: dict[str, float] = field(default_factory=dict)
    peaks: dict[str, int] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """CPU seconds of all, those that have ended included."""
        return sum(self.cpu.values())

    @property
    def peak(self) -> int:
        """The sum of the processes' peaks, in bytes. Pages that they share count for each."""
        return sum(self.peaks.values())


Group = Callable[[], list[Process]]


class Watch:
    """In a `with` block: what groups of processes use, also of those that end meanwhile."""

    def __init__(self, **groups: Group) -> None:
        self._groups = groups
        self.usage = {name: Usage() for name in groups}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self.look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()
        self.look()

    def look(self) -> dict[str, float]:
        """CPU seconds of each group until now."""
        with self._lock:
            for name, group in self._groups.items():
                usage = self.usage[name]
                for process in group():
                    usage.cpu[process.key] = process.cpu
                    usage.peaks[process.key] = peak_memory(process.pid)
            return {name: usage.seconds for name, usage in self.usage.items()}

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()
