"""The API of a stack, as a service account calls it."""

import time
from collections.abc import Mapping
from typing import Any

import jwt

from client.http import Http, Reply

TOKEN_LEEWAY_S = 60.0
"""Seconds. A token is renewed before it expires, so that no call leaves with one about to die."""

ASSERTION_LIFE_S = 3600
"""Seconds: what the vendor's SDK asks for."""

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Api:
    """Calls `base` with the access tokens of one account, and logs in again when one expires.

    `base` is the API's URL, which ends in `/v2`; `account` is `serviceAccount` of a credentials
    file. Errors are `client.http.CallError`.
    """

    def __init__(self, http: Http, base: str, token_endpoint: str, account: Mapping[str, str]):
        """Call nobody yet."""
        self._http = http
        self._base = base
        self._token_endpoint = token_endpoint
        self._account = account
        self._token = ""
        self._token_ends = 0.0

    def expect(self, method: str, path: str, value: object = None) -> Any:
        """The JSON of an answer with status 200; `path` begins below `/v2`."""
        return self._http.expect(method, self._base + path, value=value, headers=self._headers())

    def call(self, method: str, path: str, value: object = None) -> Reply:
        """The answer, whatever its status is."""
        return self._http.call(method, self._base + path, value=value, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        if time.monotonic() >= self._token_ends:
            self._log_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _log_in(self) -> None:
        """Exchange an assertion, signed with the account's key, for an access token."""
        now = int(time.time())
        assertion = jwt.encode(
            {
                "iat": now,
                "exp": now + ASSERTION_LIFE_S,
                "aud": self._token_endpoint,
                "iss": self._account["email"],
            },
            self._account["secret"],
            algorithm=self._account["algorithm"],
            headers={"kid": self._account["keyId"]},
        )
        form = {"assertion": assertion, "grant_type": GRANT_TYPE}
        answer = self._http.expect("POST", self._token_endpoint, form=form)
        self._token = answer["access_token"]
        self._token_ends = time.monotonic() + answer["expires_in"] - TOKEN_LEEWAY_S
