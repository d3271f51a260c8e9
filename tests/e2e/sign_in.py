"""A person's way from the provider's sign-in page to the API, as a browser takes it."""

import secrets
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests

from local.openid import challenge_of

TIMEOUT_S = 30
"""As patient as API Gateway: a function may start cold on two busy cores."""

SESSION = requests.Session()
SESSION.trust_env = False  # No proxy leads to this machine


@dataclass(frozen=True)
class Answer:
    """Status and JSON of an answer."""

    status: int
    json: Any


class Browser:
    """One person's browser at the console of a stack, whose `ready` line it gets."""

    def __init__(self, ready: dict[str, str]) -> None:
        self.api = ready["api"]
        self._issuer = ready["openid"]
        self._console = f"{self.api.removesuffix('/v2')}/console/"
        self._token = ""

    def sign_in(self, email: str = "", *, fault: str = "", nonce: str = "") -> Answer:
        """Sign in, with the email that the page has filled in unless another one is given.

        `nonce` replaces the one that the console remembers. The answer is that of the API.
        """
        found = self._json("GET", f"{self._issuer}/.well-known/openid-configuration")
        verifier, state, sent = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "client_id": "console",
            "redirect_uri": self._console,
            "response_type": "code",
            "scope": "openid email",
            "state": state,
            "nonce": sent,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        url = f"{found['authorization_endpoint']}?{urlencode(asked)}"
        page = _Form(_request("GET", url).text)
        fields = page.fields | {"fault": fault} | ({"email": email} if email else {})
        back = _request("POST", urljoin(url, page.action), data=fields)
        location = back.headers["Location"]
        assert location.startswith(f"{self._console}?"), location
        result = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert result["state"] == state
        tokens = self._json(
            "POST",
            found["token_endpoint"],
            {
                "grant_type": "authorization_code",
                "client_id": "console",
                "redirect_uri": self._console,
                "code": result["code"],
                "code_verifier": verifier,
            },
        )
        answer = self.exchange(tokens["id_token"], nonce or sent)
        if answer.status == 200:
            self._token = answer.json["access_token"]
        return answer

    def exchange(self, id_token: str, nonce: str) -> Answer:
        """Exchange an id token for an access token."""
        return _call("POST", f"{self.api}/oidc/token", id_token, {"nonce": nonce})

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Call the API as the signed-in person."""
        return _call(method, self.api + path, self._token, body)

    def _json(self, method: str, url: str, form: dict[str, str] | None = None) -> Any:
        answer = _request(method, url, data=form)
        assert answer.status_code == 200, answer.text
        return answer.json()


class _Form(HTMLParser):
    """The fields of a page's form with their values, and where it is sent."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take what a browser would send."""
        found = dict(attrs)
        if tag == "form":
            self.action = found["action"] or ""
        elif tag == "input":
            self.fields[found["name"] or ""] = found["value"] or ""


def _call(method: str, url: str, token: str, body: Any) -> Answer:
    headers = {"Authorization": f"Bearer {token}"}
    answer = _request(method, url, json=body, headers=headers)
    return Answer(answer.status_code, answer.json())


def _request(method: str, url: str, **content: Any) -> requests.Response:
    return SESSION.request(method, url, timeout=TIMEOUT_S, allow_redirects=False, **content)
