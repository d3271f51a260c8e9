"""The health of a connector, as far as its row tells it."""

from enum import StrEnum

from dataconnectors.connectors.connector import Connector, Status
from dataconnectors.kernel import times


class State(StrEnum):
    """How a connector is doing. The first that applies, from the end of this list on."""

    HEALTHY = "HEALTHY"  # the last attempt succeeded, or there was none
    FAILING = "FAILING"  # the last attempts failed; each event is retried on its own
    OUTAGE = "OUTAGE"  # attempts fail under load: one at a time, until one succeeds
    PAUSED = "PAUSED"  # a customer holds all events
    DISABLED = "DISABLED"  # events are dropped


def state_of(connector: Connector) -> State:
    """The state that the row says."""
    if connector.status is not Status.ACTIVE:
        return State.DISABLED
    if connector.is_paused:
        return State.PAUSED
    if connector.failing is None:
        return State.HEALTHY
    return State.OUTAGE if connector.failing.is_outage else State.FAILING


def state_since(connector: Connector) -> str | None:
    """Since when it is in this state, as RFC 3339 text; None while it works: nothing is written
    down then."""
    match state_of(connector), connector.failing:
        case State.DISABLED, _:
            return connector.disable_time or connector.update_time
        case State.PAUSED, _:
            return times.to_text(connector.paused_at)
        case State.FAILING, failing if failing is not None:
            return times.to_text(failing.since)
        case State.OUTAGE, failing if failing is not None:
            return times.to_text(failing.window)
    return None


def next_attempt(connector: Connector, now: float) -> float | None:
    """When the next canary of an outage may start, in epoch seconds; None in every other state,
    where each event has a time of its own."""
    if state_of(connector) is State.OUTAGE and connector.failing is not None:
        return max(now, connector.failing.canary_at)
    return None
