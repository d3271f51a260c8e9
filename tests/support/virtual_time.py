"""A clock that moves only when a test says so."""

EPOCH = 1_790_000_160.0
"""The epoch second at a test's begin: one minute after the reconciler's drift check."""


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class VirtualTime:
    """A clock that moves only when somebody sleeps or calls AWS."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept = 0.0

    def clock(self) -> float:
        """Seconds, as `time.monotonic`."""
        return self.elapsed

    def now(self) -> float:
        """Epoch seconds, as `time.time`."""
        return EPOCH + self.elapsed

    def sleep(self, seconds: float) -> None:
        """As `time.sleep`."""
        assert seconds >= 0
        self.slept += seconds
        self.elapsed += seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.elapsed += seconds
