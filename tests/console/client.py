"""Calls the API of the running stack as programs do, and fills a project with what pages show."""

import json
import math
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

DEADLINE_SECONDS = 60
"""Of a call. The emulator takes seconds on busy cores."""

WAITS = 5
"""How often a call is made again after a 429, which is limited to some requests in 5 seconds."""

PAGE = 100
"""Events of one call: the API's limit."""

HOUR = 3600


class Client:
    """The API with a service account's key. `project` is the id of its project."""

    def __init__(self, ready: dict[str, str], account: dict[str, str] | None = None) -> None:
        """`ready` is the object of the ready line of `make run`. Its account, unless another."""
        self.ready = ready
        self._api = ready["api"]
        self.project = ready["project"]
        self.account = (
            account or json.loads(Path(ready["credentials"]).read_bytes())["serviceAccount"]
        )
        self._session = requests.Session()
        self._session.auth = (self.account["keyId"], self.account["secret"])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. `path` is below /v2. Raises when it is not 200.

        Many tests share a project, so it waits where the API asks for that.
        """
        for _ in range(1 + WAITS):
            answer = self._session.request(
                method, f"{self._api}{path}", json=body, timeout=DEADLINE_SECONDS
            )
            if answer.status_code != 429:
                break
            time.sleep(int(answer.headers["Retry-After"]))
        assert answer.status_code == 200, f"{method} {path}: {answer.text}"
        return answer.json()

    def below(self, path: str) -> str:
        """A path below the project."""
        return f"/projects/{self.project}/{path}"

    def device(self, kind: str, **labels: str) -> str:
        """Create an emulated device; its id."""
        name: str = self.call("POST", self.below("devices"), {"type": kind, "labels": labels})[
            "name"
        ]
        return name.rpartition("/")[2]

    def publish(self, device: str, kind: str, values: Iterable[tuple[float, Any]]) -> None:
        """Publish events of one type: `(seconds ago, data)`. Their ids begin with the device's."""
        now = time.time()
        events = [
            {
                "eventId": f"{device}-{kind}-{number}",
                "targetName": f"projects/{self.project}/devices/{device}",
                "eventType": kind,
                "data": {kind: data},
                "timestamp": datetime.fromtimestamp(now - ago, UTC).isoformat(),
            }
            for number, (ago, data) in enumerate(values)
        ]
        for begin in range(0, len(events), PAGE):
            page = {"events": events[begin : begin + PAGE]}
            assert self.call("POST", self.below("events"), page)["errors"] == []

    def member_with(self, role: str, name: str) -> tuple[str, dict[str, str]]:
        """Create a service account with a role; its email and a key: `{"keyId", "secret"}`."""
        made = self.call(
            "POST",
            self.below("serviceaccounts"),
            {"displayName": name, "enableBasicAuth": True},
        )
        self.call("POST", self.below("members"), {"email": made["email"], "roles": [role]})
        key = self.call("POST", f"/{made['name']}/keys")
        return made["email"], {"keyId": key["key"]["id"], "secret": key["secret"]}


def fill(client: Client) -> dict[str, str]:
    """Devices with a month of history, members, an account; the devices' ids by what they are."""
    freezer = client.device("temperature", name="Freezer", room="2.04", building="Oslo")
    month = [hour for hour in range(24 * 30) if not 100 < hour < 130]  # Once it was silent
    client.publish(
        freezer,
        "temperature",
        ((hour * HOUR + 60, {"value": round(-18 + 2 * math.sin(hour / 4), 2)}) for hour in month),
    )
    client.publish(freezer, "batteryStatus", [(2 * HOUR, {"percentage": 98})])
    corridor = client.device("motion", name="Corridor", floor="1")
    states = ("MOTION_DETECTED", "NO_MOTION_DETECTED")
    client.publish(
        corridor, "motion", ((step * 1700 + 30, {"state": states[step % 2]}) for step in range(60))
    )
    button = client.device("touch", name="Button by the door")
    client.publish(button, "touch", ((step * 5000 + 90, {}) for step in range(14)))
    room = client.device("co2", name="Meeting room", floor="1")
    client.publish(
        room,
        "co2",
        (
            (step * 600 + 20, {"ppm": round(600 + 300 * max(0.0, math.sin(step / 20)))})
            for step in range(144)
        ),
    )
    client.call(
        "POST",
        client.below("members"),
        {"email": "kari@example.com", "roles": ["roles/project.developer"]},
    )
    client.member_with("roles/project.publisher", "Gateway in Oslo")
    return {"freezer": freezer, "corridor": corridor, "button": button, "room": room}
