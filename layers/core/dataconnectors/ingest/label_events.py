"""Telling connectors of changed labels: from the table's stream to labelsChanged events.

A label is changed by one write, and that write is in the stream: what dies after it, the stream
gives back. A change may so be told twice, with the same event id.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.devices.labels_changed import labels_changed_event
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.kernel.errors import NotFoundError, UnavailableError
from dataconnectors.store.devices import read_change

AT_ONCE = 20
"""Events of one call of ingest: so many for a hundred connectors, the most that a project has,
are as many messages as a call may make."""

Tell = Callable[[str, AcceptResult], None]
"""Hears of a project and what became of its events."""


class LabelEventPublisher:
    """Makes and sends labelsChanged events."""

    def __init__(self, ingest: EventAcceptor, tell: Tell) -> None:
        self._ingest = ingest
        self._tell = tell

    def run(self, records: Sequence[Mapping[str, Any]]) -> str | None:
        """Tell of all records, oldest first; the sequence number to begin with next time.

        None when nothing is left to do. Records from there on may have been told of.
        """
        by_project: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for position, record in enumerate(records):
            change = read_change(record)
            event = labels_changed_event(change.old, change.new, change.time, change.id)
            if event is not None:
                by_project.setdefault(change.new.project, []).append((position, event))
        undone = [
            position
            for project, told in by_project.items()
            for start in range(0, len(told), AT_ONCE)
            for position in self._accept(project, told[start : start + AT_ONCE])
        ]
        if not undone:
            return None
        sequence: str = records[min(undone)]["dynamodb"]["SequenceNumber"]
        return sequence

    def _accept(self, project: str, told: Sequence[tuple[int, dict[str, Any]]]) -> list[int]:
        """Have events accepted; the positions of those that were not, and may be yet.

        What ingest refuses, it would refuse again: it is told of and left.
        """
        try:
            outcome = self._ingest.accept(
                project, [event for _, event in told], from_label_change=True
            )
        except NotFoundError as error:
            outcome = AcceptResult(0, refused=dict.fromkeys(range(len(told)), str(error)))
        except (ClientError, BotoCoreError, UnavailableError) as error:
            reason = f"{type(error).__name__}: {error}"
            outcome = AcceptResult(0, unconfirmed=dict.fromkeys(range(len(told)), reason))
        self._tell(project, outcome)
        return [told[index][0] for index in outcome.unconfirmed]
