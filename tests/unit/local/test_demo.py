"""Which deliveries the demo accepts, what it prints, and that an error does not end it."""

import json
import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import urllib3

from client.signature import Rejected, verify
from local.authority import Authority
from local.demo import DEVICES, Demo, line_for
from local.receiver import Receiver
from local.server import Answer, LoopbackServer, Request, json_answer
from tests.support.signed import BODY, SECRET, sign


def test_a_line_says_what_arrived_and_how_fast() -> None:
    outcome = verify(sign(BODY), BODY, SECRET)
    # 2026-01-01T00:00:00.75Z: a quarter of a second after the event's timestamp.
    line = line_for({"received_at": 1767225600.75, "answered": 200}, outcome)
    assert " ".join(line.split()) == (
        "demo: Cold room temperature value=21.4 "
        "signature ok, checksum ok, 250 ms after publishing (answered 200)"
    )


@pytest.mark.parametrize(
    ("timestamp", "received_at", "milliseconds"),
    [
        ("2016-12-31T23:59:60Z", 1483228800.25, "250 ms"),
        ("2016-12-31t23:59:60.9z", 1483228800.25, "250 ms"),
        ("2017-01-01T00:59:60+01:00", 1483228801.0, "1000 ms"),
    ],
)
def test_an_event_of_a_leap_second_has_a_line_like_any_other(
    timestamp: str, received_at: float, milliseconds: str
) -> None:
    body = BODY.replace(b"2026-01-01T00:00:00.500000Z", timestamp.encode())
    outcome = verify(sign(body), body, SECRET)
    line = line_for({"received_at": received_at, "answered": 200}, outcome)
    assert f"checksum ok, {milliseconds} after publishing" in line


def test_the_line_of_a_rejected_delivery_stands_out() -> None:
    line = line_for({"received_at": 0.0, "answered": None}, Rejected("no X-Dt-Signature header"))
    assert line == "demo: REJECTED, no X-Dt-Signature header (not answered yet)"


class Api:
    """A fake of the API. It has one project, and delivers during the publish call."""

    def __init__(self, credentials: dict[str, str], ca: Path) -> None:
        self._account = credentials
        self._http = urllib3.PoolManager(ca_certs=str(ca), retries=False, timeout=5)
        self.failures = 0  # So many publish calls answer 500 first.
        self.tokens = 0
        self.connectors: list[dict[str, Any]] = []
        self.devices: list[dict[str, Any]] = []
        self.server = LoopbackServer("127.0.0.1", 0, self.respond, body_limit=10_000)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/v2"

    def respond(self, request: Request) -> Answer:
        if request.target == "/v2/oauth2/token":
            return self._log_in(request)
        assert request.headers["Authorization"] == "Bearer the-token"
        value = json.loads(request.body)
        match request.method, request.target.removeprefix("/v2/projects/p"):
            case "POST", "/dataconnectors":
                self.connectors.append(value)
                return json_answer(200, value)
            case "POST", "/devices":
                name = f"projects/p/devices/emu{len(self.devices)}"
                self.devices.append(value | {"name": name})
                return json_answer(200, self.devices[-1])
            case "POST", path if path.endswith(":publish"):
                if self.failures:
                    self.failures -= 1
                    return json_answer(500, {"error": "trouble", "code": 500, "help": ""})
                self._deliver(path.removeprefix("/devices/").removesuffix(":publish"), value)
                return json_answer(200, {})
        return json_answer(404, {"error": "not found", "code": 404, "help": ""})

    def _log_in(self, request: Request) -> Answer:
        self.tokens += 1
        form = dict(pair.split("=") for pair in request.body.decode().split("&"))
        assert form["grant_type"] == "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
        claims = jwt.decode(
            form["assertion"],
            self._account["secret"],
            algorithms=["HS256"],
            audience=self._account["tokenEndpoint"],
            issuer=self._account["email"],
        )
        assert claims["exp"] == claims["iat"] + 3600
        assert jwt.get_unverified_header(form["assertion"])["kid"] == self._account["keyId"]
        return json_answer(200, {"access_token": "the-token", "expires_in": 3600})

    def _deliver(self, device_id: str, data: dict[str, Any]) -> None:
        device = next(each for each in self.devices if each["name"].endswith(f"/{device_id}"))
        event = {
            "eventId": "e",
            "targetName": device["name"],
            "eventType": next(iter(data)),
            "data": data,
            "timestamp": "2026-01-01T00:00:00Z",
        }
        body = json.dumps({"event": event, "labels": device["labels"]}).encode()
        config = self.connectors[0]["httpConfig"]
        headers = sign(body, secret=config["signatureSecret"])
        self._http.request("POST", config["url"], body=body, headers=headers)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def receiver(authority: Authority) -> Iterator[Receiver]:
    receiver = Receiver("127.0.0.1", 0, authority.server_context())
    receiver.start()
    yield receiver
    receiver.stop()


ACCOUNT = {
    "keyId": "k1",
    "secret": SECRET,
    "email": "a@p.serviceaccount.d21s.com",
    "algorithm": "HS256",
    "tokenEndpoint": "",
}


@pytest.fixture
def api(authority: Authority) -> Iterator[Api]:
    account = dict(ACCOUNT)
    api = Api(account, authority.ca_path)
    api.server.start()
    account["tokenEndpoint"] = f"{api.url}/oauth2/token"
    yield api
    api.server.stop()


@pytest.fixture
def lines() -> queue.Queue[str]:
    return queue.Queue()


@pytest.fixture
def demo(
    api: Api, receiver: Receiver, authority: Authority, tmp_path: Path, lines: queue.Queue[str]
) -> Iterator[Demo]:
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"serviceAccount": ACCOUNT}))
    demo = Demo(
        api=api.url,
        token=f"{api.url}/oauth2/token",
        credentials=credentials,
        receiver=f"https://127.0.0.1:{receiver.port}",
        receiver_ca=authority.ca_path,
        project="p",
        publish_every=0.01,
        say=lines.put,
    )
    yield demo
    demo.stop()


def test_the_demo_prints_a_verified_reading_of_every_device(
    demo: Demo, api: Api, lines: queue.Queue[str]
) -> None:
    demo.start()
    assert lines.get(timeout=5).startswith(f"demo: {len(DEVICES)} devices publish in turn")
    seen = [lines.get(timeout=5) for _ in range(2 * len(DEVICES))]
    assert all("signature ok, checksum ok" in line for line in seen)
    for device in DEVICES:
        assert any(device.labels["name"] in line for line in seen)
    assert (len(api.connectors), len(api.devices), api.tokens) == (1, len(DEVICES), 1)


def test_an_error_is_one_line_and_the_demo_continues(
    demo: Demo, api: Api, lines: queue.Queue[str]
) -> None:
    api.failures = 2
    demo.start()
    lines.get(timeout=5)
    for _ in range(2):
        line = lines.get(timeout=5)
        assert line.startswith("demo: POST http://127.0.0.1")
        assert "answered 500: " in line
        assert '"error": "trouble"' in line
        assert "\n" not in line
    assert "signature ok" in lines.get(timeout=5)


def test_an_unreachable_api_is_reported_repeatedly(
    demo: Demo, api: Api, lines: queue.Queue[str]
) -> None:
    api.server.stop()
    demo.start()
    for _ in range(2):
        assert "/v2/oauth2/token" in lines.get(timeout=5)


def test_missing_credentials_are_named(demo: Demo, tmp_path: Path, lines: queue.Queue[str]) -> None:
    (tmp_path / "credentials.json").unlink()
    demo.start()
    line = lines.get(timeout=5)
    assert line.startswith("demo: cannot use the credentials in ")
    assert "credentials.json" in line


def test_stop_is_quick_and_nothing_is_printed_afterwards(
    demo: Demo, lines: queue.Queue[str]
) -> None:
    demo.start()
    lines.get(timeout=5)
    began = time.monotonic()
    demo.stop()
    assert time.monotonic() - began < 1
