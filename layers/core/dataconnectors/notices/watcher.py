"""Looks at the connectors that fail, tells what is to be told, and disables those that never work.

The reconciler does this and not the sender, so that no delivery waits for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.event_bus import ENTRIES_PER_CALL, EventBus
from dataconnectors.connectors.connector import Connector
from dataconnectors.notices.watched import Notice, Watched, is_due_to_be_disabled, look

RESERVE_SECONDS = 10.0
"""No calls begin when the run has less time left; the next minute's run goes on. A call takes three
tries of three seconds at most (see `aws.clients`)."""

AT_ONCE = 100
"""Connectors whose rows are read together. AWS: BatchGetItem takes 100 keys."""


class FailingList(Protocol):
    """What the watcher needs of `store.failing_list.FailingList`. Raises botocore's errors."""

    def entries(self) -> Sequence[Watched]:
        """All connectors on the list."""

    def rows(self, names: Sequence[str], /) -> Mapping[str, Connector]:
        """The rows of connectors by name, as far as they exist; at most `AT_ONCE`."""

    def save(self, entry: Watched, since: float, /) -> None:
        """Keep what was told, unless the connector was listed anew since it had `since`."""

    def remove(self, name: str, since: float, /) -> None:
        """Take a connector from the list, unless it was listed anew since it had `since`."""

    def disable(self, connector: Connector, reason: str, now: float, /) -> Connector | None:
        """Disable a connector for the service; None when somebody has changed it meanwhile."""


@dataclass(frozen=True, slots=True)
class WatchReport:
    """A run: how many connectors were watched, notices sent, and connectors disabled.

    `error` says why the rest has to wait for a later run, or is "".
    """

    watched: int = 0
    notices: int = 0
    disabled: int = 0
    error: str = ""


class Watcher:
    """Tells EventBridge, and people by `publish` (a sentence each), which may do nothing.

    A notice is told before that is written down. So when a run dies in between, it is told twice,
    but never not at all. Connectors are disabled after `disable_after_days` days without a success;
    0 for never.
    """

    def __init__(
        self,
        failing: FailingList,
        bus: EventBus,
        publish: Callable[[str, str], object],
        disable_after_days: int,
    ) -> None:
        """`publish` takes a subject and a sentence, and raises nothing."""
        self._failing = failing
        self._bus = bus
        self._publish = publish
        self._after_days = disable_after_days

    def run(self, now: float, remaining: Callable[[], float]) -> WatchReport:
        """Look at every connector on the list. `now` is in epoch seconds.

        Raises nothing when AWS fails: the report's `error` says so.
        """
        watched = notices = disabled = 0
        try:
            entries = self._failing.entries()
            for start in range(0, len(entries), AT_ONCE):
                part = entries[start : start + AT_ONCE]
                rows = self._failing.rows([entry.connector for entry in part])
                for entry in part:
                    if remaining() < RESERVE_SECONDS:
                        return WatchReport(watched, notices, disabled, "no time left")
                    row = rows.get(entry.connector)
                    if row is not None and is_due_to_be_disabled(row, now, self._after_days):
                        reason = f"no attempt has succeeded for {self._after_days} days"
                        row = self._failing.disable(row, reason, now)
                        disabled += row is not None
                        if row is None:
                            continue  # somebody has just changed it: the next run looks again
                    told = self._look(entry, row, now)
                    watched, notices = watched + 1, notices + told
        except (ClientError, BotoCoreError) as error:
            return WatchReport(watched, notices, disabled, f"{type(error).__name__}: {error}")
        return WatchReport(watched, notices, disabled)

    def _look(self, entry: Watched, row: Connector | None, now: float) -> int:
        """Tell what is to be told, and return the number of notices."""
        findings = look(entry, row, now, self._after_days)
        if not self._tell(findings.notices):
            return 0
        if findings.entry is None:
            self._failing.remove(entry.connector, entry.since)
        elif findings.entry != entry:
            self._failing.save(findings.entry, entry.since)
        return len(findings.notices)

    def _tell(self, notices: Sequence[Notice]) -> bool:
        """Whether EventBridge has accepted all of them."""
        assert len(notices) <= ENTRIES_PER_CALL
        if not notices:
            return True
        accepted = self._bus.put([(notice.kind.value, notice.detail) for notice in notices])
        if not all(accepted):
            return False
        for notice in notices:
            self._publish(notice.kind.value, notice.sentence)
        return True
