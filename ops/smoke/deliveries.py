"""What has to happen to events: from the first one to those of a connector that is gone."""

import itertools
from datetime import datetime

from client.signature import Rejected, verify
from ops.smoke.connector import Connector
from ops.smoke.endpoint import Endpoint, Receiver, TryOut
from ops.smoke.project import Shown
from ops.smoke.report import Report, SmokeError
from ops.smoke.timer import Timer

ARRIVES = "an event arrives at the endpoint"
SIGNED = "it is signed with the connector's secret"

WAITS = (8.0, 16.0)
"""Seconds between the first attempts of an event, as the documentation promises."""

EARLY_S, LATE_S = 0.5, 4.0
"""How far a wait may be off: SQS counts whole seconds, and hands a message out a little later."""

WARM_EVENTS = 5
"""Events whose way from the queue to the POST is measured one after the other."""

QUIET_S = 6.0
"""Seconds in which a disabled connector gets nothing."""


def check_first_event(connector: Connector, endpoint: Endpoint, report: Report) -> None:
    """It arrives, and its signature is right. Nothing may go on without a signature."""
    event_id, began = connector.publish()
    if isinstance(endpoint, Receiver):
        attempt = connector.first_attempt(event_id)
        is_right = attempt["status"] == 200
        report.judge(ARRIVES, is_right, f"{attempt['message'] or 'answered 200'}")
        report.add(SIGNED, "not reachable", "only the receiver sees it")
        return
    delivery = _deliveries(connector, endpoint, event_id, 1)[0]
    seconds = _epoch(delivery) - began
    report.add(
        ARRIVES, "yes", f"{seconds * 1000:.0f} ms after the call began, cold starts included"
    )
    found = verify(delivery["headers"], delivery["body"].encode(), connector.secret)
    problem = found.reason if isinstance(found, Rejected) else ""
    is_valid = delivery["isSignatureValid"] is True and not problem
    details = delivery["problem"] or problem or "verified here and by the stack"
    report.judge(SIGNED, is_valid, details)
    if not is_valid:
        raise SmokeError("what arrives has no signature by the connector's secret")


def check_retries(connector: Connector, endpoint: TryOut, report: Report) -> None:
    """An endpoint that answers 500 gets the event again after 8 and then 16 seconds."""
    endpoint.answer(500)
    event_id, _ = connector.publish()
    _deliveries(connector, endpoint, event_id, 2)
    endpoint.answer(200)
    _measure_warm(connector, report)  # In the 16 seconds
    deliveries = _deliveries(connector, endpoint, event_id, 3)
    tried = sorted(_epoch(each) for each in deliveries)
    waits = [later - earlier for earlier, later in itertools.pairwise(tried)]
    is_right = len(waits) == len(WAITS) and all(
        promised - EARLY_S <= wait <= promised + LATE_S
        for promised, wait in zip(WAITS, waits, strict=True)
    )
    details = " and ".join(f"{wait:.1f} s" for wait in waits)
    report.judge("after a 500 it comes again after 8 and 16 s", is_right, details)
    last = deliveries[0]["answered"]
    report.judge("and then it is acknowledged", last == 200, f"answered {last}")


def _measure_warm(connector: Connector, report: Report) -> None:
    """Measure the way from the queue to the POST by the stack's own clock."""
    durations = []
    for _ in range(WARM_EVENTS):
        event_id, _ = connector.publish()
        durations.append(float(connector.first_attempt(event_id)["durations"]["queue"]))
    durations.sort()
    details = f"median {durations[len(durations) // 2]:.0f} ms, worst {durations[-1]:.0f} ms"
    report.add(f"queue to POST of {WARM_EVENTS} events, warm", "yes", details)


def check_disabled(connector: Connector, endpoint: Endpoint, timer: Timer, report: Report) -> None:
    """An event for a connector that is disabled goes nowhere."""
    connector.disable()
    event_id, _ = connector.publish()
    timer.sleep(QUIET_S)
    if isinstance(endpoint, TryOut):
        came = endpoint.deliveries(event_id)
    else:
        came = connector.attempts(event_id)
    report.judge("a disabled connector gets nothing", not came, f"for {QUIET_S:g} s")


def check_deleted(connector: Connector, report: Report) -> None:
    """A connector that is deleted is gone at once."""
    status = connector.delete()
    report.judge("a deleted connector is gone", status == 404, f"GET answers {status}")


def _deliveries(connector: Connector, endpoint: TryOut, event_id: str, wanted: int) -> list[Shown]:
    """So many deliveries of an event, the newest first."""
    return connector.wait(
        lambda: endpoint.deliveries(event_id), wanted, f"delivery {wanted} of the event {event_id}"
    )


def _epoch(delivery: Shown) -> float:
    """When it came, in epoch seconds."""
    return datetime.fromisoformat(delivery["time"]).timestamp()
