"""How the service itself disables a connector, with a reason that its owners find in the audit log.

What decides to do so, such as the sender when an endpoint is gone, imports this when it has to:
it happens rarely, and every cold start pays for imports.
"""

from dataconnectors.connectors.connector import Connector
from dataconnectors.identity.audit import SYSTEM, AuditEntry
from dataconnectors.kernel import times
from dataconnectors.store.connectors import ConnectorStore

ACTION = "dataconnector.update"
"""What the audit log calls it: what a customer needs permission for to do the same."""


def disable_by_system(
    rows: ConnectorStore, connector: Connector, reason: str, now: float
) -> Connector | None:
    """Set `SYSTEM_DISABLED`, and return the new row. `now` is in epoch seconds.

    `connector` is the row that the decision was made on. None when somebody has changed it since:
    their change wins, and whoever decided may decide again on the new row. None also when it is
    disabled or deleted already. From 0.6 s after this (`freshness.SETTLE_SECONDS`) no attempt
    starts, and its events so far are never sent, as when a customer disables it. `reason` is shown
    to customers. Raises botocore's errors.
    """
    if not connector.is_active:
        return None
    entry = AuditEntry(
        log=f"projects/{connector.project}",
        # A version of a row is followed by one other, so no second entry has this id.
        id=f"{connector.id}-{connector.version}",
        time=now,
        actor=SYSTEM,
        key_id="",
        address="",
        action=ACTION,
        resource=connector.name,
        fields=("status",),
        details={"reason": reason},
    )
    return rows.disable(connector, times.to_text(now), entry)
