"""Routes of data connectors."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router

from dataconnectors.api.request import ApiRequest
from dataconnectors.aws import gateway
from dataconnectors.aws.vault import Vault
from dataconnectors.connectors import configuration
from dataconnectors.connectors.configuration import CheckUrl, Configuration
from dataconnectors.connectors.connector import Connector, Lifecycle
from dataconnectors.connectors.idempotency import (
    REMEMBERED_SECONDS,
    IdempotencyRecord,
    digest_of_create,
)
from dataconnectors.connectors.secrets import NO_SECRETS, Secrets, open_secrets
from dataconnectors.delivery.freshness import SETTLE_SECONDS
from dataconnectors.identity.access import Access
from dataconnectors.identity.audit import Actor
from dataconnectors.kernel import times
from dataconnectors.kernel.errors import (
    ConflictError,
    ControlPlaneError,
    NotFoundError,
    UnavailableError,
)
from dataconnectors.kernel.ids import ENTROPY_BYTES, new_id
from dataconnectors.store.attempt_counts import AttemptCountStore
from dataconnectors.store.connectors import ConnectorStore

TRIES = 5
"""Of a change that other writers of the same connector got ahead of."""

READERS = 10
"""Secrets of a list that KMS opens at the same time: a hundred take ten times one, not a hundred
times. Those opened within the last half minute are in the vault's memory. Also as many as the
shards of a connector's metrics, which are read at the same time too."""

COLLECTION = "/v2/projects/<project>/dataconnectors"


class Connectors:
    """Connectors of any project, as their owners see them. Checks no permission."""

    def __init__(
        self,
        store: ConnectorStore,
        vault: Vault,
        provision: Callable[[Connector], Connector],
        check_url: CheckUrl,
        tallies: AttemptCountStore,
        *,
        entropy: Callable[[int], bytes],
        now: Callable[[], float],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`provision` does what `provisioning.Provisioner.provision` says; `entropy` gives random
        bytes, `now` epoch seconds; `sleep` takes seconds."""
        self._store = store
        self._vault = vault
        self._provision = provision
        self._check_url = check_url
        self._tallies = tallies
        self._entropy = entropy
        self._now = now
        self._sleep = sleep
        self._readers = ThreadPoolExecutor(READERS)

    def create(
        self, project: str, body: Any, actor: Actor, idempotency_key: str = ""
    ) -> dict[str, Any]:
        """Make a connector; answers when its queue takes events.

        The row comes first: whatever dies after it, the reconciler finishes. A call that equals
        one of a moment ago finishes that one's connector and shows it.
        """
        wanted = configuration.parse_create(body, self._check_url)
        connector = self._remembered_or_new(project, wanted, actor, idempotency_key)
        try:
            connector = self._provision(connector)
        except ControlPlaneError as error:
            raise UnavailableError(
                f"{connector.name} is stored, its queue is not ready yet ({error}): it will be "
                "within minutes. List the connectors before creating it again"
            ) from error
        return configuration.to_api(connector, wanted.secrets)

    def _remembered_or_new(
        self, project: str, wanted: Configuration, actor: Actor, idempotency_key: str
    ) -> Connector:
        digest = digest_of_create(actor.key_id, idempotency_key, wanted)
        new = self._new(project, wanted)
        entry = actor.audit_entry("dataconnector.create", new.name)
        creation = IdempotencyRecord(project, digest, new.id, self._now() + REMEMBERED_SECONDS)
        before: IdempotencyRecord | None = None
        for _ in range(TRIES):
            if self._store.create_connector(new, entry, creation, instead_of=before):
                return new
            before = self._store.creation(project, digest)
            first = self._made_by(before)
            if first is not None and self._settings(first) == wanted:
                return first
        raise ConflictError("equal calls keep making connectors: list them and try again")

    def _made_by(self, creation: IdempotencyRecord | None) -> Connector | None:
        if creation is None or creation.expires_at < self._now():
            return None
        name = f"projects/{creation.project}/dataconnectors/{creation.connector}"
        connector = self._store.connector(name)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            return None
        return connector

    def _new(self, project: str, wanted: Configuration) -> Connector:
        now = self._now()
        time_text = times.to_text(now)
        connector = Connector(
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

    def get(self, project: str, connector_id: str) -> dict[str, Any]:
        """One connector; `NotFoundError` when it is not there or is being deleted."""
        return self._to_api(self._find(project, connector_id))

    def list_all(self, project: str) -> dict[str, Any]:
        """All connectors of a project in one page.

        One page, because the vendor's SDK carries a page token over into its next list calls.
        """
        shown = [
            connector
            for connector in self._store.connectors(project)
            if connector.lifecycle is not Lifecycle.DELETING
        ]
        return {
            "dataConnectors": list(self._readers.map(self._to_api, shown)),
            "nextPageToken": "",
        }

    def patch(
        self, project: str, connector_id: str, body: Any, mask: list[str] | None, actor: Actor
    ) -> dict[str, Any]:
        """Change the named fields, whatever others change at the same time.

        Where the connector is disabled on return, no attempt begins any more.
        """
        for _ in range(TRIES):
            old = self._find(project, connector_id)
            current = self._settings(old)
            wanted = configuration.parse_patch(body, mask, current, self._check_url)
            if wanted == current:
                self._settle(old)
                return configuration.to_api(old, current.secrets)
            entry = actor.audit_entry(
                "dataconnector.update",
                old.name,
                fields=configuration.changed_fields(current, wanted),
            )
            written = self._store.update_connector(old, self._changed(old, current, wanted), entry)
            if written is not None:
                self._settle(written)
                return configuration.to_api(written, wanted.secrets)
        raise ConflictError(f"{old.name} keeps being changed by others: read it and try again")

    def delete(self, project: str, connector_id: str, actor: Actor) -> dict[str, Any]:
        """Mark the connector: nothing is queued or sent from now on. The reconciler clears up."""
        for _ in range(TRIES):
            old = self._find(project, connector_id, settle=True)
            gone = replace(
                old,
                lifecycle=Lifecycle.DELETING,
                sealed=None,
                update_time=times.to_text(self._now()),
            )
            entry = actor.audit_entry("dataconnector.delete", old.name)
            written = self._store.update_connector(old, gone, entry)
            if written is not None:
                self._settle(written)
                return {}
        raise ConflictError(f"{old.name} keeps being changed by others: try again")

    def metrics(self, project: str, connector_id: str) -> dict[str, Any]:
        """How the attempts of the last 3 hours went."""
        connector = self._find(project, connector_id)
        tally = self._tallies.recent(connector.name, self._now(), self._readers.map)
        latency = tally.percentile(99)
        return {
            "metrics": {
                "successCount": tally.successes,
                "errorCount": tally.errors,
                "latency99p": f"{latency:.3f}s" if latency else "0s",
            }
        }

    def _settle(self, connector: Connector) -> None:
        """Wait until no attempt can begin on what was read before this connector was disabled.

        Whoever disabled it: another call may have done so a moment ago, which has not answered.
        """
        if not connector.is_active:
            self._sleep(SETTLE_SECONDS)

    def _changed(self, old: Connector, current: Configuration, wanted: Configuration) -> Connector:
        sealed = old.sealed
        if wanted.secrets != current.secrets:
            sealed = self._seal(wanted.secrets, old.name)
        return replace(
            old,
            display_name=wanted.display_name,
            status=wanted.status,
            event_types=wanted.event_types,
            labels=wanted.labels,
            url=wanted.url,
            sealed=sealed,
            # What was accepted before belongs to the old epoch, and is not sent any more.
            epoch=old.epoch + (wanted.status is not old.status),
            update_time=times.to_text(self._now()),
        )

    def _find(self, project: str, connector_id: str, *, settle: bool = False) -> Connector:
        name = f"projects/{project}/dataconnectors/{connector_id}"
        connector = self._store.connector(name)
        if connector is not None and settle and connector.lifecycle is Lifecycle.DELETING:
            # Perhaps deleted a moment ago, by a call whose answer this caller did not get.
            self._settle(connector)
        if connector is None or connector.lifecycle is Lifecycle.DELETING:
            raise NotFoundError(f"{name:.200} is not there")
        return connector

    def _settings(self, connector: Connector) -> Configuration:
        return configuration.of(connector, open_secrets(connector, self._vault))

    def _to_api(self, connector: Connector) -> dict[str, Any]:
        return configuration.to_api(connector, open_secrets(connector, self._vault))

    def _seal(self, secrets: Secrets, name: str) -> bytes | None:
        return None if secrets == NO_SECRETS else self._vault.seal(secrets.to_bytes(), name)


def routes(connectors: Connectors, access: Access) -> Router:
    """`/v2/projects/{project}/dataconnectors` and below."""
    router = Router()
    request = ApiRequest(router, access)

    @router.get(COLLECTION)
    def list_connectors(project: str) -> dict[str, Any]:
        request.project(project, "dataconnector.read")
        return connectors.list_all(project)

    @router.post(COLLECTION)
    def create_connector(project: str) -> dict[str, Any]:
        actor = request.project(project, "dataconnector.create")
        idempotency_key = gateway.headers(request.event).get("idempotency-key", "")
        return connectors.create(project, request.body(), actor, idempotency_key)

    # Before the route of a connector, whose pattern takes a colon too.
    @router.get(COLLECTION + "/<connector>:metrics")
    def get_metrics(project: str, connector: str) -> dict[str, Any]:
        request.project(project, "dataconnector.read")
        return connectors.metrics(project, connector)

    @router.get(COLLECTION + "/<connector>")
    def get_connector(project: str, connector: str) -> dict[str, Any]:
        request.project(project, "dataconnector.read")
        return connectors.get(project, connector)

    @router.patch(COLLECTION + "/<connector>")
    def update_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.project(project, "dataconnector.update")
        return connectors.patch(project, connector, request.body(), request.mask(), actor)

    @router.delete(COLLECTION + "/<connector>")
    def delete_connector(project: str, connector: str) -> dict[str, Any]:
        actor = request.project(project, "dataconnector.delete")
        return connectors.delete(project, connector, actor)

    return router
