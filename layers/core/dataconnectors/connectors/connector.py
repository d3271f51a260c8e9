"""Connectors: a customer's request to have events pushed to an endpoint, as its row holds it."""

from dataclasses import dataclass
from enum import StrEnum

from dataconnectors.connectors.failing import Failing

MAXIMUM_CONNECTORS = 100
"""Connectors of a project. Ingest sends each event to all of them, and a list is one page."""


class Status(StrEnum):
    """Whether events are pushed. `SYSTEM_DISABLED` is set by the service alone."""

    ACTIVE = "ACTIVE"
    USER_DISABLED = "USER_DISABLED"
    SYSTEM_DISABLED = "SYSTEM_DISABLED"


class Lifecycle(StrEnum):
    """How far a connector's queue and event source mapping are.

    The row says it, since no transaction spans DynamoDB, SQS and Lambda. `PROVISIONING`: they may
    be missing. `READY`: AWS has accepted both. `DELETING`: the customer has deleted the connector;
    nothing is queued or sent any more, and the reconciler removes queue, mapping and row.
    """

    PROVISIONING = "PROVISIONING"
    READY = "READY"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector's row.

    Empty `event_types` means every type. `labels` are the keys of the labels to include, none when
    empty. `sealed` is the KMS ciphertext of the signature secret and the headers (see `secrets`),
    None without any. `epoch` grows with each change of `status`, `version` with each write.

    `queue_id` names the queue. `queue_url`, `mapping_id` and `provisioned` are "" until
    provisioning has them; `provisioned` is a fingerprint of the parameters that the queue and the
    event source mapping were made with. Times are in RFC 3339 and UTC.

    `disable_time` is when its status was set to a disabled one, "" while it is active and for rows
    of earlier releases. `paused_at` is when a customer has paused it, in epoch seconds; 0 when it
    is not paused. `failing` is None while attempts succeed. The sender alone writes that. A write
    of the whole row removes it, and so does every change by a customer.
    """

    project: str
    id: str
    display_name: str
    status: Status
    event_types: tuple[str, ...]
    labels: tuple[str, ...]
    url: str
    sealed: bytes | None
    lifecycle: Lifecycle
    epoch: int
    version: int
    queue_id: str
    queue_url: str
    mapping_id: str
    provisioned: str
    create_time: str
    update_time: str
    disable_time: str = ""
    paused_at: float = 0.0
    failing: Failing | None = None

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/dataconnectors/{id}`."""
        return f"projects/{self.project}/dataconnectors/{self.id}"

    @property
    def is_active(self) -> bool:
        """Whether any of its events are queued and sent."""
        return self.status is Status.ACTIVE and self.lifecycle is not Lifecycle.DELETING

    @property
    def is_paused(self) -> bool:
        """Whether its events are held, until it is resumed or their 12 hours are over."""
        return self.paused_at > 0

    @property
    def held_since(self) -> float | None:
        """Since when its events are held, in epoch seconds; None when they are attempted."""
        if self.is_paused:
            return self.paused_at
        if self.failing is not None and self.failing.is_outage:
            return self.failing.window
        return None

    def sends(self, epoch: int) -> bool:
        """Whether an event that was accepted in `epoch` may still be queued and sent."""
        return self.is_active and self.epoch == epoch


@dataclass(frozen=True, slots=True)
class LifecycleEntry:
    """What the index of lifecycles holds of a connector, which may be seconds behind its row."""

    name: str
    queue_id: str
    mapping_id: str
    provisioned: str
