"""The console's files: serves what console/build.mjs has built, and the stack's settings.

Everything here is public, because people see it before they sign in. It uses the standard library
alone, so that a cold start costs little. If people sign in with a provider, it asks the provider
where: the security policy has to name the host that the page exchanges codes at.
"""

import base64
import json
import os
import time
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = "/console/"
PAGE = "index.html"

ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""The encodings that the build has made of each file, and the endings of their names. The first one
that the browser takes is used."""

FOREVER = "public, max-age=31536000, immutable"
"""For names with a hash of their content. A year is the most that caches are used to."""

CHECKED = "no-cache"
"""For what a deployment changes: browsers keep it, and ask whether it is still the same."""

DISCOVERY_PATH = "/.well-known/openid-configuration"
DISCOVERY_SECONDS = 2.0
"""The deadline of each wait for the provider. A page waits for it, and signing in with a key needs
no provider."""

DISCOVERY_BYTES = 65_536
"""The most that is read of a provider's answer. Those of common providers have 1 to 5 kB."""

KEPT_SECONDS = 3_600
"""How long it is known where people sign in. Providers change that with months of notice."""

RETRY_SECONDS = 30
"""How long a failure to find out is remembered, so that not every request waits for it."""

Discovered = tuple[str, str]
"""Where people sign in, and where codes are exchanged: URLs, both "" if that is not known."""

UNKNOWN: Discovered = ("", "")


def discover(issuer: str) -> Discovered:
    """Ask an OpenID provider where people sign in. `UNKNOWN` when it does not say."""
    from urllib.request import urlopen  # Only needed where people sign in

    try:
        url = issuer.rstrip("/") + DISCOVERY_PATH
        with urlopen(url, timeout=DISCOVERY_SECONDS) as response:
            said = json.loads(response.read(DISCOVERY_BYTES))
        return str(said["authorization_endpoint"]), str(said["token_endpoint"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return UNKNOWN


class Site:
    """The built files in a folder, and answers to requests for them.

    `environ` may have `OIDC_ISSUER` and `OIDC_CLIENT_ID`, where people sign in, and `TRY_OUT`.
    `find` is called with the issuer, see `discover`; `now` gives seconds.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        find: Callable[[str], Discovered] = discover,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read nothing yet."""
        self._folder = folder
        self._environ = environ
        self._find = find
        self._now = now
        self._found = UNKNOWN
        self._found_until = 0.0

    @cached_property
    def files(self) -> Mapping[str, Mapping[str, Any]]:
        """Type, ETag and so on of each file, as the build has written them."""
        return dict(json.loads((self._folder / "files.json").read_text()))

    def _provider(self) -> Discovered:
        """Where people sign in, as found out a while ago at most."""
        issuer = self._environ.get("OIDC_ISSUER", "")
        if issuer and self._now() >= self._found_until:
            self._found = self._find(issuer)
            kept = RETRY_SECONDS if self._found == UNKNOWN else KEPT_SECONDS
            self._found_until = self._now() + kept
        return self._found

    def settings(self) -> str:
        """What the page asks for at its start, as JSON."""
        authorization, token = self._provider()
        return json.dumps(
            {
                "oidcIssuer": self._environ.get("OIDC_ISSUER", ""),
                "oidcClientId": self._environ.get("OIDC_CLIENT_ID", ""),
                "oidcAuthorizationEndpoint": authorization,
                "oidcTokenEndpoint": token,
                "tryOut": self._environ.get("TRY_OUT") == "true",
                "version": self.files[PAGE]["etag"],  # Changes with every change of a file
            }
        )

    def security(self) -> Mapping[str, str]:
        """The headers of every answer."""
        _, token_endpoint = self._provider()
        policy = (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            # The page talks to the API, and exchanges codes where people sign in.
            f"connect-src 'self' {origin(token_endpoint)}".rstrip(),
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # No text becomes markup or script, whatever the page's code does with it.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
        return {
            "content-security-policy": "; ".join(policy),
            "cross-origin-opener-policy": "same-origin-allow-popups",  # To sign in again
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "referrer-policy": "no-referrer",
            "strict-transport-security": "max-age=31536000",  # Browsers ignore it over HTTP
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
        }

    def respond(self, method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a request. `headers` have names in lower case."""
        if method not in ("GET", "HEAD"):
            return self._text(
                405, "Read the console with GET. The API is at /v2.", allow="GET, HEAD"
            )
        name = path.removeprefix(ROOT)
        if name == "config.json":
            made = {"content-type": "application/json", "cache-control": CHECKED}
            return self._answer(200, made, self.settings())
        if name in self.files:
            return self._file(name, headers)
        if "." in name.rpartition("/")[2]:
            # A file of another release. The page itself would only confuse what asked for it.
            return self._text(404, "There is no such file. Load /console/ again.")
        return self._file(PAGE, headers)  # The script knows which pages there are

    def _file(self, name: str, headers: Mapping[str, str]) -> dict[str, Any]:
        """A built file, or 304 when the browser has it."""
        file = self.files[name]
        encoding = encoding_for(headers.get("accept-encoding", ""))
        ending = ENCODINGS.get(encoding, "")
        etag = f'"{file["etag"]}{ending}"'
        made = {
            "cache-control": FOREVER if file["immutable"] else CHECKED,
            "etag": etag,
            "vary": "accept-encoding",
        }
        if etag in headers.get("if-none-match", ""):
            return self._answer(304, made)
        made["content-type"] = file["type"]
        if encoding:
            made["content-encoding"] = encoding
        return self._answer(200, made, in_base64(self._folder / (name + ending)), is_base64=True)

    def _text(self, status: int, text: str, **headers: str) -> dict[str, Any]:
        return self._answer(status, {"content-type": "text/plain", **headers}, text)

    def _answer(
        self, status: int, headers: Mapping[str, str], body: str = "", *, is_base64: bool = False
    ) -> dict[str, Any]:
        """An answer in API Gateway's payload format 2.0."""
        return {
            "statusCode": status,
            "headers": {**self.security(), **headers},
            "body": body,
            "isBase64Encoded": is_base64,
        }


@cache
def in_base64(path: Path) -> str:
    """A file's content, as an answer carries it. All files together have less than 1 MB."""
    return base64.b64encode(path.read_bytes()).decode()


def encoding_for(accepted: str) -> str:
    """The encoding to answer in; "" for none. `accepted` is the request's `Accept-Encoding`."""
    offered = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.replace(" ", "").partition(";q=")
        offered[name] = quality.strip("0.") != "" if quality else True
    return next((each for each in ENCODINGS if offered.get(each, offered.get("*", False))), "")


def origin(url: str) -> str:
    """The origin of a URL, as a content security policy names it; "" without a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


site = Site(Path(__file__).parent / "files", os.environ)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Serve a request below /console/."""
    headers = {name.lower(): value for name, value in event["headers"].items()}
    return site.respond(event["requestContext"]["http"]["method"], event["rawPath"], headers)
