"""A customer of a running stack: makes connectors, publishes, and asks what its receiver got."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from client.http import Http

RECEIVER_SECONDS = 60.0
"""Seconds for an answer of the receiver, whose list of requests may be long."""

HANGING_SECONDS = 3600
"""The longest delay of the receiver's answer. The sender gives an attempt up after ten seconds."""


class Delivery(NamedTuple):
    """A request that the receiver got, at `at` in epoch seconds. `number` counts its hook's.

    `answered` is the status; None while the answer is due, or when nobody waited for it.
    """

    number: int
    event_id: str
    at: float
    answered: int | None


class Customer:
    """Calls the API with the service account's key, and controls the receiver.

    Every call raises `CallError` when it gets no answer or not the expected one.
    """

    def __init__(self, ready: Mapping[str, str], timeout: float = 60.0) -> None:
        """`ready` is what the ready line says. `timeout` is in seconds, for a call of the API."""
        self._project = f"projects/{ready['project']}"
        self._api_url = f"{ready['api']}/{self._project}"
        self._receiver_url = ready["receiver"]
        self._receiver = Http(Path(ready["ca"]), timeout=RECEIVER_SECONDS)
        self._api = Http(timeout=timeout)
        account = json.loads(Path(ready["credentials"]).read_text())["serviceAccount"]
        self._auth = account["keyId"], account["secret"]

    def connect(self, hook: str) -> None:
        """Create a connector to one of the receiver's hooks."""
        value = {"httpConfig": {"url": f"{self._receiver_url}/hook/{hook}"}}
        self._api.expect("POST", f"{self._api_url}/dataconnectors", auth=self._auth, value=value)

    def let_answer(self, hook: str, **rule: float) -> None:
        """Let a hook answer so from now on: `status`, `delay_s`."""
        self._receiver.expect("PUT", f"{self._receiver_url}/control/{hook}", value=rule)

    def touches(self, event_ids: Sequence[str]) -> list[dict[str, Any]]:
        """Events of now, each of another device."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        data = {"touch": {"updateTime": stamp}}
        return [
            self.event(event_id, f"d{number}", "touch", data, stamp)
            for number, event_id in enumerate(event_ids)
        ]

    def event(
        self, event_id: str, device: str, event_type: str, data: Mapping[str, Any], stamp: str
    ) -> dict[str, Any]:
        """An event of a device, as publishers send it."""
        return {
            "eventId": event_id,
            "targetName": f"{self._project}/devices/{device}",
            "eventType": event_type,
            "data": data,
            "timestamp": stamp,
        }

    def publish(self, events: Sequence[Mapping[str, Any]]) -> bool:
        """Publish in one call; whether every event was accepted. If not, it may be repeated."""
        value = {"events": events}
        reply = self._api.call("POST", f"{self._api_url}/events", auth=self._auth, value=value)
        assert reply.status in (200, 500, 502, 503), (reply.status, reply.body)
        return reply.status == 200 and reply.json()["accepted"] == len(events)

    def deliveries(self, hook: str, after: int = 0) -> list[Delivery]:
        """What a hook got after the request of this number, in order."""
        url = f"{self._receiver_url}/control/{hook}/requests?after={after}"
        return [
            Delivery(
                request["number"],
                json.loads(base64.b64decode(request["body"]))["event"]["eventId"],
                request["received_at"],
                request["answered"],
            )
            for request in self._receiver.expect("GET", url)["requests"]
        ]
