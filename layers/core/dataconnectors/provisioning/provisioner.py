"""Takes one connector to exactly one queue and one mapping, or to none, from wherever it stands.

No transaction spans DynamoDB, SQS and Lambda, and a process may die after any call. So nothing is
remembered between calls but the row: `next_step` looks at what is there and names the one thing to
do next, `Provisioner` does it and asks again. The config API and the reconciler both run it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol, Self

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.connectors.connector import Connector, Lifecycle, LifecycleEntry
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.control_plane import (
    ABSENT,
    CallError,
    ControlPlane,
    NotYetError,
)
from dataconnectors.provisioning.mappings import EventSourceMapping

QUEUE_SETTLES = 1.0
"""Seconds. AWS: "you must wait at least one second after the queue is created" to use it."""

RECORD_TRIES = 5
"""Of writing a row that the customer changes meanwhile. Each PATCH costs at most one."""

_QUEUE_NOT_VISIBLE = frozenset({"InvalidParameterValueException", "ResourceNotFoundException"})
"""What Lambda answers when it does not see the queue of a new mapping, among other reasons."""


class Rows(Protocol):
    """What provisioning needs of `store.connectors.ConnectorStore`."""

    def connector(self, name: str) -> Connector | None:
        """The row, strongly consistent."""

    def connectors_in(self, lifecycle: Lifecycle) -> Iterator[LifecycleEntry]:
        """The index, eventually consistent."""

    def set_ready(
        self, connector: Connector, *, queue_url: str, mapping_id: str, provisioned: str
    ) -> Connector | None:
        """Write what was made, if the row is still this version and not being deleted."""

    def remove(self, connector: Connector) -> bool:
        """Leave a tombstone for a row that is being deleted."""


# --- what there is and what to do next -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose queue and mapping this is about: a row, or what a row has left behind.

    The fields are those of `Connector`; an orphan's `lifecycle` is `DELETING`.
    """

    connector: str
    queue_id: str
    queue_url: str
    mapping_id: str
    lifecycle: Lifecycle
    provisioned: str

    @classmethod
    def of(cls, row: Connector) -> Self:
        """The subject that a row is."""
        return cls(
            connector=row.name,
            queue_id=row.queue_id,
            queue_url=row.queue_url,
            mapping_id=row.mapping_id,
            lifecycle=row.lifecycle,
            provisioned=row.provisioned,
        )

    @classmethod
    def orphan(cls, connector: str, queue_id: str) -> Self:
        """What is left of a connector whose row is gone."""
        return cls(connector, queue_id, "", "", Lifecycle.DELETING, "")


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of the real things; None where nobody has looked yet.

    `queue_url` may be `ABSENT`. `queue_current`: the queue was given the blueprint's attributes
    just now; `altered` is the id of the mapping that was. Neither is asked whether it took them:
    that could go on for ever, and the next audit asks anyway. `usable_at` is when a new queue has
    settled, by the monotonic clock.
    """

    queue_url: str | None = None
    queue_current: bool = False
    mappings: tuple[EventSourceMapping, ...] | None = None
    altered: str = ""
    usable_at: float = 0.0


NOTHING_OBSERVED = Observed()
"""Nobody has looked at anything."""

NOTHING_CREATED = Observed(mappings=())
"""For a row just written. A mapping that is there after all shows itself by a conflict."""


@dataclass(frozen=True, slots=True)
class FindQueue:
    """Ask for the queue's URL."""


@dataclass(frozen=True, slots=True)
class CreateQueue:
    """Create the queue, which finds it when it is there, and corrects its attributes."""


@dataclass(frozen=True, slots=True)
class UpdateQueue:
    """Give the queue the attributes of today's parameters."""

    url: str


@dataclass(frozen=True, slots=True)
class DeleteQueue:
    """Delete the queue."""


@dataclass(frozen=True, slots=True)
class FindMappings:
    """Ask for the mappings on the queue."""


@dataclass(frozen=True, slots=True)
class CreateMapping:
    """Create the mapping."""


@dataclass(frozen=True, slots=True)
class UpdateMapping:
    """Give the mapping the settings of the blueprint."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class DeleteMapping:
    """Delete a mapping."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class Wait:
    """AWS has to finish first; a later run goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Everything is as it should be. Both are "" when it should be gone."""

    queue_url: str
    mapping_id: str


Step = (
    FindQueue
    | CreateQueue
    | UpdateQueue
    | DeleteQueue
    | FindMappings
    | CreateMapping
    | UpdateMapping
    | DeleteMapping
    | Wait
    | Complete
)


def next_step(owner: Owner, observed: Observed, blueprint: Blueprint) -> Step:
    """The one thing to do now. Pure; repeated with what it finds, ends in `Complete` or `Wait`."""
    if owner.lifecycle is Lifecycle.DELETING:
        return _step_to_deleted(observed)
    return _step_to_ready(owner, observed, blueprint)


def _step_to_deleted(observed: Observed) -> Step:
    """Mapping first, then the queue: without its queue a mapping would fail for ever."""
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
    """Queue first, because Lambda checks it when a mapping is made or altered."""
    if observed.queue_url is None:
        # A queue that should be there is looked for, so that its loss is noticed.
        return FindQueue() if owner.lifecycle is Lifecycle.READY else CreateQueue()
    if observed.queue_url == ABSENT:
        return CreateQueue()
    if owner.provisioned != blueprint.fingerprint and not observed.queue_current:
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
    if kept.id != observed.altered and not blueprint.matches(kept):
        if kept.is_in_transition:
            return Wait(f"mapping {kept.id} is {kept.state}")
        return UpdateMapping(kept)
    if len(usable) > 1:
        return Wait("a second mapping is in a transition")
    return Complete(queue_url, kept.id)


def _preference(
    mapping: EventSourceMapping, owner: Owner, blueprint: Blueprint
) -> tuple[bool, bool, str]:
    """Which mapping of several stays: two reconcilers at once have to choose the same."""
    return (
        mapping.id != owner.mapping_id,
        mapping.function_arn != blueprint.settings.sender_arn,
        mapping.id,
    )


# --- doing it --------------------------------------------------------------------------------


class Change(StrEnum):
    """What was done to a queue or a mapping. A queue "made" may have been there already."""

    QUEUE_CREATED = "queue created"
    QUEUE_UPDATED = "queue updated"
    QUEUE_DELETED = "queue deleted"
    MAPPING_CREATED = "mapping created"
    MAPPING_UPDATED = "mapping updated"
    MAPPING_DELETED = "mapping deleted"


def _ignore_change(_: Change) -> None:
    """For callers who need no news."""


class Provisioner:
    """Makes and unmakes queues and mappings. `clock` and `sleep` in seconds.

    `before_call` runs before each call to SQS and Lambda. Keeps nothing between calls.
    """

    def __init__(
        self,
        sqs: Any,
        lambda_client: Any,
        store: Rows,
        settings: QueueSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        before_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._blueprint = Blueprint(settings)
        self._plane = ControlPlane(sqs, lambda_client, self._blueprint, before_call)
        self._store = store
        self._clock = clock
        self._sleep = sleep

    def provision(self, connector: Connector) -> Connector:
        """Make what a `PROVISIONING` row lacks; return the row as it is then, `READY`.

        On return the queue is usable and Lambda has accepted the mapping, which may still be
        Creating: events wait in the queue. May be repeated, by anybody, at any point.

        Raises `ControlPlaneError` that names the connector when AWS did not do it, or when the
        connector was deleted meanwhile. The row stays as it is and the reconciler finishes it.
        """
        try:
            return self.settle(connector, observed=NOTHING_CREATED)
        except ControlPlaneError as error:
            raise ControlPlaneError(f"{connector.name}: {error}") from error
        except (ClientError, BotoCoreError) as error:  # of the store
            raise ControlPlaneError(f"{connector.name}: the database did not answer") from error

    def settle(
        self,
        row: Connector,
        *,
        observed: Observed = NOTHING_OBSERVED,
        changed: Callable[[Change], None] = _ignore_change,
    ) -> Connector:
        """Take a row that is not being deleted to one queue and one mapping, and record them.

        Raises `CallError`, `NotYetError` when a later run has to go on, and botocore's errors from
        the store. `changed` hears of each change as soon as AWS has accepted it.
        """
        if row.lifecycle is Lifecycle.DELETING:
            raise ControlPlaneError("it is being deleted")
        complete = self._go(Owner.of(row), observed, changed)
        return self._record(row, complete)

    def clear(self, owner: Owner, *, changed: Callable[[Change], None] = _ignore_change) -> None:
        """Remove the mapping and then the queue of a subject that is being deleted.

        Raises as `settle` does; `NotYetError` is usual, since a mapping takes seconds to leave.
        """
        if owner.lifecycle is not Lifecycle.DELETING:
            raise ValueError(f"{owner.connector} is {owner.lifecycle}: its queue is needed")
        self._go(owner, NOTHING_OBSERVED, changed)

    def _go(self, owner: Owner, observed: Observed, changed: Callable[[Change], None]) -> Complete:
        while True:
            match next_step(owner, observed, self._blueprint):
                case Wait(reason):
                    raise NotYetError(reason)
                case Complete() as complete:
                    self._wait_until(observed.usable_at)
                    return complete
                case FindQueue() | CreateQueue() | UpdateQueue() | DeleteQueue() as step:
                    observed = self._on_queue(step, owner, observed, changed)
                case FindMappings() | CreateMapping() | UpdateMapping() | DeleteMapping() as step:
                    observed = self._on_mapping(step, owner, observed, changed)

    def _on_queue(
        self,
        step: FindQueue | CreateQueue | UpdateQueue | DeleteQueue,
        owner: Owner,
        observed: Observed,
        changed: Callable[[Change], None],
    ) -> Observed:
        match step:
            case FindQueue():
                return replace(observed, queue_url=self._plane.find_queue(owner.queue_id))
            case CreateQueue():
                url = self._plane.create_queue(owner.queue_id, owner.connector)
                changed(Change.QUEUE_CREATED)
                settled = self._clock() + QUEUE_SETTLES
                return replace(observed, queue_url=url, queue_current=True, usable_at=settled)
            case UpdateQueue(url):
                self._plane.update_queue(url)
                changed(Change.QUEUE_UPDATED)
                return replace(observed, queue_current=True)
            case DeleteQueue():
                url = owner.queue_url or self._plane.find_queue(owner.queue_id)
                if url != ABSENT:
                    self._plane.delete_queue(url)
                    changed(Change.QUEUE_DELETED)
                return replace(observed, queue_url=ABSENT)

    def _on_mapping(
        self,
        step: FindMappings | CreateMapping | UpdateMapping | DeleteMapping,
        owner: Owner,
        observed: Observed,
        changed: Callable[[Change], None],
    ) -> Observed:
        match step:
            case FindMappings():
                return replace(observed, mappings=self._mappings(owner))
            case CreateMapping():
                made = self._create_mapping(owner, observed.usable_at, changed)
                return replace(observed, mappings=made)
            case UpdateMapping(mapping):
                self._plane.update_mapping(mapping)
                changed(Change.MAPPING_UPDATED)
                return replace(observed, altered=mapping.id)
            case DeleteMapping(mapping):
                self._plane.delete_mapping(mapping)
                changed(Change.MAPPING_DELETED)
                return replace(observed, mappings=_without(observed, mapping))

    def _mappings(self, owner: Owner) -> tuple[EventSourceMapping, ...]:
        """Ours on the queue. Somebody else's function on it is not ours to touch.

        The row's own mapping is asked for by its id: the listing may lag, and whatever function it
        calls by now, we made it.
        """
        listed = [
            mapping
            for mapping in self._plane.mappings_on(owner.queue_id)
            if mapping.id == owner.mapping_id or self._blueprint.invokes_sender(mapping)
        ]
        if owner.mapping_id and all(mapping.id != owner.mapping_id for mapping in listed):
            own = self._plane.find_mapping(owner.mapping_id)
            if own is not None:
                listed.append(own)
        return tuple(listed)

    def _create_mapping(
        self, owner: Owner, usable_at: float, changed: Callable[[Change], None]
    ) -> tuple[EventSourceMapping, ...]:
        """The mappings there are after trying to make one.

        Tried at once, while the new queue settles; when Lambda does not see the queue so soon, it
        is tried a second time. On a conflict, whoever came first has made it.
        """
        try:
            made = self._plane.create_mapping(owner.queue_id, owner.connector)
        except CallError as error:
            if error.code not in _QUEUE_NOT_VISIBLE or self._clock() >= usable_at:
                raise
            self._wait_until(usable_at)
            made = self._plane.create_mapping(owner.queue_id, owner.connector)
        if made is not None:
            changed(Change.MAPPING_CREATED)
            return (made,)
        found = self._mappings(owner)
        if not found:
            raise NotYetError("Lambda has a mapping of this queue, but does not list it yet")
        return found

    def _record(self, row: Connector, complete: Complete) -> Connector:
        """Write what was made, over whatever the customer has changed meanwhile."""
        current: Connector | None = row
        for _ in range(RECORD_TRIES):
            if (
                current is None
                or current.lifecycle is Lifecycle.DELETING
                or current.queue_id != row.queue_id
            ):
                raise ControlPlaneError("it was deleted while its queue was made")
            ready = replace(
                current,
                lifecycle=Lifecycle.READY,
                queue_url=complete.queue_url,
                mapping_id=complete.mapping_id,
                provisioned=self._blueprint.fingerprint,
            )
            if current == ready:
                return current
            written = self._store.set_ready(
                current,
                queue_url=ready.queue_url,
                mapping_id=ready.mapping_id,
                provisioned=ready.provisioned,
            )
            if written is not None:
                return written
            current = self._store.connector(row.name)
        raise NotYetError("the row changed each time it was to be written")

    def _wait_until(self, moment: float) -> None:
        wait = moment - self._clock()
        if wait > 0:
            self._sleep(wait)


def _without(observed: Observed, dropped: EventSourceMapping) -> tuple[EventSourceMapping, ...]:
    """The mappings, of which one has begun to leave."""
    leaving = replace(dropped, state="Deleting")
    return tuple(leaving if mapping is dropped else mapping for mapping in observed.mappings or ())
