"""A Redis of our own, on loopback, with its files in a directory of its own."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from bench.compare.processes import Process, of_session
from local.ports import HOST, free_port
from tools import apt

PROGRAM = "redis-server"

INSTALL_S = 180
"""Seconds. Debian's package has 2 MB with all that it needs; a slow mirror takes minutes."""

START_S, STOP_S = 10.0, 5.0
"""Seconds that Redis may take to answer, and to end."""

LOOK_S = 0.05

MISSING = (
    f"{PROGRAM} is missing, which Celery and BullMQ need: install it (`apt-get install {PROGRAM}`; "
    "the service that this may start is not used), or leave them out (`make compare ONLY='ours "
    "sample'`)"
)

OPTIONS = (
    # BullMQ's documentation: append-only file, written each second; nothing is evicted. Celery's
    # asks for the last, too.
    "--appendonly yes --appendfsync everysec --maxmemory-policy noeviction --save ''"
)


class RedisError(Exception):
    """Redis is missing, or did not start."""


def find() -> str:
    """The program's path. Installs Debian's where that is possible; else raises `RedisError`."""
    found = shutil.which(PROGRAM)
    if found is None:
        print(f"installing {PROGRAM} with apt", flush=True)
        wrong = apt.install([PROGRAM], INSTALL_S)
        found = shutil.which(PROGRAM)
        if found is None:
            raise RedisError(f"{MISSING}: {wrong}")
    return found


class Redis:
    """One run of Redis."""

    def __init__(self, directory: Path) -> None:
        """Start it, and wait until it answers; raises `RedisError` when it does not."""
        port = free_port()
        log = directory / "redis.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [find(), "--port", str(port), "--bind", HOST, "--dir", str(directory.absolute())]
                + [word.strip("'") for word in OPTIONS.split()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = f"redis://{HOST}:{port}/0"
        deadline = time.monotonic() + START_S
        while not _answers(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RedisError(f"redis-server did not answer within {START_S:g} s; see {log}")
            time.sleep(LOOK_S)

    def processes(self) -> list[Process]:
        """Its process, and while it rewrites its file a second one."""
        return list(of_session(self._process.pid))

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
