"""Where attempts are counted, with failures to order."""

from dataconnectors.delivery.attempt_counts import AttemptCounts


class AttemptCounters:
    """Counts by connector. `error` is raised by every call."""

    def __init__(self) -> None:
        self.by_connector: dict[str, AttemptCounts] = {}
        self.calls = 0
        self.error: Exception | None = None

    def add(self, name: str, tally: AttemptCounts, now: float) -> None:
        self.calls += 1
        if self.error is not None:
            raise self.error
        self.by_connector[name] = self.by_connector.get(name, AttemptCounts()) + tally
