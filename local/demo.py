"""The demo: devices publish readings, and each delivery is verified and printed."""

import base64
import json
import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from client.api import Api
from client.http import CallError, Http
from client.signature import Rejected, Verified, verify

HOOK = "demo"

# A reading every few seconds can be followed by eye; a delivery shows up a blink after it arrived.
PUBLISH_EVERY_S = 3.0
LOOK_EVERY_S = 0.25

# `stop` does not wait out a call that is under way; the thread is a daemon and ends with it.
STOP_GRACE_S = 0.5

CONNECTOR_LABELS = ("name", "room")

# The fields of an event's data that its line shows.
_FIGURES = frozenset({"value", "temperature", "relativeHumidity", "state"})

# The 61st second of a minute, with what is before and behind the seconds of its timestamp.
_LEAP_SECOND = re.compile(r"(.{16}):60(?:\.\d+)?(.+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Device:
    """An emulated device to create: its type, its labels, and what it measures next."""

    type: str
    labels: Mapping[str, str]
    reading: Callable[[], dict[str, Any]]


def _temperature() -> float:
    return round(random.uniform(2.0, 6.0), 1)


DEVICES = (
    Device(
        "temperature",
        {"name": "Cold room", "room": "Kitchen"},
        lambda: {"temperature": {"value": _temperature()}},
    ),
    Device(
        "humidity",
        {"name": "Wine cellar", "room": "Basement"},
        lambda: {
            "humidity": {
                "temperature": _temperature(),
                "relativeHumidity": round(random.uniform(55.0, 75.0), 1),
            }
        },
    ),
    Device(
        "proximity",
        {"name": "Back door", "room": "Hall"},
        lambda: {"objectPresent": {"state": random.choice(("PRESENT", "NOT_PRESENT"))}},
    ),
    Device("touch", {"name": "Service button", "room": "Hall"}, lambda: {"touch": {}}),
)


class DemoError(Exception):
    """What the demo needs is not there; the message is one line for the person watching."""


def line_for(arrival: Mapping[str, Any], outcome: Verified | Rejected) -> str:
    """One delivery, as `GET /control/<name>/requests` lists it, in words.

    The milliseconds are from the event's timestamp to the moment the receiver had read it.
    """
    answered = (
        "not answered yet" if arrival["answered"] is None else f"answered {arrival['answered']}"
    )
    match outcome:
        case Rejected(reason):
            return f"demo: REJECTED, {reason} ({answered})"
        case Verified(event, labels):
            delay = arrival["received_at"] - _epoch_second(event["timestamp"])
            return (
                f"demo: {labels.get('name', '-'):<15} {_in_words(event):<46} "
                f"signature ok, checksum ok, {delay * 1000:.0f} ms after publishing ({answered})"
            )


def _epoch_second(timestamp: str) -> float:
    """The epoch second of an event's `timestamp`, which is as its publisher wrote it.

    RFC 3339 allows leap seconds (23:59:60Z), for which `datetime` has no number. The whole of one
    becomes the beginning of the next second, as the API reads it.
    """
    leap = _LEAP_SECOND.fullmatch(timestamp)
    if leap is None:
        return datetime.fromisoformat(timestamp.upper()).timestamp()
    minute, zone = leap.groups()
    return datetime.fromisoformat(f"{minute}:59{zone}".upper()).timestamp() + 1


def _in_words(event: Mapping[str, Any]) -> str:
    """The event's type and its figures: `humidity temperature=4.1 relativeHumidity=61.0`."""
    kind = event["eventType"]
    figures = event["data"].get(kind, {})
    plain = (f"{key}={value}" for key, value in figures.items() if key in _FIGURES)
    return " ".join((kind, *plain))


class Demo:
    """Publishes a reading every few seconds and prints each delivery as it is verified.

    It is a customer of the API like any other: it logs in with the credentials file and knows
    nothing that the documentation does not say.
    """

    def __init__(
        self,
        *,
        api: str,
        token: str,
        credentials: Path,
        receiver: str,
        receiver_ca: Path,
        project: str,
        publish_every: float = PUBLISH_EVERY_S,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Call nobody yet.

        `api`, `token` and `receiver` are the URLs of the API, the token endpoint and the demo
        receiver; `credentials` is a file in the vendor SDK's format; `receiver_ca` the PEM file the
        receiver's certificate verifies against; `publish_every` is in seconds; `say` takes each
        line, and prints it unless given.
        """
        self._api: Api | None = None
        self._api_url, self._token_url = api, token
        self._credentials = credentials
        self._project = f"/projects/{project}"
        self._receiver = receiver
        self._receiver_http = Http(receiver_ca)
        self._publish_every = publish_every
        self._say = say or _print
        self._secret = secrets.token_urlsafe(32)  # Longer than the 32 bytes HS256 asks for.
        self._connected = False
        self._devices: list[tuple[str, Device]] = []
        self._seen = 0
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin in the background. Trouble is printed, never raised."""
        self._thread = threading.Thread(target=self._run, name="demo", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop publishing and printing."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_GRACE_S)

    def _run(self) -> None:
        """Publish and print deliveries in turns until `stop`. An error is printed and skipped."""
        next_publish = time.monotonic()
        readings = self._readings()
        while not self._stopping.is_set():
            try:
                if time.monotonic() >= next_publish:
                    next_publish = time.monotonic() + self._publish_every
                    self._set_up()
                    device_id, reading = next(readings)
                    self._call(f"/devices/{device_id}:publish", reading)
                self._look()
            except (DemoError, CallError) as error:
                self._say(f"demo: {error}")
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                # The JSON has another shape than expected. The next answer may be right again.
                self._say(f"demo: could not make sense of an answer: {error!r}")
            self._stopping.wait(min(LOOK_EVERY_S, self._publish_every))

    def _set_up(self) -> None:
        """Create the connector and the devices that do not exist yet."""
        if not self._connected:
            self._call(
                "/dataconnectors",
                {
                    "displayName": "Demo",
                    "type": "HTTP_PUSH",
                    "labels": list(CONNECTOR_LABELS),
                    "httpConfig": {
                        "url": f"{self._receiver}/hook/{HOOK}",
                        "signatureSecret": self._secret,
                        "headers": {},
                    },
                },
            )
            self._connected = True
        if len(self._devices) == len(DEVICES):
            return
        for device in DEVICES[len(self._devices) :]:
            answer = self._call("/devices", {"type": device.type, "labels": dict(device.labels)})
            self._devices.append((answer["name"].rsplit("/", 1)[-1], device))
        self._say(
            f"demo: {len(DEVICES)} devices publish in turn, a reading every "
            f"{self._publish_every:g} s; their connector posts to {self._receiver}/hook/{HOOK}"
        )

    def _call(self, path: str, value: object) -> Any:
        """POST to a path of the project; the answer's JSON."""
        if self._api is None:
            try:
                account = json.loads(self._credentials.read_text())["serviceAccount"]
            except (OSError, ValueError, KeyError) as error:
                raise DemoError(
                    f"cannot use the credentials in {self._credentials}: {error!r}"
                ) from None
            self._api = Api(Http(), self._api_url, self._token_url, account)
        return self._api.expect("POST", self._project + path, value)

    def _readings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """A reading of each device in turn, without end."""
        while True:
            for device_id, device in self._devices:
                yield device_id, device.reading()

    def _look(self) -> None:
        """Print what the receiver got since the last call."""
        url = f"{self._receiver}/control/{HOOK}/requests?after={self._seen}"
        for arrival in self._receiver_http.expect("GET", url)["requests"]:
            self._seen = arrival["number"]
            body = base64.b64decode(arrival["body"])
            self._say(line_for(arrival, verify(arrival["headers"], body, self._secret)))


def _print(line: str) -> None:
    print(line, flush=True)
