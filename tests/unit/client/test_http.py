"""Calls of our own programs end in time, read no more than they should, and say what went wrong."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from client import http
from client.http import CallError, Http
from local.authority import Authority
from local.server import Answer, LoopbackServer, Request, json_answer


def respond(request: Request) -> Answer:
    match request.target:
        case "/redirect":
            return Answer(302, b"elsewhere", (("Location", "/here"),))
        case "/text":
            return Answer(200, b"no\n JSON")
        case "/zipped":
            return Answer(200, b"\x1f\x8b" + b"broken", (("Content-Encoding", "gzip"),))
    headers = dict(request.headers.items())
    return json_answer(200 if request.target == "/here" else 404, headers | {"b": request.method})


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    server = LoopbackServer("127.0.0.1", 0, respond, body_limit=1000)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def url(server: LoopbackServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def test_an_expected_answer_is_its_json(url: str) -> None:
    answer = Http().expect("PUT", f"{url}/here", value={}, auth=("a", "b"))
    assert (answer["b"], answer["Authorization"]) == ("PUT", "Basic YTpi")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/redirect", "GET URL/redirect answered 302: elsewhere"),
        ("/absent", "GET URL/absent answered 404: {"),
        ("/text", "answered 200 without JSON: no JSON"),
        ("/zipped", "GET URL/zipped: "),
    ],
)
def test_another_answer_is_an_error_of_one_line(url: str, path: str, text: str) -> None:
    with pytest.raises(CallError) as caught:
        Http().expect("GET", f"{url}{path}")
    assert str(caught.value).startswith(text.replace("URL", url))
    assert "\n" not in str(caught.value)


def test_nothing_of_the_environment_counts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setitem(os.environ, "NETRC", "/nonexistent")
    assert "Authorization" not in Http().expect("GET", f"{url}/here")


def test_only_the_named_authority_is_trusted(tmp_path: Path) -> None:
    ours, other = Authority(tmp_path / "ours"), Authority(tmp_path / "other")
    server = LoopbackServer(
        "127.0.0.1", 0, respond, body_limit=1000, ssl_context=ours.server_context()
    )
    server.start()
    url = f"https://127.0.0.1:{server.port}/here"
    try:
        assert Http(ours.ca_path).call("GET", url).status == 200
        with pytest.raises(CallError, match="certificate verify failed"):
            Http(other.ca_path).call("GET", url)
    finally:
        server.stop()


def test_an_answer_that_drips_or_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def drip() -> None:
        for pause, piece in ((0.05, b"x"), (0.0, b"x" * 4096)):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
                try:
                    while not over.wait(pause):
                        connection.sendall(piece)
                except OSError:
                    pass

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(CallError, match=r"not complete in 0\.3 s"):
        Http(timeout=0.3).call("GET", url)
    monkeypatch.setattr(http, "ANSWER_LIMIT", 100_000)
    with pytest.raises(CallError, match="more than 100000 bytes"):
        Http(timeout=5).call("GET", url)
    over.set()
    thread.join(5)
    listener.close()
