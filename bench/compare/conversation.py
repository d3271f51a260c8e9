"""A process that answers each line of JSON with a line of JSON, within a deadline."""

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

END_S = 5.0
"""Seconds that a process may take to end after its standard input has."""


class ConversationError(Exception):
    """The process ended, or did not answer in time."""


class Conversation:
    """Starts a process and talks to it. Its errors go to `log`."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start it. It gets this process's environment unless told otherwise."""
        self._command, self._log = command, log
        with log.open("ab") as errors:
            self.process: subprocess.Popen[str] = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
                start_new_session=True,
            )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert self.process.stdout is not None
        threading.Thread(target=self._read, args=[self.process.stdout], daemon=True).start()

    def _read(self, output: IO[str]) -> None:
        for line in output:
            self._lines.put(line)
        self._lines.put("")

    def answer(self, seconds: float) -> Any:
        """The next line's value; raises `ConversationError` after so many seconds without one."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            raise ConversationError(
                f"{' '.join(self._command[:4])} did not answer within {seconds:g} s; "
                f"see {self._log}"
            )
        return json.loads(line)

    def ask(self, value: object, seconds: float) -> Any:
        """Send a value and wait for its answer; raises `ConversationError` as `answer`."""
        assert self.process.stdin is not None
        try:
            print(json.dumps(value), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            raise ConversationError(f"{self._command} has ended; see {self._log}") from None
        return self.answer(seconds)

    def end(self) -> None:
        """End it, and wait until it has ended. Does nothing if it has."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
