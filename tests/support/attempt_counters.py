"""A fake of the store that counts attempts; a test chooses how it fails."""

from dataconnectors.delivery.attempt_counts import AttemptCounts


class AttemptCounters:
    """Attempt counts by connector. Every call raises `error` when there is one."""

    def __init__(self) -> None:
        self.by_connector: dict[str, AttemptCounts] = {}
        self.calls = 0
        self.error: Exception | None = None

    def add(self, name: str, counts: AttemptCounts, now: float) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.by_connector[name] = self.by_connector.get(name, AttemptCounts()) + counts
