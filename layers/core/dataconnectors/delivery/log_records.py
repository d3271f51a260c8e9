"""Makes what the attempt log keeps of an attempt. Imported when the first one is written."""

from dataconnectors.connectors.secrets import masked_url
from dataconnectors.delivery.attempt_log import Entry
from dataconnectors.delivery.expiring import described
from dataconnectors.delivery.logged_attempt import LoggedAttempt
from dataconnectors.endpoints.exchange import ShownExchange
from dataconnectors.endpoints.outcomes import Failed
from dataconnectors.endpoints.shown_exchange import shown
from dataconnectors.endpoints.trace import PHASES

LONGEST_MESSAGE = 300
"""Characters of an error that are kept: it names host and reason, and is shown in a line."""

LONGEST_NAME = 150
"""Characters of an event type or a device's name. Ours are shorter; a row has to stay small."""


def logged_attempt(entry: Entry) -> LoggedAttempt:
    """What is kept of an attempt."""
    outcome, (event, _, ended_at, exchange) = entry.outcome, entry.attempted
    event_type, device, _ = described(event.body)
    started_at = ended_at - outcome.response_time
    trace = None if exchange is None else exchange.trace
    phases = {} if trace is None else trace.durations()
    durations = {phase: phases[phase] for phase in PHASES if phase in phases}
    durations |= {"queue": event.age(started_at), "total": outcome.response_time}
    status = outcome.status or 0
    if isinstance(outcome, Failed):
        error, message = outcome.kind.value, outcome.message[:LONGEST_MESSAGE]
    else:
        error, message = "", f"answered {status}"
    return LoggedAttempt(
        connector=event.connector,
        event_id=event.event_id,
        event_type=event_type[:LONGEST_NAME],
        device=device[:LONGEST_NAME],
        started_at=started_at,
        number=event.message.receive_count,
        status=status,
        error=error,
        message=message,
        durations={name: round(seconds * 1000, 1) for name, seconds in durations.items()},
        request_bytes=0 if trace is None else trace.sent,
        response_bytes=0 if trace is None else trace.received,
        next_at=entry.next_at,
        one_in=entry.one_in,
        left_out=entry.left_out,
        is_test=event.is_test,
        exchange=_shown(entry),
    )


def _shown(entry: Entry) -> ShownExchange:
    event, connector, _, exchange = entry.attempted
    if exchange is not None:
        return shown(exchange, connector.url, event.body)
    return ShownExchange(masked_url(connector.url), (), "", None, (), "", False)
