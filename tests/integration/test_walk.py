"""An event really calls the functions that docs/architecture.md names, in that order.

The interpreter's profiler records calls in every thread. Meanwhile the real handlers run over moto
and deliver to an HTTPS server on this machine.
"""

import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from tests.integration.conftest import Client
from tests.integration.test_ingest import connect, envelope
from tests.integration.test_sender import received
from tests.support.endpoints import Endpoint, answering, serve, trusted_tls
from tests.support.http_api import LambdaContext, request

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/architecture.md"
CORE = "layers/core/dataconnectors/"

Step = tuple[str, str]
"""A file, relative to the layer's package or to the repository, and a qualified name in it."""


def walk(heading: str) -> list[Step]:
    """The steps in the table below a heading of the document."""
    section = DOCUMENT.read_text().partition(f"### {heading}\n")[2].partition("\n#")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [(path.strip("`"), function.strip("`")) for _, path, function in rows[2:]]


@contextmanager
def recorded() -> Iterator[list[Step]]:
    """Record our functions in the order of their first calls, in all threads that start
    meanwhile."""
    calls: dict[Step, None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
        if event == "call" and path.startswith((CORE, "functions/")):
            calls.setdefault((path.removeprefix(CORE), frame.f_code.co_qualname))

    first_calls: list[Step] = []
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield first_calls
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        first_calls += calls


def fresh(function: str) -> Callable[[dict[str, Any], object], Any]:
    """The handler of a function that has just started, so that its threads are new as well."""
    namespace = runpy.run_path(str(ROOT / "functions" / function / "app.py"))
    handler: Callable[[dict[str, Any], object], Any] = namespace["lambda_handler"]
    return handler


def assert_walked(heading: str, calls: list[Step]) -> None:
    """Check that every step was called, and first called after the step before it."""
    steps = walk(heading)
    assert len(steps) >= 5
    missing = [step for step in steps if step not in calls]
    assert not missing, f"not called: {missing}"
    assert sorted(steps, key=calls.index) == steps


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that acknowledges. Senders that start meanwhile trust its certificate."""
    monkeypatch.setenv("TRUSTED_AUTHORITIES_FILE", str(tmp_path / "ca.pem"))
    # Nobody would close a connection that a sender of this test keeps.
    ok = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with serve(answering(ok), trusted_tls(tmp_path / "ca.pem")) as serving:
        yield serving


def test_an_event_goes_the_documented_way_from_publishing_to_acknowledged(
    client: Client, endpoint: Endpoint
) -> None:
    url = f"https://127.0.0.1:{endpoint.port}/hook"
    connect(client, httpConfig={"url": url, "signatureSecret": "a secret of this test"})
    body = {"events": [envelope(client, "e1")]}
    publish = request("POST", f"/v2/projects/{client.project}/events", body, headers=client.headers)
    with recorded() as calls:
        assert fresh("ingest")(publish, LambdaContext())["statusCode"] == 200
        answer = fresh("sender")(received(client), LambdaContext())
    assert answer == {"batchItemFailures": []}
    assert len(endpoint.requests) == 1
    assert_walked("From the publish call to acknowledged", calls)


@pytest.mark.usefixtures("hurried")
def test_a_change_goes_the_documented_way_from_patch_to_effect(
    client: Client, endpoint: Endpoint
) -> None:
    path = connect(client, httpConfig={"url": f"https://127.0.0.1:{endpoint.port}/hook"})
    assert client.call("POST", "/events", {"events": [envelope(client, "e1")]})[0] == 200
    with recorded() as calls:
        assert client.call("PATCH", path, {"status": "USER_DISABLED"})[0] == 200
        answer = fresh("sender")(received(client), LambdaContext())
    assert answer == {"batchItemFailures": []}
    assert endpoint.requests == []
    assert_walked("From PATCH to effect", calls)
