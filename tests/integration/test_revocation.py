"""Revoked access ends within a minute, even in processes that have just used it."""

import base64
import os
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from dataconnectors.aws.vault import Vault
from dataconnectors.identity import roles
from dataconnectors.identity.access import Access
from dataconnectors.identity.authentication import Authenticator
from dataconnectors.identity.signing_keys import SigningKeys
from dataconnectors.kernel.errors import ForbiddenError, NotFoundError, UnauthorizedError
from dataconnectors.store.accounts import AccountStore
from dataconnectors.store.signing_keys import SigningKeyStore
from dataconnectors.store.table import Table
from functions.config_api import app as config_api
from tests.integration.conftest import Client, new_administrator
from tests.integration.test_people import person

MINUTE = 60.0


class Process:
    """Another process of the API or of ingest, with its caches and its clock."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        table = Table(boto3.client("dynamodb"), os.environ["TABLE_NAME"])
        vault = Vault(boto3.client("kms"), os.environ["KMS_KEY_ARN"], clock=lambda: self.elapsed)
        clocks: Any = {
            "now": lambda: time.time() + self.elapsed,
            "clock": lambda: self.elapsed,
        }
        accounts = AccountStore(table)
        signing_keys = SigningKeys(SigningKeyStore(table), vault, entropy=os.urandom, **clocks)
        authenticator = Authenticator(accounts, signing_keys, vault, **clocks)
        self.access = Access(authenticator, accounts, entropy=os.urandom, **clocks)


class Account:
    """An account with the administrator's role, and its credentials."""

    def __init__(self, owner: Client) -> None:
        self.owner = owner
        self.client = owner.account_with(roles.ADMIN)
        self.id = self.client.account["email"].partition("@")[0]
        self.key = self.client.account["keyId"]
        self.owner.call("PATCH", f"/serviceaccounts/{self.id}", {"enableBasicAuth": True})
        text = f"{self.key}:{self.client.account['secret']}"
        self.headers = {
            "bearer": self.client.headers,
            "basic": {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"},
        }


Act = Callable[[Account], tuple[int, Any]]

BOTH = ("bearer", "basic")

ACTS: dict[str, tuple[Act, type[Exception], tuple[str, ...]]] = {
    "the key": (
        lambda one: one.owner.call("DELETE", f"/serviceaccounts/{one.id}/keys/{one.key}"),
        UnauthorizedError,
        BOTH,
    ),
    "the account": (
        lambda one: one.owner.call("DELETE", f"/serviceaccounts/{one.id}"),
        UnauthorizedError,
        BOTH,
    ),
    "Basic auth": (
        lambda one: one.owner.call(
            "PATCH", f"/serviceaccounts/{one.id}", {"enableBasicAuth": False}
        ),
        UnauthorizedError,
        ("basic",),
    ),
    "the membership": (
        lambda one: one.owner.call("DELETE", f"/members/{one.id}"),
        NotFoundError,
        BOTH,
    ),
    "the role": (
        lambda one: one.owner.call("PATCH", f"/members/{one.id}", {"roles": [roles.USER]}),
        ForbiddenError,
        BOTH,
    ),
    "the project": (lambda one: one.owner.call("DELETE", ""), UnauthorizedError, BOTH),
}


@pytest.mark.parametrize(("act", "error", "ways"), ACTS.values(), ids=ACTS)
def test_revoked_access_ends_within_a_minute(
    act: Act, error: type[Exception], ways: tuple[str, ...]
) -> None:
    one = Account(new_administrator("Revoked"))
    processes = [(Process(), one.headers[way]) for way in ways]
    project = one.owner.project

    def calls(process: Process, headers: dict[str, str]) -> None:
        process.access.require(headers, project, "dataconnector.create")

    for process, headers in processes:
        calls(process, headers)
    assert act(one)[0] == 200
    for process, headers in processes:
        # Repeated calls must not keep a cached value alive.
        while process.elapsed < MINUTE - 1:
            try:
                calls(process, headers)
            except error:
                break
            process.elapsed += 1
        with pytest.raises(error):
            calls(process, headers)


@pytest.mark.parametrize(
    ("is_member_elsewhere", "error"), [(True, NotFoundError), (False, UnauthorizedError)]
)
def test_the_access_of_a_person_who_was_removed_ends_within_a_minute(
    is_member_elsewhere: bool, error: type[Exception]
) -> None:
    owners = [new_administrator("Revoked"), new_administrator("Elsewhere")]
    email = f"{owners[0].project}@example.com"
    member = {"email": email, "roles": [roles.ADMIN]}
    for owner in owners[: 1 + is_member_elsewhere]:
        status, made = owner.call("POST", "/members", member)
        assert status == 200
    path = f"/members/{made['name'].rpartition('/')[2]}"
    one = person(email, owners[0].project)
    process = Process()

    def calls() -> None:
        process.access.require(one.headers, one.project, "dataconnector.create")

    calls()
    assert owners[0].call("DELETE", path)[0] == 200
    while process.elapsed < MINUTE - 1:
        try:
            calls()
        except error:
            break
        process.elapsed += 1
    with pytest.raises(error):
        calls()


def test_a_secret_is_stored_encrypted_with_the_keys_name_as_context(client: Client) -> None:
    store = AccountStore(config_api.table)
    found_ = store.caller(client.account["keyId"])
    assert found_ is not None
    key = found_[0]
    kms = boto3.client("kms")
    opened = kms.decrypt(CiphertextBlob=key.secret, EncryptionContext={"name": key.name})
    assert opened["Plaintext"].decode() == client.account["secret"]
    assert len(base64.urlsafe_b64decode(client.account["secret"] + "=")) == 256 // 8
    another = key.name.replace(key.id, "another")
    for context in ({}, {"name": another}):
        with pytest.raises(kms.exceptions.InvalidCiphertextException):
            kms.decrypt(CiphertextBlob=key.secret, EncryptionContext=context)
