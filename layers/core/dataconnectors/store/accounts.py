"""Service accounts, keys, memberships and token keys in DynamoDB: who may call."""

from collections.abc import Iterable

from dataconnectors.accounts import AccountKey, ServiceAccount, TokenKey
from dataconnectors.store import keys
from dataconnectors.store.table import Table


class AccountStore:
    """Who may call, and with what."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def create_service_account(
        self, account: ServiceAccount, key: AccountKey, roles: Iterable[str]
    ) -> None:
        """Put an account, its key and its membership in its own project, all or nothing."""
        member = {"roles": {"L": [{"S": role} for role in roles]}}
        self._table.transact(
            [
                self._table.put(
                    {
                        "pk": {"S": f"PROJECT#{account.project}"},
                        "sk": {"S": f"SERVICEACCOUNT#{account.id}"},
                        "email": {"S": account.email},
                        "displayName": {"S": account.display_name},
                        "enableBasicAuth": {"BOOL": account.enable_basic_auth},
                        "createTime": {"S": account.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._table.put(
                    keys.account_key_key(key.id)
                    | {
                        "project": {"S": key.project},
                        "account": {"S": key.account},
                        "secret": {"B": key.secret},
                        "createTime": {"S": key.create_time},
                    },
                    "attribute_not_exists(pk)",
                ),
                self._table.put(keys.member_key(account.project, account.email) | member, ""),
            ],
            f"service account {account.email} exists already",
        )

    def service_account(self, project_id: str, account_id: str) -> ServiceAccount | None:
        """A service account, None when absent."""
        item = self._table.get(
            {"pk": {"S": f"PROJECT#{project_id}"}, "sk": {"S": f"SERVICEACCOUNT#{account_id}"}}
        )
        if item is None:
            return None
        return ServiceAccount(
            project=project_id,
            id=account_id,
            email=item["email"]["S"],
            display_name=item["displayName"]["S"],
            enable_basic_auth=item["enableBasicAuth"]["BOOL"],
            create_time=item["createTime"]["S"],
        )

    def account_key(self, key_id: str) -> AccountKey | None:
        """A service account's key, None when absent."""
        item = self._table.get(keys.account_key_key(key_id))
        if item is None:
            return None
        return AccountKey(
            id=key_id,
            project=item["project"]["S"],
            account=item["account"]["S"],
            secret=bytes(item["secret"]["B"]),
            create_time=item["createTime"]["S"],
        )

    def roles(self, project_id: str, email: str) -> tuple[str, ...]:
        """The roles of a member in a project; empty for somebody who is none."""
        item = self._table.get(keys.member_key(project_id, email))
        return () if item is None else tuple(role["S"] for role in item["roles"]["L"])

    def token_keys(self) -> list[TokenKey]:
        """The keys that access tokens may be signed with, oldest first."""
        return [
            TokenKey(
                id=item["sk"]["S"].removeprefix("TOKENKEY#"),
                sealed=bytes(item["sealed"]["B"]),
                create_time=item["createTime"]["S"],
            )
            for item in self._table.query("TOKENKEYS", "TOKENKEY#")
        ]

    def add_token_key(self, key: TokenKey) -> None:
        """Put a key that signs access tokens."""
        self._table.dynamodb.put_item(
            TableName=self._table.name,
            Item={
                "pk": {"S": "TOKENKEYS"},
                "sk": {"S": f"TOKENKEY#{key.id}"},
                "sealed": {"B": key.sealed},
                "createTime": {"S": key.create_time},
            },
        )
