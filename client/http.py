"""HTTP calls with a deadline for the whole answer and a limit on its size, over `requests`."""

import json
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import requests
from urllib3.exceptions import HTTPError  # What is read below is not translated by requests

CALL_S = 20.0
"""Seconds for one call. It may wait for a cold function, or for a new connector's queue."""

ANSWER_LIMIT = 128 * 1024 * 1024
"""Bytes of an answer. Lambda answers 6 MB at most, but the local receiver lists 64 MB of bodies."""

_CHUNK = 64 * 1024
_BEGINNING = 300


class CallError(Exception):
    """A call got no answer, or not a complete one, or not the expected one. One line of text."""


class Reply(NamedTuple):
    """The whole answer to a call."""

    status: int
    body: bytes

    def json(self) -> Any:
        """The value of its JSON body; raises `CallError` when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise CallError(f"answered {self.status} without JSON: {self.beginning()}") from None

    def beginning(self) -> str:
        """Enough of the body to see what is wrong, on one line."""
        return " ".join(self.body[:_BEGINNING].decode(errors="replace").split())


class _Raw(Protocol):
    """What an answer offers that `requests` gives no types."""

    def read1(self, amount: int, decode_content: bool) -> bytes:
        """As many bytes as have come, `amount` at most."""


class Http:
    """Makes calls over kept connections, from any number of threads.

    Nothing of the environment counts: no proxy, no .netrc, no other authorities. Redirects are not
    followed.
    """

    def __init__(self, ca: Path | None = None, *, timeout: float = CALL_S) -> None:
        """`ca` is the PEM file of the only authority to trust, None for the public ones.

        `timeout` is in seconds, for one call.
        """
        self._verify = True if ca is None else str(ca)
        self._timeout = timeout
        # A session is not meant for several threads.
        self._of_thread = threading.local()

    def call(
        self,
        method: str,
        url: str,
        *,
        value: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """The answer, whatever its status is. `value` is sent as JSON, `form` as a form.

        Raises `CallError` without a complete answer in time. A call is never repeated: the caller
        knows whether that is safe.
        """
        deadline = time.monotonic() + self._timeout
        try:
            with self._session().request(
                method,
                url,
                json=value,
                data=form,
                headers=headers,
                auth=auth,
                timeout=self._timeout,
                stream=True,
                verify=self._verify,  # A session's own is replaced by variables of the environment
            ) as response:
                raw = cast(_Raw, response.raw)
                return Reply(response.status_code, self._body(raw, deadline))
        except (requests.RequestException, HTTPError, OSError, _NotCompleteError) as error:
            raise CallError(f"{method} {url}: {error}") from None

    def expect(self, method: str, url: str, **options: Any) -> Any:
        """The JSON of an answer with status 200; raises `CallError` for any other answer."""
        reply = self.call(method, url, **options)
        if reply.status != 200:
            raise CallError(f"{method} {url} answered {reply.status}: {reply.beginning()}")
        return reply.json()

    def _body(self, raw: _Raw, deadline: float) -> bytes:
        """The rest of an answer. `requests` limits neither its size nor its time as a whole."""
        body = bytearray()
        while chunk := raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > ANSWER_LIMIT:
                raise _NotCompleteError(f"the answer has more than {ANSWER_LIMIT} bytes")
            if time.monotonic() > deadline:
                raise _NotCompleteError(f"the answer was not complete in {self._timeout:g} s")
        return bytes(body)

    def _session(self) -> requests.Session:
        session: _Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = _Session()
            # On purpose: these calls carry an account's secrets to an API, or go to this machine.
            # What a shell or a .netrc happens to say must not lead them elsewhere, or sign in with
            # another account. Behind a proxy, run them where the API can be reached.
            session.trust_env = False
            self._of_thread.session = session
        return session


class _Session(requests.Session):
    """A session that knows no redirects: even when it follows none, requests reads their bodies."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Nowhere."""
        return None


class _NotCompleteError(Exception):
    """The answer is too long, or too slow."""
