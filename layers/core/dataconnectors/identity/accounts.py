"""Service accounts and the keys that prove who they are."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataconnectors.identity import tokens
from dataconnectors.kernel import times

EMAIL_DOMAIN = "serviceaccount.d21s.com"
"""What the vendor's service accounts end in; no mail is sent there."""

SECRET_BYTES = 32
"""256 random bits in a key's secret."""

MAXIMUM_ACCOUNTS = 1000
"""Service accounts of a project: enough for a gateway each, and they are listed in one page."""

MAXIMUM_KEYS = 10
"""Keys of a service account: rotating takes two, and an account with its keys is one item."""

ROTATION_SECONDS = 30 * 24 * 3600
"""How long a key signs access tokens."""

_EMAIL = re.compile(
    rf"(?P<id>[a-z0-9_-]{{1,64}})@(?P<project>[a-z0-9_-]{{1,64}})\.{re.escape(EMAIL_DOMAIN)}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account; `email` is what it is known by. Times are RFC 3339.

    `keys` maps the ids of its keys to when they were made; `version` grows with each write.
    """

    project: str
    id: str
    email: str
    display_name: str
    enable_basic_auth: bool
    create_time: str
    update_time: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/serviceaccounts/{id}`."""
        return f"projects/{self.project}/serviceaccounts/{self.id}"

    def to_api(self) -> dict[str, Any]:
        """The resource as answers show it."""
        return {
            "name": self.name,
            "email": self.email,
            "displayName": self.display_name,
            "enableBasicAuth": self.enable_basic_auth,
            "createTime": self.create_time,
            "updateTime": self.update_time,
        }

    def key_to_api(self, key_id: str) -> dict[str, Any]:
        """One of its keys as answers show it: never with the secret."""
        return {
            "name": key_name(self.project, self.id, key_id),
            "id": key_id,
            "createTime": self.keys[key_id],
        }


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A key of a service account; `secret` is KMS ciphertext, sealed under `name`."""

    id: str
    project: str
    account: str
    secret: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`projects/{project}/serviceaccounts/{account}/keys/{id}`."""
        return key_name(self.project, self.account, self.id)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs access tokens; `sealed` is KMS ciphertext, sealed under `name`.

    It signs for `ROTATION_SECONDS` and verifies until the last token it signed has expired, so
    that a new key logs nobody out.
    """

    id: str
    sealed: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`tokenkeys/{id}`."""
        return f"tokenkeys/{self.id}"

    @property
    def expires_at(self) -> float:
        """The epoch second from which nothing that it signed is valid any more."""
        longest = tokens.LIFETIME + tokens.GRACE + tokens.CLOCK_SKEW
        return times.from_text(self.create_time) + ROTATION_SECONDS + longest

    def signs(self, now: float) -> bool:
        """Whether new tokens are signed with it."""
        return now < times.from_text(self.create_time) + ROTATION_SECONDS

    def verifies(self, now: float) -> bool:
        """Whether tokens that it signed are believed."""
        return now < self.expires_at


def key_name(project: str, account: str, key: str) -> str:
    """A key's resource name, which its secret is sealed under."""
    return f"projects/{project}/serviceaccounts/{account}/keys/{key}"


def email_of(account_id: str, project: str) -> str:
    """The email of a service account."""
    return f"{account_id}@{project}.{EMAIL_DOMAIN}"


def account_of(email: str) -> tuple[str, str] | None:
    """Project and id of the service account that an email is of; None for another email."""
    parts = _EMAIL.fullmatch(email)
    return parts and (parts["project"], parts["id"])


def new_secret(entropy: Callable[[int], bytes]) -> str:
    """A key's secret: text, because clients send it in a header and use its UTF-8 as HMAC key."""
    return base64.urlsafe_b64encode(entropy(SECRET_BYTES)).decode().rstrip("=")
