"""Measures a first burst to one healthy endpoint among hanging ones, with real processes and time.

python -m tests.e2e.first_burst --events 20 --runs 3

Starts `make run` and creates ten connectors, of which nine lead to an endpoint that accepts
requests and never answers. Then publishes to all of them in one call, so that every sending process
has to start first. Prints for each run how late the healthy endpoint got its events. Ends with 1
when one of them was too late.
"""

import argparse
import base64
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from client.http import Http
from tests.e2e.conftest import Stack

CONNECTORS = 10

LATE_SECONDS = 3.0
"""The latest arrival at the healthy endpoint after publishing: as long as the SDK waits for an
answer."""

LOST_SECONDS = 90.0
"""Seconds after publishing until missing events are given up."""

HANGING_SECONDS = 3600
"""The longest delay of the receiver's answer. The sender gives an attempt up after ten seconds."""

HEALTHY, HANGING = "healthy", "hanging"


class Run:
    """A new stack, and the events that its receiver got."""

    def __init__(self, stack: Stack) -> None:
        self._ready = stack.ready
        self._receiver = Http(Path(stack.ready["ca"]), timeout=20)
        self._api = Http(timeout=60)
        account = json.loads(Path(stack.ready["credentials"]).read_text())["serviceAccount"]
        self._auth = account["keyId"], account["secret"]

    def connect(self) -> None:
        """Create the connectors. The healthy one is the last, so its queue is polled last, too."""
        control = f"{self._ready['receiver']}/control/{HANGING}"
        rule = {"delay_s": HANGING_SECONDS}
        self._receiver.expect("PUT", control, value=rule)
        for hook in [HANGING] * (CONNECTORS - 1) + [HEALTHY]:
            url = f"{self._ready['receiver']}/hook/{hook}"
            self._post("dataconnectors", {"httpConfig": {"url": url}})

    def publish(self, events: int) -> None:
        """Publish in one call, to all connectors."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = [
            {
                "eventId": f"event-{number}",
                "targetName": f"projects/{self._ready['project']}/devices/d{number}",
                "eventType": "touch",
                "data": {"touch": {"updateTime": stamp}},
                "timestamp": stamp,
            }
            for number in range(events)
        ]
        assert self._post("events", {"events": body})["accepted"] == events

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        url = f"{self._ready['api']}/projects/{self._ready['project']}/{path}"
        return self._api.expect("POST", url, auth=self._auth, value=body)

    def arrivals(self, events: int) -> dict[str, float]:
        """When the healthy endpoint got each event for the first time, once it has all of them."""
        url = f"{self._ready['receiver']}/control/{HEALTHY}/requests"
        deadline = time.monotonic() + LOST_SECONDS
        while True:
            found: dict[str, float] = {}
            for request in self._receiver.expect("GET", url)["requests"]:
                event = json.loads(base64.b64decode(request["body"]))["event"]
                found.setdefault(event["eventId"], request["received_at"])
            if len(found) == events or time.monotonic() > deadline:
                return found
            time.sleep(0.2)


def burst(events: int) -> bool:
    """Do one run on a new stack and print its line; whether every event was in time."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as state:
        stack = Stack(Path(state))
        try:
            ready = time.monotonic()
            run = Run(stack)
            run.connect()
            connected = time.monotonic()
            published = time.time()
            run.publish(events)
            answered = time.time()
            latencies = sorted(at - published for at in run.arrivals(events).values())
        finally:
            stack.end()
    first, last = (latencies[0], latencies[-1]) if latencies else (LOST_SECONDS, LOST_SECONDS)
    print(
        f"first burst: events={events} arrived={len(latencies)} first_seconds={first:.2f} "
        f"last_seconds={last:.2f} publish_seconds={answered - published:.2f} "
        f"connect_seconds={connected - ready:.1f} start_seconds={ready - began:.1f}",
        flush=True,
    )
    return len(latencies) == events and last <= LATE_SECONDS


def main() -> int:
    """Do the requested number of runs."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.first_burst")
    parser.add_argument("--events", type=int, default=20)
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    in_time = [burst(options.events) for _ in range(options.runs)]
    return 0 if all(in_time) else 1


if __name__ == "__main__":
    sys.exit(main())
