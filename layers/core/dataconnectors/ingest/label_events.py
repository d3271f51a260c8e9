"""Label events: from label changes in the table's stream to accepted labelsChanged events.

One write changes a label, and the table's stream repeats that write until its event is accepted.
Whatever fails after the write therefore loses nothing. An event may be accepted twice, both times
with the same id.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.devices.labels_changed import labels_changed_event
from dataconnectors.ingest.acceptance import AcceptResult, EventAcceptor
from dataconnectors.kernel.errors import NotFoundError, UnavailableError
from dataconnectors.store.device_stream import read_device_change

EVENTS_PER_CALL = 20
"""Events that are accepted together. A project has a hundred connectors at most, for which 20
events make 2,000 messages: as many as one call may make."""

Report = Callable[[str, AcceptResult], None]
"""Called with a project's id and what became of the events of one call."""


class LabelEventPublisher:
    """Makes labelsChanged events from records of the table's stream, and has them accepted."""

    def __init__(self, acceptor: EventAcceptor, report: Report) -> None:
        self._acceptor = acceptor
        self._report = report

    def publish(self, records: Sequence[Mapping[str, Any]]) -> str | None:
        """Publish the changes of all records, oldest first.

        Returns the sequence number of the oldest record whose event may still be accepted: Lambda
        has to repeat the records from there on, including some whose events were accepted already.
        None means that nothing is left to do.
        """
        by_project: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        for position, record in enumerate(records):
            change = read_device_change(record)
            event = labels_changed_event(change.old, change.new, change.time, change.id)
            if event is not None:
                by_project.setdefault(change.new.project, []).append((position, event))
        unaccepted = [
            position
            for project, events in by_project.items()
            for start in range(0, len(events), EVENTS_PER_CALL)
            for position in self._accept(project, events[start : start + EVENTS_PER_CALL])
        ]
        if not unaccepted:
            return None
        sequence_number: str = records[min(unaccepted)]["dynamodb"]["SequenceNumber"]
        return sequence_number

    def _accept(self, project: str, events: Sequence[tuple[int, dict[str, Any]]]) -> list[int]:
        """Have a project's events accepted, each given with the position of its record.

        Returns the positions of those that were not accepted and may be later. A refused event is
        reported and left: it would be refused again.
        """
        try:
            result = self._acceptor.accept(
                project, [event for _, event in events], from_label_change=True
            )
        except NotFoundError as error:
            result = AcceptResult(0, refused=dict.fromkeys(range(len(events)), str(error)))
        except (ClientError, BotoCoreError, UnavailableError) as error:
            reason = f"{type(error).__name__}: {error}"
            result = AcceptResult(0, unconfirmed=dict.fromkeys(range(len(events)), reason))
        self._report(project, result)
        return [events[index][0] for index in result.unconfirmed]
