"""What the console's function answers: files, encodings, caching, the security policy."""

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from functions.console import app

SCRIPT = b"console.log('hello')"
PAGE = b"<!doctype html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {}
    for name, content, immutable in (
        ("app-1a.js", SCRIPT, True),
        ("index.html", PAGE, False),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        (tmp_path / f"{name}.br").write_bytes(b"brotli of " + content)
        kind = "text/javascript" if immutable else "text/html"
        files[name] = {"type": kind, "etag": f"of-{name}", "immutable": immutable}
    (tmp_path / "files.json").write_text(json.dumps(files))
    return tmp_path


def get(site: app.Site, path: str, **headers: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return site.respond("GET", path, named)


def content(answer: Mapping[str, Any]) -> bytes:
    body = answer["body"]
    return base64.b64decode(body) if answer["isBase64Encoded"] else body.encode()


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("", ""),
        ("identity", ""),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, gzip;q=0.5", "gzip"),
        ("GZIP;q=1.0", "gzip"),
        ("br; q=0.0", ""),
        ("*", "br"),
        ("*;q=0, gzip", "gzip"),
    ],
)
def test_the_encoding_is_one_that_the_browser_takes(accepted: str, encoding: str) -> None:
    assert app.encoding_for(accepted) == encoding


def test_a_file_with_a_hash_is_kept_forever_and_sent_compressed(folder: Path) -> None:
    answer = get(app.Site(folder, {}), "/console/app-1a.js", accept_encoding="gzip")
    assert answer["statusCode"] == 200
    assert gzip.decompress(content(answer)) == SCRIPT
    assert answer["headers"]["content-encoding"] == "gzip"
    assert answer["headers"]["content-type"] == "text/javascript"
    assert answer["headers"]["cache-control"] == "public, max-age=31536000, immutable"
    assert answer["headers"]["vary"] == "accept-encoding"


@pytest.mark.parametrize("path", ["/console/", "/console/projects/p/connectors/c/attempts"])
def test_every_page_is_the_same_file_which_browsers_check(folder: Path, path: str) -> None:
    answer = get(app.Site(folder, {}), path)
    assert content(answer) == PAGE
    assert answer["headers"]["cache-control"] == "no-cache"
    assert "content-encoding" not in answer["headers"]


def test_what_the_browser_has_is_not_sent_again(folder: Path) -> None:
    site = app.Site(folder, {})
    etags = {
        get(site, "/console/", accept_encoding=encoding)["headers"]["etag"]
        for encoding in ("", "gzip", "br")
    }
    assert len(etags) == 3  # Bytes that differ are different representations
    for encoding in ("", "gzip", "br"):
        etag = get(site, "/console/", accept_encoding=encoding)["headers"]["etag"]
        same = get(site, "/console/", accept_encoding=encoding, if_none_match=etag)
        assert (same["statusCode"], same["body"]) == (304, "")


@pytest.mark.parametrize("name", ["app-0old.js", "files.json", "../app.py", "assets/x.css"])
def test_a_file_that_is_not_built_is_not_there(folder: Path, name: str) -> None:
    answer = get(app.Site(folder, {}), f"/console/{name}")
    assert answer["statusCode"] == 404
    assert answer["headers"]["x-content-type-options"] == "nosniff"


def test_the_console_is_only_read(folder: Path) -> None:
    site = app.Site(folder, {})
    assert site.respond("POST", "/console/", {})["headers"]["allow"] == "GET, HEAD"
    assert site.respond("HEAD", "/console/", {})["statusCode"] == 200


def test_each_answer_has_a_policy_without_inline_code(folder: Path) -> None:
    for path in ("/console/", "/console/app-1a.js", "/console/config.json", "/console/x.js"):
        headers = get(app.Site(folder, {}), path)["headers"]
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert "connect-src 'self';" in policy
        assert headers["referrer-policy"] == "no-referrer"


def test_the_settings_are_those_of_the_stack(folder: Path) -> None:
    site = app.Site(folder, {"TRY_OUT": "true"})
    assert json.loads(get(site, "/console/config.json")["body"]) == {
        "oidcIssuer": "",
        "oidcClientId": "",
        "oidcAuthorizationEndpoint": "",
        "oidcTokenEndpoint": "",
        "tryOut": True,
        "version": "of-index.html",
    }


PEOPLE = {"OIDC_ISSUER": "https://id.example.com/pool", "OIDC_CLIENT_ID": "console"}


def test_the_page_may_exchange_codes_where_the_provider_says(folder: Path) -> None:
    endpoints = ("https://login.example.com/authorize", "https://token.example.com:444/oauth/token")
    site = app.Site(folder, PEOPLE, find=lambda issuer: endpoints)
    page = get(site, "/console/")
    assert (
        "connect-src 'self' https://token.example.com:444;"
        in (page["headers"]["content-security-policy"])
    )
    settings = json.loads(get(site, "/console/config.json")["body"])
    assert settings["oidcTokenEndpoint"] == endpoints[1]


def test_a_provider_that_does_not_answer_is_asked_again_after_a_while(folder: Path) -> None:
    found = [app.UNKNOWN, ("https://a/authorize", "https://a/token")]
    asked: list[str] = []
    clock = [0.0]

    def find(issuer: str) -> app.Discovered:
        asked.append(issuer)
        return found[min(len(asked), len(found)) - 1]

    site = app.Site(folder, PEOPLE, find=find, now=lambda: clock[0])
    for seconds, times in ((0, 1), (29, 1), (30, 2), (3_600, 2), (3_630, 3)):
        clock[0] = seconds
        assert get(site, "/console/")["statusCode"] == 200
        assert len(asked) == times


@pytest.fixture
def provider() -> Iterator[HTTPServer]:
    class Handler(BaseHTTPRequestHandler):
        answer = (200, b"")

        def do_GET(self) -> None:
            status, body = self.answer
            if self.path != "/pool/.well-known/openid-configuration":
                status = 404
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"authorization_endpoint": "https://a", "token_endpoint": "https://t"}, None),
        (200, {"authorization_endpoint": "https://a"}, app.UNKNOWN),
        (200, ["not", "an", "object"], app.UNKNOWN),
        (200, "x" * app.DISCOVERY_BYTES, app.UNKNOWN),
        (500, {}, app.UNKNOWN),
    ],
)
def test_a_provider_is_asked_for_its_endpoints(
    provider: HTTPServer, status: int, body: Any, expected: app.Discovered | None
) -> None:
    provider.RequestHandlerClass.answer = (status, json.dumps(body).encode())  # type: ignore[attr-defined]
    found = app.discover(f"http://127.0.0.1:{provider.server_port}/pool/")
    assert found == (expected or ("https://a", "https://t"))


def test_a_provider_that_is_not_there_is_unknown() -> None:
    assert app.discover("http://127.0.0.1:1") == app.UNKNOWN
    assert app.discover("not a url") == app.UNKNOWN
