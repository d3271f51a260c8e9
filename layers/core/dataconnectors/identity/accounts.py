"""Service accounts, and the keys that prove that a caller is one of them."""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

EMAIL_DOMAIN = "serviceaccount.d21s.com"
"""End of the email of the vendor's service accounts, and of ours. No mail is sent there."""

SECRET_BYTES = 32
"""Random bytes in the secret of a key."""

MAXIMUM_ACCOUNTS = 1000
"""Service accounts of a project: enough for one account for each gateway, and few enough for one
page of a list."""

MAXIMUM_KEYS = 10
"""Keys of a service account. Replacing a key takes two at a time, and the ids of all keys are in
the one item of the account."""

_EMAIL = re.compile(
    rf"(?P<id>[a-z0-9_-]{{1,64}})@(?P<project>[a-z0-9_-]{{1,64}})\.{re.escape(EMAIL_DOMAIN)}",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account. Members and audit entries name it by its `email`. Times are RFC 3339.

    `keys` maps the id of each of its keys to the time when the key was made. `version` grows with
    each write of the account.
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
        """One of its keys as answers show it, which is without the secret."""
        return {
            "name": key_name(self.project, self.id, key_id),
            "id": key_id,
            "createTime": self.keys[key_id],
        }


@dataclass(frozen=True, slots=True)
class AccountKey:
    """A key of a service account. `secret` is KMS ciphertext, sealed under `name`."""

    id: str
    project: str
    account: str
    secret: bytes
    create_time: str

    @property
    def name(self) -> str:
        """The resource name: `projects/{project}/serviceaccounts/{account}/keys/{id}`."""
        return key_name(self.project, self.account, self.id)


def key_name(project: str, account: str, key: str) -> str:
    """A key's resource name, which its secret is sealed under."""
    return f"projects/{project}/serviceaccounts/{account}/keys/{key}"


def email_of(account_id: str, project: str) -> str:
    """The email of a service account, made of its id and its project's."""
    return f"{account_id}@{project}.{EMAIL_DOMAIN}"


def account_of(email: str) -> tuple[str, str] | None:
    """The project and the id of the service account with this email; None for any other email."""
    parts = _EMAIL.fullmatch(email)
    return parts and (parts["project"], parts["id"])


def new_secret(entropy: Callable[[int], bytes]) -> str:
    """A new secret. It is text: clients send it in a header, and its UTF-8 is their HMAC key."""
    return base64.urlsafe_b64encode(entropy(SECRET_BYTES)).decode().rstrip("=")
