"""Service accounts and the keys that prove who they are."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account; `email` is what it is known by, `create_time` RFC 3339."""

    project: str
    id: str
    email: str
    display_name: str
    enable_basic_auth: bool
    create_time: str


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
        return f"projects/{self.project}/serviceaccounts/{self.account}/keys/{self.id}"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that signs access tokens; `sealed` is KMS ciphertext, sealed under `name`."""

    id: str
    sealed: bytes
    create_time: str

    @property
    def name(self) -> str:
        """`tokenkeys/{id}`."""
        return f"tokenkeys/{self.id}"
