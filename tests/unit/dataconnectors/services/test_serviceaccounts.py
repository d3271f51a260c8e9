"""Several writers change a service account at the same time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dataconnectors.identity.accounts import ServiceAccount
from dataconnectors.identity.audit import Actor, AuditEntry
from dataconnectors.kernel.errors import ConflictError
from dataconnectors.services.serviceaccounts import TRIES, ServiceAccountService

TIME = "2026-01-01T00:00:00.000000Z"
ACCOUNT = ServiceAccount("p", "s", "s@p", "before", False, TIME, TIME)
ACTOR = Actor("ann", "k", "192.0.2.1", 1_790_000_000.0, "request")


class Rows:
    """A fake of the store with one account. Each of `others` changes it before one write."""

    def __init__(self, others: list[Callable[[ServiceAccount], ServiceAccount]]) -> None:
        self.account = ACCOUNT
        self.changes: list[AuditEntry] = []
        self._others = others

    def service_account(self, project: str, account_id: str) -> ServiceAccount:
        return self.account

    def update_service_account(
        self, old: ServiceAccount, new: ServiceAccount, change: AuditEntry
    ) -> bool:
        if self._others:
            other = self._others.pop()(self.account)
            self.account = replace(other, version=self.account.version + 1)
        if old.version != self.account.version:
            return False
        self.account = new
        self.changes.append(change)
        return True


def service(rows: Rows) -> ServiceAccountService:
    unused: Any = None
    return ServiceAccountService(rows, unused, unused, entropy=bytes)  # type: ignore[arg-type]


def test_a_change_of_another_field_at_the_same_time_is_not_lost() -> None:
    rows = Rows([lambda account: replace(account, enable_basic_auth=True)])
    shown = service(rows).update("p", "s", {"displayName": "after"}, None, ACTOR)
    assert (shown["displayName"], shown["enableBasicAuth"]) == ("after", True)
    assert (rows.account.display_name, rows.account.enable_basic_auth) == ("after", True)
    assert [change.fields for change in rows.changes] == [("displayName",)]


def test_a_key_that_is_created_at_the_same_time_is_not_lost() -> None:
    rows = Rows([lambda account: replace(account, keys={"k": TIME})])
    service(rows).update("p", "s", {"displayName": "after"}, None, ACTOR)
    assert rows.account.keys == {"k": TIME}


def test_a_writer_that_is_overtaken_every_time_gets_a_conflict() -> None:
    rows = Rows([lambda account: account] * TRIES)
    with pytest.raises(ConflictError, match="read it and try again"):
        service(rows).update("p", "s", {"displayName": "after"}, None, ACTOR)
    assert rows.changes == []
