"""The next thing to do for one connector's queue and mapping, decided from what is known of them.

This module makes no call. `provisioner` repeats: ask for the next step, do it, note what it found.
"""

from dataclasses import dataclass
from typing import Self

from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.control_plane import ABSENT
from dataconnectors.provisioning.mappings import EventSourceMapping


@dataclass(frozen=True, slots=True)
class Owner:
    """The connector that a queue and a mapping belong to, or belonged to.

    The fields are those of `Connector`. An orphan is what a removed row left behind.
    """

    connector: str
    queue_id: str
    queue_url: str
    mapping_id: str
    lifecycle: Lifecycle
    provisioned: str

    @classmethod
    def of(cls, row: Connector) -> Self:
        """The owner that a connector's row describes."""
        return cls(
            connector=row.name,
            queue_id=row.queue_id,
            queue_url=row.queue_url,
            mapping_id=row.mapping_id,
            lifecycle=row.lifecycle,
            provisioned=row.provisioned,
        )

    @classmethod
    def of_orphan(cls, connector: str, queue_id: str) -> Self:
        """The former owner of a queue and a mapping that are to be deleted."""
        return cls(connector, queue_id, "", "", Lifecycle.DELETING, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of the real queue and mappings. None means that nobody has looked yet.

    `queue_url` may be `ABSENT`. `queue_updated` says that the queue has just been given the
    blueprint's attributes, and `updated_mapping_id` names the mapping that has just been given its
    settings. Neither is read again to see whether AWS took them: that could go on for ever, and the
    next drift check reads them anyway. `tagged_mapping_id` names the mapping that has just been
    given the deployer's tags. `queue_usable_at` is when a new queue may be used, by the monotonic
    clock in seconds.
    """

    queue_url: str | None = None
    queue_updated: bool = False
    mappings: tuple[EventSourceMapping, ...] | None = None
    updated_mapping_id: str = ""
    tagged_mapping_id: str = ""
    queue_usable_at: float = 0.0


NOTHING_OBSERVED = Observed()
"""Nobody has looked at anything yet."""

NO_MAPPINGS = Observed(mappings=())
"""For a row that was just written: nobody looks for mappings. If there is one after all, the call
that creates one meets a conflict."""


@dataclass(frozen=True, slots=True)
class FindQueue:
    """Ask SQS for the queue's URL."""


@dataclass(frozen=True, slots=True)
class CreateQueue:
    """Create the queue. If it exists already, this finds it and corrects its attributes."""


@dataclass(frozen=True, slots=True)
class UpdateQueue:
    """Give the queue the blueprint's attributes."""

    url: str


@dataclass(frozen=True, slots=True)
class DeleteQueue:
    """Delete the queue."""


@dataclass(frozen=True, slots=True)
class FindMappings:
    """Ask Lambda for the mappings on the queue."""


@dataclass(frozen=True, slots=True)
class CreateMapping:
    """Create the mapping."""


@dataclass(frozen=True, slots=True)
class UpdateMapping:
    """Give the mapping the blueprint's settings."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class TagMapping:
    """Give the mapping the deployer's tags."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class DeleteMapping:
    """Delete the mapping."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class Wait:
    """Stop here: AWS has to finish something first. A later run goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Stop here: everything is as it should be. Both fields are "" when everything is deleted."""

    queue_url: str
    mapping_id: str


QueueStep = FindQueue | CreateQueue | UpdateQueue | DeleteQueue
MappingStep = FindMappings | CreateMapping | UpdateMapping | TagMapping | DeleteMapping
Step = QueueStep | MappingStep | Wait | Complete


def next_step(owner: Owner, observed: Observed, blueprint: Blueprint) -> Step:
    """The one thing to do now.

    The caller does it, adds what it found to `observed`, and asks again until the step is
    `Complete` or `Wait`.
    """
    if owner.lifecycle is Lifecycle.DELETING:
        return _step_to_deleted(observed)
    return _step_to_ready(owner, observed, blueprint)


def _step_to_deleted(observed: Observed) -> Step:
    """Mappings go before the queue: a mapping without its queue would fail for ever."""
    if observed.mappings is None:
        return FindMappings()
    for mapping in observed.mappings:
        if not mapping.is_in_transition:
            return DeleteMapping(mapping)
    if observed.mappings:
        mapping = observed.mappings[0]
        return Wait(f"mapping {mapping.id} is {mapping.state}")
    if observed.queue_url != ABSENT:
        return DeleteQueue()
    return Complete("", "")


def _step_to_ready(owner: Owner, observed: Observed, blueprint: Blueprint) -> Step:
    """The queue comes first: Lambda checks it when a mapping is created or updated."""
    if observed.queue_url is None:
        # A READY connector should have its queue. CreateQueue would hide that it was lost.
        return FindQueue() if owner.lifecycle is Lifecycle.READY else CreateQueue()
    if observed.queue_url == ABSENT:
        return CreateQueue()
    if owner.provisioned != blueprint.fingerprint and not observed.queue_updated:
        return UpdateQueue(observed.queue_url)
    if observed.mappings is None:
        return FindMappings()
    return _step_to_one_mapping(owner, observed, blueprint, observed.queue_url, observed.mappings)


def _step_to_one_mapping(
    owner: Owner,
    observed: Observed,
    blueprint: Blueprint,
    queue_url: str,
    mappings: tuple[EventSourceMapping, ...],
) -> Step:
    usable = [mapping for mapping in mappings if not mapping.is_deleting]
    if not usable:
        if mappings:
            return Wait(f"mapping {mappings[0].id} is being deleted")
        return CreateMapping()
    kept = min(usable, key=lambda mapping: _preference(mapping, owner, blueprint))
    for mapping in usable:
        if mapping is not kept and not mapping.is_in_transition:
            return DeleteMapping(mapping)
    if kept.id != observed.updated_mapping_id and not blueprint.matches(kept):
        if kept.is_in_transition:
            return Wait(f"mapping {kept.id} is {kept.state}")
        return UpdateMapping(kept)
    if len(usable) > 1:
        return Wait("a second mapping is in a transition")
    if (
        owner.lifecycle is Lifecycle.READY
        and owner.provisioned != blueprint.fingerprint
        and blueprint.deployers_tags
        and kept.id != observed.tagged_mapping_id
    ):
        return TagMapping(kept)
    return Complete(queue_url, kept.id)


def _preference(
    mapping: EventSourceMapping, owner: Owner, blueprint: Blueprint
) -> tuple[bool, bool, str]:
    """The sort key that chooses which of several mappings stays; the least one does.

    It depends on nothing but its arguments, so that two processes at once choose the same mapping.
    """
    return (
        mapping.id != owner.mapping_id,
        mapping.function_arn != blueprint.settings.sender_arn,
        mapping.id,
    )
