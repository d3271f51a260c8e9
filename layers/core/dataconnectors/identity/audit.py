"""The audit log: who changed what, when, and from where. It never holds a secret's value."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from dataconnectors.kernel import times

RETENTION_SECONDS = 400 * 24 * 3600
"""How long an entry is kept: a year, and a month in which somebody can look at that year."""


SYSTEM = "system"
"""The actor of a change that the service made by itself. It is no email, so no account has it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change, as the audit log of `log` has it: `projects/{id}` or `organizations/{id}`.

    `actor` is the email of the account or person that made the change, `key_id` the key that the
    account used ("" for a person), and `address` the IP address that the call came from. If the
    service made the change by itself, they are `SYSTEM`, "" and "", and `details` has the reason.
    `action` is the permission that the change required, or `members.ACCEPT`. `fields` are the names
    of the changed fields; `details` are the few values that are no secrets, such as a member's
    roles. `time` is in epoch seconds.
    """

    log: str
    id: str
    time: float
    actor: str
    key_id: str
    address: str
    action: str
    resource: str
    fields: tuple[str, ...]
    details: Mapping[str, Any]

    @property
    def expires_at(self) -> float:
        """The epoch second from which DynamoDB may delete the entry."""
        return self.time + RETENTION_SECONDS

    def to_api(self) -> dict[str, Any]:
        """The entry as answers show it."""
        return {
            "id": self.id,
            "time": times.to_text(self.time),
            "actor": self.actor,
            "keyId": self.key_id,
            "address": self.address,
            "action": self.action,
            "resource": self.resource,
            "fields": list(self.fields),
            "details": dict(self.details),
        }


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes the changes of one request. `now` is in epoch seconds.

    `request` is the id of the request: the ids of its audit entries begin with it. `numbers` counts
    these entries.
    """

    email: str
    key_id: str
    address: str
    now: float
    request: str
    numbers: Iterator[int] = field(default_factory=count, repr=False)

    def audit_entry(
        self,
        action: str,
        resource: str,
        *,
        log: str = "",
        fields: tuple[str, ...] = (),
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        """The audit entry of a change, which is written in the same transaction as the change.

        It goes into the log of the project or organization that the resource's name begins with,
        unless `log` names another one.
        """
        return AuditEntry(
            log=log or "/".join(resource.split("/")[:2]),
            id=f"{self.request}-{next(self.numbers):03d}",
            time=self.now,
            actor=self.email,
            key_id=self.key_id,
            address=self.address,
            action=action,
            resource=resource,
            fields=fields,
            details=details or {},
        )
