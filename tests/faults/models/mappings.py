"""Lambda's event source mappings: their control plane, and what an answer means to a poller."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.faults.models.errors import refusal

_ARN = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:"

WHOLE_BATCH = None
"""The failure of a whole batch: nothing is deleted."""


class Mappings:
    """Lambda's control plane. `made` and `deleted` hear of the ARN of a mapping's queue."""

    name = "lambda"

    def __init__(
        self,
        made: Callable[[str], None] = lambda arn: None,
        deleted: Callable[[str], None] = lambda arn: None,
    ) -> None:
        self._mappings: dict[str, dict[str, Any]] = {}
        self._made, self._deleted = made, deleted
        self._count = 0

    def create_event_source_mapping(
        self, *, Tags: Mapping[str, str], **settings: Any
    ) -> dict[str, Any]:
        """A mapping, one for each queue and function."""
        arn = settings["EventSourceArn"]
        if any(mapping["EventSourceArn"] == arn for mapping in self._mappings.values()):
            raise refusal("ResourceConflictException", "CreateEventSourceMapping", status=409)
        self._count += 1
        mapping_id = f"00000000-0000-4000-8000-{self._count:012d}"
        self._mappings[mapping_id] = settings
        self._made(arn)
        return self._describe(mapping_id)

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """One mapping."""
        return self._describe(UUID)

    def list_event_source_mappings(
        self, *, EventSourceArn: str, MaxItems: int = 100
    ) -> dict[str, Any]:
        """The mappings on a queue."""
        found = [
            self._describe(mapping_id)
            for mapping_id, settings in self._mappings.items()
            if settings["EventSourceArn"] == EventSourceArn
        ]
        return {"EventSourceMappings": found[:MaxItems]}

    def update_event_source_mapping(self, *, UUID: str, **settings: Any) -> dict[str, Any]:
        """Change a mapping."""
        self._describe(UUID)
        self._mappings[UUID] = self._mappings[UUID] | settings
        return self._describe(UUID)

    def delete_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """Delete a mapping; AWS takes seconds."""
        answer = self._describe(UUID)
        self._deleted(self._mappings.pop(UUID)["EventSourceArn"])
        return answer | {"State": "Deleting"}

    def _describe(self, mapping_id: str) -> dict[str, Any]:
        settings = self._mappings.get(mapping_id)
        if settings is None:
            raise refusal("ResourceNotFoundException", "EventSourceMapping", status=404)
        described = {name: value for name, value in settings.items() if name != "Enabled"}
        return described | {
            "UUID": mapping_id,
            "FunctionArn": described.pop("FunctionName"),
            "State": "Enabled",
            "EventSourceMappingArn": f"{_ARN}{mapping_id}",
        }


def to_delete(answer: Any, batch: Sequence[str]) -> list[str] | None:
    """The messages of a batch that a poller deletes after the function's answer.

    None is AWS's "complete failure": nothing is deleted. With ReportBatchItemFailures an answer
    without the list, or with an empty one, is a complete success; an entry with a wrong key, with
    an empty or null identifier, or with one that the batch does not have is a complete failure.
    """
    if answer is None or answer == {}:
        return list(batch)
    if not isinstance(answer, dict):
        return WHOLE_BATCH
    failures = answer.get("batchItemFailures")
    if not failures:
        return list(batch)
    if not isinstance(failures, list):
        return WHOLE_BATCH
    failed = set()
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not identifier or identifier not in batch:
            return WHOLE_BATCH
        failed.add(identifier)
    return [message for message in batch if message not in failed]
