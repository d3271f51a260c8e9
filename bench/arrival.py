"""Measures how soon an event that is published arrives, on the stack of `make run`.

The unit is a POST of the same receiver, in turns: what this machine needs for one request with its
answer. Between lie the emulators of API Gateway, Lambda, SQS and DynamoDB, so this is no figure of
AWS. It shows what the bundle itself adds, and that nothing on the way waits for a clock.
"""

import base64
import json
import statistics
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from bench.report import Figure
from client.http import Http
from dataconnectors.kernel import times
from tests.e2e.conftest import Stack

EVENTS = 150
WARM_UP = 20
PAUSE = 0.05
"""Seconds between two events, so that each finds the stack idle."""

LOST_SECONDS = 30.0
"""Until an event counts as lost."""

MIDDLE_BUDGET, HIGH_BUDGET = 12.0, 20.0
"""Multiples of the bare POST, for the median and the 95th percentile. The emulators serve four
requests for one event, each in a process of its own."""


def measure() -> list[Figure]:
    """Publish one event after the other to a stack with one connector."""
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            posts, arrivals = _run(stack.ready)
        finally:
            stack.end()
    cuts = statistics.quantiles(arrivals, n=100)
    bare = statistics.median(posts)
    return [
        Figure("arrival, median / a bare POST", [each / bare for each in arrivals], MIDDLE_BUDGET),
        Figure("arrival, 95th percentile / a bare POST", [cuts[94] / bare], HIGH_BUDGET),
        Figure("a bare POST", [each * 1e3 for each in posts], None, "ms"),
        *(
            Figure(f"from publishing to arrival, p{part}", [cuts[part - 1] * 1e3], None, "ms")
            for part in (50, 95, 99)
        ),
    ]


def _run(ready: dict[str, str]) -> tuple[list[float], list[float]]:
    """Seconds of bare POSTs, and from publishing to arrival."""
    account = json.loads(Path(ready["credentials"]).read_text())["serviceAccount"]
    api, receiver = Http(timeout=LOST_SECONDS), Http(Path(ready["ca"]), timeout=LOST_SECONDS)
    auth = account["keyId"], account["secret"]
    project, hook = f"{ready['api']}/projects/{ready['project']}", uuid.uuid4().hex
    url = f"{ready['receiver']}/hook/{hook}"
    api.expect("POST", f"{project}/dataconnectors", auth=auth, value={"httpConfig": {"url": url}})
    posts, published = [], {}
    for number in range(WARM_UP + EVENTS):
        began = time.perf_counter()
        receiver.expect("POST", f"{ready['receiver']}/hook/bare", value={"event": "bare"})
        posts.append(time.perf_counter() - began)
        event = _event(ready["project"], f"event-{number}")
        published[event["eventId"]] = time.time()
        api.expect("POST", f"{project}/events", auth=auth, value={"events": [event]})
        time.sleep(PAUSE)
    arrived = _arrivals(receiver, f"{ready['receiver']}/control/{hook}/requests", len(published))
    arrivals = [arrived[event_id] - at for event_id, at in published.items()]
    return posts[WARM_UP:], arrivals[WARM_UP:]


def _event(project: str, event_id: str) -> dict[str, Any]:
    now = times.to_text(time.time())
    return {
        "eventId": event_id,
        "targetName": f"projects/{project}/devices/d1",
        "eventType": "touch",
        "data": {"touch": {"updateTime": now}},
        "timestamp": now,
    }


def _arrivals(receiver: Http, url: str, count: int) -> dict[str, float]:
    """When each event arrived first, in epoch seconds."""
    deadline = time.monotonic() + LOST_SECONDS
    while True:
        found: dict[str, float] = {}
        for request in receiver.expect("GET", url)["requests"]:
            event = json.loads(base64.b64decode(request["body"]))["event"]
            found.setdefault(event["eventId"], request["received_at"])
        if len(found) >= count:
            return found
        if time.monotonic() > deadline:
            raise RuntimeError(f"{count - len(found)} of {count} events did not arrive")
        time.sleep(0.2)
