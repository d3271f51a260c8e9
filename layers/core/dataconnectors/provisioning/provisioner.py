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
from dataconnectors.provisioning.control_plane import (
    ABSENT,
    Blueprint,
    CallError,
    ControlPlane,
    EventSourceMapping,
    NotYetError,
)

QUEUE_SETTLES = 1.0
"""Seconds. AWS: "you must wait at least one second after the queue is created" to use it."""

RECORD_TRIES = 5
"""Of writing a row that the customer changes meanwhile. Each PATCH costs at most one."""

_QUEUE_UNSEEN = frozenset({"InvalidParameterValueException", "ResourceNotFoundException"})
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
class Subject:
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
class Seen:
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


UNSEEN = Seen()
"""Nobody has looked at anything."""

NOTHING_YET = Seen(mappings=())
"""For a row just written. A mapping that is there after all shows itself by a conflict."""


@dataclass(frozen=True, slots=True)
class LookForQueue:
    """Ask for the queue's URL."""


@dataclass(frozen=True, slots=True)
class MakeQueue:
    """Create the queue, which finds it when it is there, and corrects its attributes."""


@dataclass(frozen=True, slots=True)
class AlterQueue:
    """Give the queue the attributes of today's parameters."""

    url: str


@dataclass(frozen=True, slots=True)
class DropQueue:
    """Delete the queue."""


@dataclass(frozen=True, slots=True)
class LookForMappings:
    """Ask for the mappings on the queue."""


@dataclass(frozen=True, slots=True)
class MakeMapping:
    """Create the mapping."""


@dataclass(frozen=True, slots=True)
class AlterMapping:
    """Give the mapping the settings of the blueprint."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class DropMapping:
    """Delete a mapping."""

    mapping: EventSourceMapping


@dataclass(frozen=True, slots=True)
class Wait:
    """AWS has to finish first; a later run goes on."""

    reason: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """Everything is as it should be. Both are "" when it should be gone."""

    queue_url: str
    mapping_id: str


Step = (
    LookForQueue
    | MakeQueue
    | AlterQueue
    | DropQueue
    | LookForMappings
    | MakeMapping
    | AlterMapping
    | DropMapping
    | Wait
    | Arrived
)


def next_step(subject: Subject, seen: Seen, blueprint: Blueprint) -> Step:
    """The one thing to do now. Pure; repeated with what was learnt, it ends in `Arrived`/`Wait`."""
    if subject.lifecycle is Lifecycle.DELETING:
        return _step_to_nothing(seen)
    return _step_to_both(subject, seen, blueprint)


def _step_to_nothing(seen: Seen) -> Step:
    """Mapping first, then the queue: without its queue a mapping would fail for ever."""
    if seen.mappings is None:
        return LookForMappings()
    for mapping in seen.mappings:
        if not mapping.in_transition:
            return DropMapping(mapping)
    if seen.mappings:
        mapping = seen.mappings[0]
        return Wait(f"mapping {mapping.id} is {mapping.state}")
    if seen.queue_url != ABSENT:
        return DropQueue()
    return Arrived("", "")


def _step_to_both(subject: Subject, seen: Seen, blueprint: Blueprint) -> Step:
    """Queue first, because Lambda checks it when a mapping is made or altered."""
    if seen.queue_url is None:
        # A queue that should be there is looked for, so that its loss is noticed.
        return LookForQueue() if subject.lifecycle is Lifecycle.READY else MakeQueue()
    if seen.queue_url == ABSENT:
        return MakeQueue()
    if subject.provisioned != blueprint.fingerprint and not seen.queue_current:
        return AlterQueue(seen.queue_url)
    if seen.mappings is None:
        return LookForMappings()
    return _step_to_one_mapping(subject, seen, blueprint, seen.queue_url, seen.mappings)


def _step_to_one_mapping(
    subject: Subject,
    seen: Seen,
    blueprint: Blueprint,
    queue_url: str,
    mappings: tuple[EventSourceMapping, ...],
) -> Step:
    usable = [mapping for mapping in mappings if not mapping.leaving]
    if not usable:
        if mappings:
            return Wait(f"mapping {mappings[0].id} is being deleted")
        return MakeMapping()
    kept = min(usable, key=lambda mapping: _preference(mapping, subject, blueprint))
    for mapping in usable:
        if mapping is not kept and not mapping.in_transition:
            return DropMapping(mapping)
    if kept.id != seen.altered and not blueprint.fits(kept):
        if kept.in_transition:
            return Wait(f"mapping {kept.id} is {kept.state}")
        return AlterMapping(kept)
    if len(usable) > 1:
        return Wait("a second mapping is in a transition")
    return Arrived(queue_url, kept.id)


def _preference(
    mapping: EventSourceMapping, subject: Subject, blueprint: Blueprint
) -> tuple[bool, bool, str]:
    """Which mapping of several stays: two reconcilers at once have to choose the same."""
    return (
        mapping.id != subject.mapping_id,
        mapping.function_arn != blueprint.settings.sender_arn,
        mapping.id,
    )


# --- doing it --------------------------------------------------------------------------------


class Change(StrEnum):
    """What was done to a queue or a mapping. A queue "made" may have been there already."""

    QUEUE_MADE = "queue made"
    QUEUE_ALTERED = "queue altered"
    QUEUE_REMOVED = "queue removed"
    MAPPING_MADE = "mapping made"
    MAPPING_ALTERED = "mapping altered"
    MAPPING_REMOVED = "mapping removed"


def _unheard(_: Change) -> None:
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
            return self.settle(connector, seen=NOTHING_YET)
        except ControlPlaneError as error:
            raise ControlPlaneError(f"{connector.name}: {error}") from error
        except (ClientError, BotoCoreError) as error:  # of the store
            raise ControlPlaneError(f"{connector.name}: the database did not answer") from error

    def settle(
        self,
        row: Connector,
        *,
        seen: Seen = UNSEEN,
        changed: Callable[[Change], None] = _unheard,
    ) -> Connector:
        """Take a row that is not being deleted to one queue and one mapping, and record them.

        Raises `CallError`, `NotYetError` when a later run has to go on, and botocore's errors from
        the store. `changed` hears of each change as soon as AWS has accepted it.
        """
        if row.lifecycle is Lifecycle.DELETING:
            raise ControlPlaneError("it is being deleted")
        arrived = self._go(Subject.of(row), seen, changed)
        return self._record(row, arrived)

    def clear(self, subject: Subject, *, changed: Callable[[Change], None] = _unheard) -> None:
        """Remove the mapping and then the queue of a subject that is being deleted.

        Raises as `settle` does; `NotYetError` is usual, since a mapping takes seconds to leave.
        """
        if subject.lifecycle is not Lifecycle.DELETING:
            raise ValueError(f"{subject.connector} is {subject.lifecycle}: its queue is needed")
        self._go(subject, UNSEEN, changed)

    def _go(self, subject: Subject, seen: Seen, changed: Callable[[Change], None]) -> Arrived:
        while True:
            match next_step(subject, seen, self._blueprint):
                case Wait(reason):
                    raise NotYetError(reason)
                case Arrived() as arrived:
                    self._wait_until(seen.usable_at)
                    return arrived
                case LookForQueue() | MakeQueue() | AlterQueue() | DropQueue() as step:
                    seen = self._on_queue(step, subject, seen, changed)
                case LookForMappings() | MakeMapping() | AlterMapping() | DropMapping() as step:
                    seen = self._on_mapping(step, subject, seen, changed)

    def _on_queue(
        self,
        step: LookForQueue | MakeQueue | AlterQueue | DropQueue,
        subject: Subject,
        seen: Seen,
        changed: Callable[[Change], None],
    ) -> Seen:
        match step:
            case LookForQueue():
                return replace(seen, queue_url=self._plane.find_queue(subject.queue_id))
            case MakeQueue():
                url = self._plane.make_queue(subject.queue_id, subject.connector)
                changed(Change.QUEUE_MADE)
                settled = self._clock() + QUEUE_SETTLES
                return replace(seen, queue_url=url, queue_current=True, usable_at=settled)
            case AlterQueue(url):
                self._plane.alter_queue(url)
                changed(Change.QUEUE_ALTERED)
                return replace(seen, queue_current=True)
            case DropQueue():
                url = subject.queue_url or self._plane.find_queue(subject.queue_id)
                if url != ABSENT:
                    self._plane.drop_queue(url)
                    changed(Change.QUEUE_REMOVED)
                return replace(seen, queue_url=ABSENT)

    def _on_mapping(
        self,
        step: LookForMappings | MakeMapping | AlterMapping | DropMapping,
        subject: Subject,
        seen: Seen,
        changed: Callable[[Change], None],
    ) -> Seen:
        match step:
            case LookForMappings():
                return replace(seen, mappings=self._mappings(subject))
            case MakeMapping():
                made = self._make_mapping(subject, seen.usable_at, changed)
                return replace(seen, mappings=made)
            case AlterMapping(mapping):
                self._plane.alter_mapping(mapping)
                changed(Change.MAPPING_ALTERED)
                return replace(seen, altered=mapping.id)
            case DropMapping(mapping):
                self._plane.drop_mapping(mapping)
                changed(Change.MAPPING_REMOVED)
                return replace(seen, mappings=_without(seen, mapping))

    def _mappings(self, subject: Subject) -> tuple[EventSourceMapping, ...]:
        """Ours on the queue. Somebody else's function on it is not ours to touch.

        The row's own mapping is asked for by its id: the listing may lag, and whatever function it
        calls by now, we made it.
        """
        listed = [
            mapping
            for mapping in self._plane.mappings_on(subject.queue_id)
            if mapping.id == subject.mapping_id or self._blueprint.feeds_sender(mapping)
        ]
        if subject.mapping_id and all(mapping.id != subject.mapping_id for mapping in listed):
            own = self._plane.find_mapping(subject.mapping_id)
            if own is not None:
                listed.append(own)
        return tuple(listed)

    def _make_mapping(
        self, subject: Subject, usable_at: float, changed: Callable[[Change], None]
    ) -> tuple[EventSourceMapping, ...]:
        """The mappings there are after trying to make one.

        Tried at once, while the new queue settles; when Lambda does not see the queue so soon, it
        is tried a second time. On a conflict, whoever came first has made it.
        """
        try:
            made = self._plane.make_mapping(subject.queue_id, subject.connector)
        except CallError as error:
            if error.code not in _QUEUE_UNSEEN or self._clock() >= usable_at:
                raise
            self._wait_until(usable_at)
            made = self._plane.make_mapping(subject.queue_id, subject.connector)
        if made is not None:
            changed(Change.MAPPING_MADE)
            return (made,)
        found = self._mappings(subject)
        if not found:
            raise NotYetError("Lambda has a mapping of this queue, but does not list it yet")
        return found

    def _record(self, row: Connector, arrived: Arrived) -> Connector:
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
                queue_url=arrived.queue_url,
                mapping_id=arrived.mapping_id,
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


def _without(seen: Seen, dropped: EventSourceMapping) -> tuple[EventSourceMapping, ...]:
    """The mappings, of which one has begun to leave."""
    leaving = replace(dropped, state="Deleting")
    return tuple(leaving if mapping is dropped else mapping for mapping in seen.mappings or ())
