"""Lambda's event source mappings: the control plane, and what a poller deletes after an answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.faults.models.errors import refusal

_ARN = "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:"

WHOLE_BATCH = None
"""The whole batch failed, and no message is deleted."""


class Mappings:
    """Lambda's control plane. `made` and `deleted` are called with the ARN of a mapping's queue,
    and `invoked` with the payload of an invocation that nobody waits for.

    `settling` returns the seconds that a change takes. Meanwhile the mapping can be neither changed
    nor deleted. `deleted` is called by the first call after the mapping is gone.
    """

    name = "lambda"

    def __init__(
        self,
        made: Callable[[str], None] = lambda arn: None,
        deleted: Callable[[str], None] = lambda arn: None,
        invoked: Callable[[bytes], None] = lambda payload: None,
        *,
        clock: Callable[[], float] = lambda: 0.0,
        settling: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._mappings: dict[str, dict[str, Any]] = {}
        self._transitions: dict[str, tuple[str, float]] = {}
        self._made, self._deleted, self._invoked = made, deleted, invoked
        self._clock, self._settling = clock, settling
        self._count = 0

    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> dict[str, Any]:
        """Invoke a function, and wait for nothing."""
        assert InvocationType == "Event", FunctionName
        self._invoked(Payload)
        return {"StatusCode": 202}

    def create_event_source_mapping(
        self, *, Tags: Mapping[str, str], **settings: Any
    ) -> dict[str, Any]:
        """Create a mapping; there is one for each queue and function."""
        self._settle()
        arn = settings["EventSourceArn"]
        if any(mapping["EventSourceArn"] == arn for mapping in self._mappings.values()):
            raise refusal("ResourceConflictException", "CreateEventSourceMapping", status=409)
        self._count += 1
        mapping_id = f"00000000-0000-4000-8000-{self._count:012d}"
        self._mappings[mapping_id] = settings | {"Tags": dict(Tags)}
        self._begin(mapping_id, "Creating")
        self._made(arn)
        return self._describe(mapping_id)

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """Describe one mapping."""
        self._settle()
        return self._describe(UUID)

    def list_event_source_mappings(
        self, *, MaxItems: int = 100, EventSourceArn: str = "", FunctionName: str = ""
    ) -> dict[str, Any]:
        """List the mappings of a queue or of a function, on one page."""
        self._settle()
        found = [
            self._describe(mapping_id)
            for mapping_id, settings in self._mappings.items()
            if EventSourceArn in ("", settings["EventSourceArn"])
            and FunctionName in ("", settings["FunctionName"])
        ]
        assert len(found) <= MaxItems, "the model has no second page"
        return {"EventSourceMappings": found}

    def list_tags(self, *, Resource: str) -> dict[str, Any]:
        """Return a mapping's tags, by its ARN."""
        self._settle()
        mapping_id = Resource.removeprefix(_ARN)
        self._describe(mapping_id)
        return {"Tags": dict(self._mappings[mapping_id]["Tags"])}

    def update_event_source_mapping(self, *, UUID: str, **settings: Any) -> dict[str, Any]:
        """Change a mapping."""
        self._check_steady(UUID, "UpdateEventSourceMapping")
        self._mappings[UUID] = self._mappings[UUID] | settings
        self._begin(UUID, "Updating")
        return self._describe(UUID)

    def delete_event_source_mapping(self, *, UUID: str) -> dict[str, Any]:
        """Begin to delete a mapping."""
        self._check_steady(UUID, "DeleteEventSourceMapping")
        self._begin(UUID, "Deleting")
        return self._describe(UUID)

    def _begin(self, mapping_id: str, state: str) -> None:
        self._transitions[mapping_id] = state, self._clock() + self._settling()

    def _settle(self) -> None:
        """End the transitions whose time is over."""
        now = self._clock()
        over = [key for key, (_, until) in self._transitions.items() if until <= now]
        for mapping_id in over:
            state, _ = self._transitions.pop(mapping_id)
            if state == "Deleting":
                self._deleted(self._mappings.pop(mapping_id)["EventSourceArn"])

    def _check_steady(self, mapping_id: str, operation: str) -> None:
        self._settle()
        self._describe(mapping_id)
        if mapping_id in self._transitions:
            raise refusal("ResourceInUseException", operation)

    def _describe(self, mapping_id: str) -> dict[str, Any]:
        settings = self._mappings.get(mapping_id)
        if settings is None:
            raise refusal("ResourceNotFoundException", "EventSourceMapping", status=404)
        described = {
            name: value for name, value in settings.items() if name not in ("Enabled", "Tags")
        }
        state, _ = self._transitions.get(mapping_id, ("Enabled", 0.0))
        return described | {
            "UUID": mapping_id,
            "FunctionArn": described.pop("FunctionName"),
            "State": state,
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
