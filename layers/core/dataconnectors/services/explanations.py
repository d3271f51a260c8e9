"""Why an event was delivered to a connector, or was not: what is known of it is gathered here."""

from collections.abc import Callable
from typing import Any

from dataconnectors.connectors.connector import Connector
from dataconnectors.delivery.explanation import Change, Changed, Known, Verdict, explain, facts
from dataconnectors.delivery.log_mode import LogMode
from dataconnectors.delivery.logged_attempt import LoggedAttempt
from dataconnectors.expiry.expired_event import ExpiredEvent
from dataconnectors.identity.audit import AuditEntry
from dataconnectors.kernel import times
from dataconnectors.services import attempts
from dataconnectors.services.connector_finder import find_connector
from dataconnectors.services.event_finder import EventFinder, EventReference, parse_reference
from dataconnectors.store.attempts import CLOCK_SKEW, RETENTION_SECONDS, AttemptStore
from dataconnectors.store.audit import AuditStore
from dataconnectors.store.connectors import ConnectorStore
from dataconnectors.store.expired_events import ExpiredEventStore

VERDICTS = tuple(Verdict)

MOST_ATTEMPTS = 100
"""Attempts of an event that are read: in 12 hours there are some twenty, and as many after each
`:resend`."""

AUDIT_PAGE = 500
AUDIT_PAGES = 4
"""Entries of a project's audit log that are searched for changes of the connector: a Query each.
When there are more, the verdict is not certain."""

ACCEPTED_TOGETHER = 60.0
"""Seconds. The record of an expired event has the time of its message, and history that of its
write: both are made within one request."""


class ExplanationService:
    """Explains events, of any project's connectors. Checks no permission."""

    def __init__(
        self,
        connectors: ConnectorStore,
        finder: EventFinder,
        attempt_rows: AttemptStore,
        expired_events: ExpiredEventStore,
        audit: AuditStore,
        mode: LogMode,
        now: Callable[[], float],
    ) -> None:
        """`mode` is that of the attempt log, `now` gives epoch seconds."""
        self._connectors = connectors
        self._finder = finder
        self._attempts = attempt_rows
        self._expired = expired_events
        self._audit = audit
        self._mode = mode
        self._now = now

    def explain(
        self, project: str, connector_id: str, event: Any, device: Any, time: Any
    ) -> dict[str, Any]:
        """What became of an event. Raises `NotFoundError` and `BadRequestError`.

        Tests and labelsChanged events are not in history; they are known by their attempts.
        """
        connector = find_connector(self._connectors, project, connector_id)
        wanted = parse_reference(event, device, time, project)
        now = self._now()
        found, _ = self._attempts.page_of_event(
            connector.name,
            wanted.event_id,
            now - RETENTION_SECONDS,
            now + CLOCK_SKEW,
            limit=MOST_ATTEMPTS,
            after="",
        )
        known, shown = self._known(connector, wanted, found, now)
        explanation = explain(known)
        return {
            **shown,
            "verdict": explanation.verdict,
            "isCertain": explanation.is_certain,
            "explanation": explanation.text,
            "facts": [{"time": times.to_text(at), "text": text} for at, text in facts(known)],
            "attempts": [attempts.to_api(attempt) for attempt in found],
        }

    def _known(
        self,
        connector: Connector,
        wanted: EventReference,
        found: list[LoggedAttempt],
        now: float,
    ) -> tuple[Known, dict[str, Any]]:
        """What is known of the event, and how answers show the event itself."""
        first = found[-1] if found else None
        device = wanted.device or (first.device.rpartition("/")[2] if first else "")
        reference = wanted._replace(device=device)
        kept = self._finder.find(connector.project, reference)
        if kept is not None:
            event = kept.event
            accepted, event_time = kept.accepted_at, times.to_text(event.timestamp)
            event_type = event.type
            name = f"projects/{connector.project}/devices/{event.device}"
            at = event.timestamp if accepted is None else accepted
        elif first is not None:
            event_type, name, event_time = first.event_type, first.device, None
            accepted = at = first.started_at - first.durations.get("queue", 0.0) / 1000
        else:
            raise self._finder.not_found(connector.project, wanted)
        changes, knows_all = self._changes(connector, at, now)
        known = Known(
            connector,
            event_type,
            at,
            accepted is not None,
            found,
            self._record(connector, wanted.event_id, at),
            changes,
            knows_all,
            self._mode,
            now - RETENTION_SECONDS,
            now,
        )
        return known, {
            "eventId": wanted.event_id,
            "eventType": event_type,
            "deviceName": name,
            "eventTime": event_time,
            "acceptedTime": None if accepted is None else times.to_text(accepted),
        }

    def _record(
        self, connector: Connector, event_id: str, accepted_at: float
    ) -> ExpiredEvent | None:
        """The record of the event's expiry, if there is one."""
        return self._expired.of_event(
            connector.name,
            event_id,
            accepted_at - ACCEPTED_TOGETHER,
            accepted_at + ACCEPTED_TOGETHER,
        )

    def _changes(self, connector: Connector, since: float, now: float) -> tuple[list[Change], bool]:
        """What changed since the event came that decides what is sent, and whether that is all."""
        found: list[Change] = []
        after = ""
        for _ in range(AUDIT_PAGES):
            entries, after = self._audit.page(
                f"projects/{connector.project}", since, now, limit=AUDIT_PAGE, after=after
            )
            for entry in entries:
                if entry.resource == connector.name:
                    found += _changes_of(entry)
            if not after:
                break
        return sorted(found), not after


def _changes_of(entry: AuditEntry) -> list[Change]:
    whats = {"status": Changed.STATUS, "events": Changed.EVENTS}
    verbs = {"pause": Changed.PAUSED, "resume": Changed.RESUMED}
    changed = [whats[field] for field in entry.fields if field in whats]
    if entry.details.get("verb") in verbs:
        changed.append(verbs[entry.details["verb"]])
    return [Change(entry.time, what, entry.actor) for what in changed]
