"""Takes one connector to exactly one queue and one mapping, or deletes both, from any state.

No transaction spans DynamoDB, SQS and Lambda, and a process may die after any call. So the row is
all that is remembered between runs: the provisioner looks at what is there, does the one step that
`steps.next_step` names, and asks again. The config API and the reconciler both use it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dataconnectors.aws.settings import QueueSettings
from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.kernel.errors import ControlPlaneError
from dataconnectors.provisioning.blueprint import Blueprint
from dataconnectors.provisioning.control_plane import ABSENT, CallError, ControlPlane, NotYetError
from dataconnectors.provisioning.mappings import EventSourceMapping
from dataconnectors.provisioning.rows import ConnectorRows
from dataconnectors.provisioning.steps import (
    NO_MAPPINGS,
    NOTHING_OBSERVED,
    Complete,
    CreateMapping,
    CreateQueue,
    DeleteMapping,
    DeleteQueue,
    FindMappings,
    FindQueue,
    MappingStep,
    Observed,
    Owner,
    QueueStep,
    TagMapping,
    UpdateMapping,
    UpdateQueue,
    Wait,
    next_step,
)

QUEUE_USABLE_AFTER = 1.0
"""Seconds. AWS: "you must wait at least one second after the queue is created" to use it."""

RECORD_TRIES = 5
"""How often a row is written that the customer changes meanwhile. A PATCH costs one try at most."""

_QUEUE_NOT_VISIBLE = frozenset({"InvalidParameterValueException", "ResourceNotFoundException"})
"""The codes of Lambda's answer when it does not see a new mapping's queue yet. They have other
causes too."""


class Change(StrEnum):
    """What was done to a queue or a mapping. A created queue may have existed before."""

    QUEUE_CREATED = "queue created"
    QUEUE_UPDATED = "queue updated"
    QUEUE_DELETED = "queue deleted"
    MAPPING_CREATED = "mapping created"
    MAPPING_UPDATED = "mapping updated"
    MAPPING_DELETED = "mapping deleted"


def _ignore_change(_: Change) -> None:
    """For callers that need not know what was changed."""


class Provisioner:
    """Creates, updates and deletes queues and mappings. It keeps nothing between calls.

    `clock` and `sleep` are in seconds. `before_call` runs before each call to SQS and Lambda.
    """

    def __init__(
        self,
        sqs: Any,
        lambda_client: Any,
        rows: ConnectorRows,
        settings: QueueSettings,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        before_call: Callable[[], None] = lambda: None,
    ) -> None:
        self._blueprint = Blueprint(settings)
        self._control_plane = ControlPlane(sqs, lambda_client, self._blueprint, before_call)
        self._rows = rows
        self._clock = clock
        self._sleep = sleep

    def provision(self, connector: Connector) -> Connector:
        """Create what a `PROVISIONING` connector lacks, and return its row, now `READY`.

        On return the queue is usable and Lambda has accepted the mapping. The mapping may still be
        Creating; events wait in the queue until it is enabled. Anybody may repeat this at any time.

        Raises `ControlPlaneError`, which names the connector, when AWS did not do it or when the
        connector was deleted meanwhile. The row then stays as it is, and the reconciler goes on.
        """
        try:
            return self.converge(connector, observed=NO_MAPPINGS)
        except ControlPlaneError as error:
            raise ControlPlaneError(f"{connector.name}: {error}") from error
        except (ClientError, BotoCoreError) as error:  # raised by the rows' methods
            raise ControlPlaneError(f"{connector.name}: the database did not answer") from error

    def converge(
        self,
        row: Connector,
        *,
        observed: Observed = NOTHING_OBSERVED,
        on_change: Callable[[Change], None] = _ignore_change,
    ) -> Connector:
        """Take a connector to one queue and one mapping like the blueprint, and record them.

        Returns the row as it is then. `on_change` is called for each change as soon as AWS has
        accepted it.

        Raises `CallError`; `NotYetError` when a later run has to go on; `ControlPlaneError` when
        the connector is being deleted; and botocore's errors when the database fails.
        """
        if row.lifecycle is Lifecycle.DELETING:
            raise ControlPlaneError("it is being deleted")
        complete = self._do_steps(Owner.of(row), observed, on_change)
        return self._record(row, complete)

    def delete(self, owner: Owner, *, on_change: Callable[[Change], None] = _ignore_change) -> None:
        """Delete the mappings and then the queue of an owner that is being deleted.

        Raises as `converge` does. `NotYetError` is usual, as Lambda takes seconds to delete a
        mapping. Raises `ValueError` for an owner that is not being deleted.
        """
        if owner.lifecycle is not Lifecycle.DELETING:
            raise ValueError(f"{owner.connector} is {owner.lifecycle}: its queue is needed")
        self._do_steps(owner, NOTHING_OBSERVED, on_change)

    def _do_steps(
        self, owner: Owner, observed: Observed, on_change: Callable[[Change], None]
    ) -> Complete:
        while True:
            match next_step(owner, observed, self._blueprint):
                case Wait(reason):
                    raise NotYetError(reason)
                case Complete() as complete:
                    self._sleep_until(observed.queue_usable_at)
                    return complete
                case FindQueue() | CreateQueue() | UpdateQueue() | DeleteQueue() as step:
                    observed = self._do_queue_step(step, owner, observed, on_change)
                case (
                    FindMappings()
                    | CreateMapping()
                    | UpdateMapping()
                    | TagMapping()
                    | DeleteMapping() as step
                ):
                    observed = self._do_mapping_step(step, owner, observed, on_change)

    def _do_queue_step(
        self,
        step: QueueStep,
        owner: Owner,
        observed: Observed,
        on_change: Callable[[Change], None],
    ) -> Observed:
        match step:
            case FindQueue():
                return replace(observed, queue_url=self._control_plane.find_queue(owner.queue_id))
            case CreateQueue():
                url = self._control_plane.create_queue(owner.queue_id, owner.connector)
                on_change(Change.QUEUE_CREATED)
                usable_at = self._clock() + QUEUE_USABLE_AFTER
                return replace(
                    observed, queue_url=url, queue_updated=True, queue_usable_at=usable_at
                )
            case UpdateQueue(url):
                self._control_plane.update_queue(url)
                on_change(Change.QUEUE_UPDATED)
                return replace(observed, queue_updated=True)
            case DeleteQueue():
                url = owner.queue_url or self._control_plane.find_queue(owner.queue_id)
                if url != ABSENT:
                    self._control_plane.delete_queue(url)
                    on_change(Change.QUEUE_DELETED)
                return replace(observed, queue_url=ABSENT)

    def _do_mapping_step(
        self,
        step: MappingStep,
        owner: Owner,
        observed: Observed,
        on_change: Callable[[Change], None],
    ) -> Observed:
        match step:
            case FindMappings():
                return replace(observed, mappings=self._find_own_mappings(owner))
            case CreateMapping():
                mappings = self._create_mapping(owner, observed.queue_usable_at, on_change)
                return replace(observed, mappings=mappings)
            case UpdateMapping(mapping):
                self._control_plane.update_mapping(mapping)
                on_change(Change.MAPPING_UPDATED)
                return replace(observed, updated_mapping_id=mapping.id)
            case TagMapping(mapping):
                self._control_plane.tag_mapping(mapping)
                on_change(Change.MAPPING_UPDATED)
                return replace(observed, tagged_mapping_id=mapping.id)
            case DeleteMapping(mapping):
                self._control_plane.delete_mapping(mapping)
                on_change(Change.MAPPING_DELETED)
                return replace(observed, mappings=_mark_deleting(observed.mappings or (), mapping))

    def _find_own_mappings(self, owner: Owner) -> tuple[EventSourceMapping, ...]:
        """The mappings on the queue that are ours. We never touch another function's mapping.

        The mapping whose id is in the row is ours whatever function it invokes now. It is asked for
        by its id when the listing does not show it, because the listing lags.
        """
        mappings = [
            mapping
            for mapping in self._control_plane.mappings_on(owner.queue_id)
            if mapping.id == owner.mapping_id or self._blueprint.invokes_sender(mapping)
        ]
        if owner.mapping_id and all(mapping.id != owner.mapping_id for mapping in mappings):
            recorded = self._control_plane.find_mapping(owner.mapping_id)
            if recorded is not None:
                mappings.append(recorded)
        return tuple(mappings)

    def _create_mapping(
        self, owner: Owner, queue_usable_at: float, on_change: Callable[[Change], None]
    ) -> tuple[EventSourceMapping, ...]:
        """Create a mapping and return the mappings that are there then.

        The first try does not wait until a new queue is usable. When Lambda does not see the queue
        yet, a second try follows after that time. On a conflict somebody else has created it.
        """
        try:
            mapping = self._control_plane.create_mapping(owner.queue_id, owner.connector)
        except CallError as error:
            if error.code not in _QUEUE_NOT_VISIBLE or self._clock() >= queue_usable_at:
                raise
            self._sleep_until(queue_usable_at)
            mapping = self._control_plane.create_mapping(owner.queue_id, owner.connector)
        if mapping is not None:
            on_change(Change.MAPPING_CREATED)
            return (mapping,)
        existing = self._find_own_mappings(owner)
        if not existing:
            raise NotYetError("Lambda has a mapping of this queue, but does not list it yet")
        return existing

    def _record(self, row: Connector, complete: Complete) -> Connector:
        """Write the queue and the mapping to the row, and keep what the customer has changed."""
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
            written = self._rows.set_ready(
                current,
                queue_url=ready.queue_url,
                mapping_id=ready.mapping_id,
                provisioned=ready.provisioned,
            )
            if written is not None:
                return written
            current = self._rows.connector(row.name)
        raise NotYetError("the row changed each time it was to be written")

    def _sleep_until(self, moment: float) -> None:
        wait = moment - self._clock()
        if wait > 0:
            self._sleep(wait)


def _mark_deleting(
    mappings: tuple[EventSourceMapping, ...], deleted: EventSourceMapping
) -> tuple[EventSourceMapping, ...]:
    """The mappings after Lambda has begun to delete one of them."""
    return tuple(
        replace(mapping, state="Deleting") if mapping is deleted else mapping
        for mapping in mappings
    )
