"""How many processes Lambda reads one queue with: five at first, and more while messages wait."""

FIRST_PROCESSES = 5
GROWTH = 300 / 60
"""AWS: Lambda reads a queue with five processes, and adds 300 a minute while messages are left."""

LEFT_SECONDS = 1.0
QUIET_SECONDS = 60.0
"""Seconds for which messages have to be left over before processes are added, and seconds without
any after which there are five again. Assumptions: AWS says neither."""


class Ramp:
    """The processes of one queue, `maximum` at most. Times are in seconds, and never go back."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._processes = float(min(FIRST_PROCESSES, maximum))
        self._emptied_at = self._grown_at = 0.0

    @property
    def processes(self) -> int:
        """How many batches may be in flight."""
        return int(self._processes)

    def emptied(self, now: float) -> None:
        """A process has found no message."""
        self._emptied_at = now
        if now - self._grown_at > QUIET_SECONDS:
            self._processes = float(min(FIRST_PROCESSES, self._maximum))

    def left(self, now: float) -> None:
        """All processes are busy, and messages are left: for some time, if it was so before."""
        since = max(self._emptied_at + LEFT_SECONDS, self._grown_at)
        if now > since:
            self._processes = min(self._processes + (now - since) * GROWTH, self._maximum)
            self._grown_at = now
