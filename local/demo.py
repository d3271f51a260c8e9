"""The demo: devices publish readings, and each delivery is verified and printed."""

import base64
import hashlib
import hmac
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
from urllib.parse import urlencode

import jwt
import urllib3

HOOK = "demo"

# A reading every few seconds can be followed by eye; a delivery shows up a blink after it arrived.
PUBLISH_EVERY_S = 3.0
LOOK_EVERY_S = 0.25

# A first call may have to wait for a cold function, and a new connector for its queue.
CALL_TIMEOUT_S = 20.0

# Renewed this long before it expires, so that no call leaves with a token about to die.
TOKEN_LEEWAY_S = 60.0
ASSERTION_LIFE_S = 3600  # What the vendor's SDK asks for.

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
    """A call that did not do what it should; the message is one line for the person watching."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A delivery whose signature and checksum are right."""

    event: Mapping[str, Any]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A delivery that a careful receiver would refuse, and why."""

    reason: str


def verify(headers: Mapping[str, str], body: bytes, secret: str) -> Verified | Rejected:
    """Check one delivery as a receiver should: the token's signature, then the body's checksum.

    Header names may come in any case. The order matters: a checksum proves nothing until the
    token that carries it is known to be the sender's.
    """
    token = next((value for name, value in headers.items() if name.lower() == "x-dt-signature"), "")
    if not token:
        return Rejected("no X-Dt-Signature header")
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"])
    except jwt.PyJWTError as error:
        return Rejected(f"signature: {error}")
    checksum = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    if not hmac.compare_digest(str(claims.get("checksum")), checksum):
        return Rejected("the body is not the one that was signed")
    try:
        value = json.loads(body)
        return Verified(event=value["event"], labels=value["labels"])
    except (ValueError, TypeError, KeyError) as error:
        return Rejected(f"signed, but no event: {error!r}")


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
        self._api = _Api(api, token, credentials, project)
        self._receiver = receiver
        self._receiver_http = _http(ca_certs=str(receiver_ca))
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
                    self._api.call("POST", f"/devices/{device_id}:publish", reading)
                self._look()
            except DemoError as error:
                self._say(f"demo: {error}")
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                # The JSON has another shape than expected. The next answer may be right again.
                self._say(f"demo: could not make sense of an answer: {error!r}")
            self._stopping.wait(min(LOOK_EVERY_S, self._publish_every))

    def _set_up(self) -> None:
        """Create the connector and the devices that do not exist yet."""
        if not self._connected:
            self._api.call(
                "POST",
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
            answer = self._api.call(
                "POST", "/devices", {"type": device.type, "labels": dict(device.labels)}
            )
            self._devices.append((answer["name"].rsplit("/", 1)[-1], device))
        self._say(
            f"demo: {len(DEVICES)} devices publish in turn, a reading every "
            f"{self._publish_every:g} s; their connector posts to {self._receiver}/hook/{HOOK}"
        )

    def _readings(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """A reading of each device in turn, without end."""
        while True:
            for device_id, device in self._devices:
                yield device_id, device.reading()

    def _look(self) -> None:
        """Print what the receiver got since the last call."""
        url = f"{self._receiver}/control/{HOOK}/requests?after={self._seen}"
        for arrival in _call(self._receiver_http, "GET", url)["requests"]:
            self._seen = arrival["number"]
            body = base64.b64decode(arrival["body"])
            self._say(line_for(arrival, verify(arrival["headers"], body, self._secret)))


class _Api:
    """The API of one project, seen from a client."""

    def __init__(self, api: str, token_endpoint: str, credentials: Path, project: str) -> None:
        self._project_url = f"{api}/projects/{project}"
        self._token_endpoint = token_endpoint
        self._credentials = credentials
        self._http = _http()
        self._token = ""
        self._token_ends = 0.0

    def call(self, method: str, path: str, value: object) -> Any:
        """Call `path` of the project with a JSON body; return the answer's. Raises DemoError."""
        if time.monotonic() >= self._token_ends:
            self._log_in()
        return _call(
            self._http,
            method,
            self._project_url + path,
            body=json.dumps(value).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )

    def _log_in(self) -> None:
        """Exchange an assertion, signed with the service account's key, for an access token."""
        try:
            account = json.loads(self._credentials.read_text())["serviceAccount"]
        except (OSError, ValueError, KeyError) as error:
            raise DemoError(
                f"cannot use the credentials in {self._credentials}: {error!r}"
            ) from None
        now = int(time.time())
        assertion = jwt.encode(
            {
                "iat": now,
                "exp": now + ASSERTION_LIFE_S,
                "aud": self._token_endpoint,
                "iss": account["email"],
            },
            account["secret"],
            algorithm=account["algorithm"],
            headers={"kid": account["keyId"]},
        )
        form = {
            "assertion": assertion,
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        }
        answer = _call(
            self._http,
            "POST",
            self._token_endpoint,
            body=urlencode(form).encode(),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        self._token = answer["access_token"]
        self._token_ends = time.monotonic() + answer["expires_in"] - TOKEN_LEEWAY_S


def _http(ca_certs: str | None = None) -> urllib3.PoolManager:
    # No retries: the loop calls again anyway, and the person watching should see the error.
    return urllib3.PoolManager(
        ca_certs=ca_certs, retries=False, timeout=urllib3.Timeout(total=CALL_TIMEOUT_S)
    )


def _call(
    http: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """The JSON answered with status 200. Raises DemoError for anything else."""
    try:
        response = http.request(method, url, body=body, headers=headers)
        if response.status != 200:
            raise DemoError(f"{method} {url} answered {response.status}: {_beginning(response)}")
        return response.json()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise DemoError(f"{method} {url}: {error}") from None


def _beginning(response: urllib3.BaseHTTPResponse) -> str:
    """Enough of an answer to see what is wrong, on one line."""
    return " ".join(response.data[:300].decode(errors="replace").split())


def _print(line: str) -> None:
    print(line, flush=True)
