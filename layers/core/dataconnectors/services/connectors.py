"""Data connectors: what their owners do with them."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from dataconnectors.aws.vault import Vault
from dataconnectors.connectors import configuration
from dataconnectors.connectors.configuration import Configuration
from dataconnectors.connectors.configuration_request import CheckUrl, parse_create, parse_patch
from dataconnectors.connectors.connector import Connector, Lifecycle, Status
from dataconnectors.connectors.idempotency import (
    REMEMBERED_SECONDS,
    IdempotencyRecord,
    digest_of_create,
)
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets, masked_url, open_secrets
from dataconnectors.delivery.freshness import SETTLE_SECONDS
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import (
    BadRequestError,
    ConflictError,
    ControlPlaneError,
    NotFoundError,
    UnavailableError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.services.lists import ListRequest
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore

TRIES = 5
"""How often a change is tried when other writers of the same connector get in first."""

READERS = 10
"""Threads that read at the same time. KMS opens the secrets of a list in them: a hundred connectors
take ten times as long as one, not a hundred times. (The vault remembers for half a minute what it
opened.) The shards of a connector's attempt counts are read in them too, and there are fewer."""


class ConnectorService:
    """Connectors of any project, as their owners see them. Checks no permission."""

    def __init__(
        self,
        store: ConnectorStore,
        vault: Vault,
        provision: Callable[[Connector], Connector],
        check_url: CheckUrl,
        attempt_counts: AttemptCountStore,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`provision` makes a connector's queue and mapping, see `Provisioner.provision`.

        `entropy` gives random bytes, `now` epoch seconds; `sleep` takes seconds.
        """
        self._store = store
        self._vault = vault
        self._provision = provision
        self._check_url = check_url
        self._attempt_counts = attempt_counts
        self._entropy = entropy
        self._now = now
        self._sleep = sleep
        self._readers = ThreadPoolExecutor(READERS)

    def create(
        self, project: str, body: Any, actor: Actor, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Create a connector, and return when its queue takes events.

        The row is written first. If anything fails after that, the reconciler finishes the
        connector. A call that equals one of the last minute is taken for the same call sent again:
        it finishes the connector of the first call and shows it.

        Raises `BadRequestError`, `NotFoundError` without project, `ConflictError`, and
        `UnavailableError` when the queue is not ready yet.
        """
        wanted = parse_create(body, self._check_url)
        connector = self._find_or_create(project, wanted, actor, idempotency_key)
        try:
            connector = self._provision(connector)
        except ControlPlaneError as error:
            raise UnavailableError(
                f"{connector.name} is stored, its queue is not ready yet ({error}): it will be "
                "within minutes. List the connectors before creating it again"
            ) from error
        return configuration.to_api(connector, wanted.secrets)

    def _find_or_create(
        self, project: str, wanted: Configuration, actor: Actor, idempotency_key: str
    ) -> Connector:
        """The connector that an equal call made a moment ago, or a new one."""
        digest = digest_of_create(actor.key_id, idempotency_key, wanted)
        new = self._new(project, wanted)
        entry = actor.audit_entry("dataconnector.create", new.name)
        record = IdempotencyRecord(project, digest, new.id, self._now() + REMEMBERED_SECONDS)
        earlier: IdempotencyRecord | None = None
        for _ in range(TRIES):
            if self._store.create_connector(new, entry, record, replaced=earlier):
                return new
            earlier = self._store.idempotency_record(project, digest)
            first = self._connector_of(earlier)
            if first is not None and self._configuration_of(first) == wanted:
                return first
        raise ConflictError("equal calls keep making connectors: list them and try again")

    def _connector_of(self, record: IdempotencyRecord | None) -> Connector | None:
        """The connector that a create call made; None when the record or the connector is gone."""
        if record is None or record.expires_at < self._now():
            return None
        name = f"projects/{record.project}/dataconnectors/{record.connector}"
        connector = self._store.connector(name)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            return None
        return connector

    def _new(self, project: str, wanted: Configuration) -> Connector:
        now = self._now()
        time_text = times.to_text(now)
        connector = Connector(
            disable_time="" if wanted.status is Status.ACTIVE else time_text,
            project=project,
            id=new_id(now, self._entropy(ENTROPY_BYTES)),
            display_name=wanted.display_name,
            status=wanted.status,
            event_types=wanted.event_types,
            labels=wanted.labels,
            url=wanted.url,
            sealed=None,
            lifecycle=Lifecycle.PROVISIONING,
            epoch=1,
            version=1,
            queue_id=new_id(now, self._entropy(ENTROPY_BYTES)),
            queue_url="",
            mapping_id="",
            provisioned="",
            create_time=time_text,
            update_time=time_text,
        )
        return replace(connector, sealed=self._seal(wanted.secrets, connector.name))

    def get(self, project: str, connector_id: str, *, show_secrets: bool) -> dict[str, Any]:
        """One connector, with its secrets or with masks in their place.

        Raises `NotFoundError` when it is not there or is being deleted.
        """
        return self._to_api(self._find(project, connector_id), show_secrets=show_secrets)

    def page(self, project: str, wanted: ListRequest, *, show_secrets: bool) -> dict[str, Any]:
        """A page of a project's connectors, in the order of their ids.

        Only the secrets of the connectors on the page are opened.
        """
        shown, last = self._store.page(project, limit=wanted.size, after=wanted.after)
        to_api = partial(self._to_api, show_secrets=show_secrets)
        return wanted.answer(list(self._readers.map(to_api, shown)), last)

    def update(
        self, project: str, connector_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Change the given fields, and keep what others change at the same time.

        If the connector is disabled when this returns, no attempt begins any more.
        """
        for _ in range(TRIES):
            old = self._find(project, connector_id)
            current = self._configuration_of(old)
            wanted = parse_patch(body, mask, current, self._check_url, self._now())
            if wanted == current:
                self._wait_for_senders(old)
                return configuration.to_api(old, current.secrets)
            entry = actor.audit_entry(
                "dataconnector.update",
                old.name,
                fields=configuration.changed_fields(current, wanted),
            )
            written = self._store.update_connector(old, self._changed(old, current, wanted), entry)
            if written is not None:
                self._wait_for_senders(written)
                return configuration.to_api(written, wanted.secrets)
        raise ConflictError(f"{old.name} keeps being changed by others: read it and try again")

    def delete(self, project: str, connector_id: str, actor: Actor) -> dict[str, Any]:
        """Mark the connector as deleted. When this returns, nothing is queued or sent any more.

        The reconciler removes the mapping, the queue and the row.
        """
        for _ in range(TRIES):
            old = self._find(project, connector_id, wait_if_deleted=True)
            gone = replace(
                old,
                lifecycle=Lifecycle.DELETING,
                sealed=None,
                update_time=times.to_text(self._now()),
            )
            entry = actor.audit_entry("dataconnector.delete", old.name)
            written = self._store.update_connector(old, gone, entry)
            if written is not None:
                self._wait_for_senders(written)
                return {}
        raise ConflictError(f"{old.name} keeps being changed by others: try again")

    def set_paused(
        self, project: str, connector_id: str, actor: Actor, *, paused: bool
    ) -> dict[str, Any]:
        """Hold the connector's events, or let them go again; they expire 12 hours after they came.

        When a call that pauses returns, no attempt begins any more. Raises `NotFoundError`,
        `ConflictError`, and `BadRequestError` for a disabled connector.
        """
        for _ in range(TRIES):
            old = self._find(project, connector_id)
            if not old.is_active:
                raise BadRequestError(
                    f"{old.name} is disabled and sends nothing: set its status to ACTIVE first"
                )
            written: Connector | None = old
            if paused is not old.is_paused:
                now = self._now()
                new = replace(old, paused_at=now if paused else 0.0, update_time=times.to_text(now))
                verb = "pause" if paused else "resume"
                entry = actor.audit_entry("dataconnector.update", old.name, details={"verb": verb})
                written = self._store.update_connector(old, new, entry)
            if written is not None:
                self._wait_for_senders(written)
                return self._to_api(written, show_secrets=True)
        raise ConflictError(f"{old.name} keeps being changed by others: try again")

    def metrics(self, project: str, connector_id: str) -> dict[str, Any]:
        """How many attempts of the last 3 hours succeeded and failed, and how long they took."""
        connector = self._find(project, connector_id)
        counts = self._attempt_counts.recent(connector.name, self._now(), self._readers.map)
        latency = counts.percentile(99)
        return {
            "metrics": {
                "successCount": counts.successes,
                "errorCount": counts.errors,
                "latency99p": f"{latency:.3f}s" if latency else "0s",
            }
        }

    def _wait_for_senders(self, connector: Connector) -> None:
        """If the connector sends nothing, wait until senders no longer use what they read before.

        The wait is needed even when this call changed nothing: another call may have disabled the
        connector a moment ago and not have answered yet.
        """
        if not connector.is_active or connector.is_paused:
            self._sleep(SETTLE_SECONDS)

    def _changed(self, old: Connector, current: Configuration, wanted: Configuration) -> Connector:
        sealed = old.sealed
        if wanted.secrets != current.secrets:
            sealed = self._seal(wanted.secrets, old.name)
        changed = replace(
            old,
            display_name=wanted.display_name,
            status=wanted.status,
            event_types=wanted.event_types,
            labels=wanted.labels,
            url=wanted.url,
            sealed=sealed,
            update_time=times.to_text(self._now()),
        )
        if wanted.status is old.status:
            return changed
        return replace(
            changed,
            # Events accepted before the change belong to the old epoch, and are no longer sent.
            epoch=old.epoch + 1,
            disable_time="" if wanted.status is Status.ACTIVE else changed.update_time,
            paused_at=0.0,  # nothing is left to hold
        )

    def _find(self, project: str, connector_id: str, *, wait_if_deleted: bool = False) -> Connector:
        name = f"projects/{project}/dataconnectors/{connector_id}"
        connector = self._store.connector(name)
        if connector is not None and wait_if_deleted and connector.lifecycle is Lifecycle.DELETING:
            # Another call may have deleted it a moment ago: its caller, who may have missed the
            # answer, calls again and must not be answered any earlier.
            self._wait_for_senders(connector)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            raise NotFoundError(f"{name:.200} is not there")
        return connector

    def _configuration_of(self, connector: Connector) -> Configuration:
        return Configuration.of(connector, self._secrets_of(connector))

    def _secrets_of(self, connector: Connector) -> Secrets:
        """The secrets that are valid now."""
        return open_secrets(connector, self._vault).at(self._now())

    def _to_api(self, connector: Connector, *, show_secrets: bool) -> dict[str, Any]:
        secrets = self._secrets_of(connector)
        if not show_secrets:
            connector = replace(connector, url=masked_url(connector.url))
            secrets = secrets.masked()
        return configuration.to_api(connector, secrets)

    def _seal(self, secrets: Secrets, name: str) -> bytes | None:
        return None if secrets == NO_SECRETS else self._vault.seal(secrets.to_bytes(), name)
