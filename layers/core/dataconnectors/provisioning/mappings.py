"""An event source mapping, as Lambda describes it.

A mapping is what connects a connector's queue to the sender: Lambda polls the queue and invokes the
function with what it finds there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """One mapping and its settings. `batching_window` is in seconds.

    `state` is Lambda's word, such as `Enabled`. `maximum_concurrency` is None when it has no limit.
    """

    id: str
    arn: str
    queue_arn: str
    function_arn: str
    state: str
    batch_size: int
    batching_window: int
    maximum_concurrency: int | None
    response_types: tuple[str, ...]
    has_filter: bool

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read an EventSourceMappingConfiguration, which lacks the settings that are not set."""
        return cls(
            id=answer["UUID"],
            arn=answer.get("EventSourceMappingArn", ""),
            queue_arn=answer["EventSourceArn"],
            function_arn=answer["FunctionArn"],
            state=answer["State"],
            batch_size=answer["BatchSize"],
            batching_window=answer.get("MaximumBatchingWindowInSeconds") or 0,
            maximum_concurrency=(answer.get("ScalingConfig") or {}).get("MaximumConcurrency"),
            response_types=tuple(answer.get("FunctionResponseTypes") or ()),
            has_filter=bool((answer.get("FilterCriteria") or {}).get("Filters")),
        )

    @property
    def is_deleting(self) -> bool:
        """Whether it is about to disappear. It can neither be used nor replaced until it has."""
        return self.state == "Deleting"

    @property
    def is_in_transition(self) -> bool:
        """Whether Lambda refuses to update or delete it now, because it is changing its state."""
        return self.state in ("Creating", "Enabling", "Disabling", "Updating", "Deleting")
