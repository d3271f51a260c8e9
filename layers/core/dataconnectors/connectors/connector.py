"""A customer's connector: its settings, as they are stored and as they are shown."""

from dataclasses import dataclass
from enum import StrEnum

MAXIMUM_CONNECTORS = 100
"""Of a project. Ingest sends each event to all of them, and a list is always one page."""


class Status(StrEnum):
    """Whether events are pushed. `SYSTEM_DISABLED` is set by the service alone."""

    ACTIVE = "ACTIVE"
    USER_DISABLED = "USER_DISABLED"
    SYSTEM_DISABLED = "SYSTEM_DISABLED"


class Lifecycle(StrEnum):
    """How far queue and mapping are, since no transaction spans DynamoDB, SQS and Lambda.

    `PROVISIONING`: they may be missing. `READY`: both were accepted by AWS. `DELETING`: the
    customer has deleted the connector; nothing is queued or sent, and the reconciler clears up.
    """

    PROVISIONING = "PROVISIONING"
    READY = "READY"
    DELETING = "DELETING"


@dataclass(frozen=True, slots=True)
class Connector:
    """One row. `event_types` empty means every type; `labels` are keys, empty means none.

    `sealed` is the KMS ciphertext of signature secret and headers (`secrets`), None without any.
    `epoch` grows with each change of `status`, `version` with each write. `queue_id` names the
    queue; `queue_url`, `mapping_id` and `provisioned` (a fingerprint of the parameters that the
    queue and the mapping were made with) are "" until provisioning has them.
    Times are RFC 3339 in UTC.
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

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/dataconnectors/{id}`."""
        return f"projects/{self.project}/dataconnectors/{self.id}"

    @property
    def is_active(self) -> bool:
        """Whether its events are queued and sent at all."""
        return self.status is Status.ACTIVE and self.lifecycle is not Lifecycle.DELETING

    def sends(self, epoch: int) -> bool:
        """Whether an event that was accepted in `epoch` may be sent now."""
        return self.is_active and self.epoch == epoch


@dataclass(frozen=True, slots=True)
class LifecycleEntry:
    """A connector as the index knows it: possibly seconds behind its row."""

    name: str
    queue_id: str
    mapping_id: str
    provisioned: str
