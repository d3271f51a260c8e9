"""Service accounts and their keys in the OpenAPI document."""

from dataconnectors.api.openapi.examples import ACCOUNT_NAME, EMAIL, KEY
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    DISPLAY_NAME,
    NAME,
    flag,
    input_of,
    object_of,
    or_null,
    page_of,
    ref,
    text,
    time,
)
from dataconnectors.identity import accounts

_ACCOUNTS = "/projects/{project}/serviceaccounts"
_ACCOUNT = _ACCOUNTS + "/{account}"
_KEYS = _ACCOUNT + "/keys"

OPERATIONS = (
    Operation(
        "listServiceAccounts",
        "GET",
        _ACCOUNTS,
        "Service accounts",
        "List service accounts",
        "ServiceAccountList",
        "serviceaccount.read",
        query=PAGE,
    ),
    Operation(
        "createServiceAccount",
        "POST",
        _ACCOUNTS,
        "Service accounts",
        "Create a service account",
        "ServiceAccount",
        "serviceaccount.create",
        body="ServiceAccountSettings",
        conflicts=True,
        description="It has no permissions until it is made a member of a project.",
    ),
    Operation(
        "getServiceAccount",
        "GET",
        _ACCOUNT,
        "Service accounts",
        "Show a service account",
        "ServiceAccount",
        "serviceaccount.read",
    ),
    Operation(
        "updateServiceAccount",
        "PATCH",
        _ACCOUNT,
        "Service accounts",
        "Change a service account",
        "ServiceAccount",
        "serviceaccount.update",
        query=("update_mask",),
        body="ServiceAccountSettings",
        conflicts=True,
    ),
    Operation(
        "deleteServiceAccount",
        "DELETE",
        _ACCOUNT,
        "Service accounts",
        "Delete a service account with its keys and memberships",
        "Empty",
        "serviceaccount.delete",
        conflicts=True,
    ),
    Operation(
        "listKeys",
        "GET",
        _KEYS,
        "Service accounts",
        "List keys",
        "KeyList",
        "serviceaccount.key.read",
        query=PAGE,
    ),
    Operation(
        "createKey",
        "POST",
        _KEYS,
        "Service accounts",
        "Create a key",
        "NewKey",
        "serviceaccount.key.create",
        conflicts=True,
        may_be_refused=True,
        description="Only this answer shows the secret of the key.",
    ),
    Operation(
        "getKey",
        "GET",
        _KEYS + "/{key}",
        "Service accounts",
        "Show a key",
        "Key",
        "serviceaccount.key.read",
    ),
    Operation(
        "deleteKey",
        "DELETE",
        _KEYS + "/{key}",
        "Service accounts",
        "Revoke a key",
        "Empty",
        "serviceaccount.key.delete",
        conflicts=True,
        description="The key and its access tokens stop working within half a minute.",
    ),
)

SCHEMAS = {
    "ServiceAccount": object_of(
        {
            "name": text(NAME, examples=[ACCOUNT_NAME]),
            "email": text(
                "The email that identifies the account. No mail is sent to it.", examples=[EMAIL]
            ),
            "displayName": {"type": "string"},
            "enableBasicAuth": flag(
                "Whether its keys may be used as user name and password (Basic authentication)."
            ),
            "createTime": time("When the account was created."),
            "updateTime": time("When the account was last changed."),
        }
    ),
    "ServiceAccountList": page_of("serviceAccounts", "ServiceAccount")
    | {"description": f"A project has at most {accounts.MAXIMUM_ACCOUNTS} service accounts."},
    "ServiceAccountSettings": input_of(
        {
            "displayName": or_null(DISPLAY_NAME),
            "enableBasicAuth": or_null(
                flag(
                    "Whether its keys may be used as user name and password (Basic authentication)."
                )
            ),
        },
    )
    | {"examples": [{"displayName": "Gateway", "enableBasicAuth": True}]},
    "Key": object_of(
        {
            "name": text(NAME, examples=[f"{ACCOUNT_NAME}/keys/{KEY}"]),
            "id": text(examples=[KEY]),
            "createTime": time("When the key was created."),
        }
    ),
    "KeyList": page_of("keys", "Key")
    | {"description": f"A service account has at most {accounts.MAXIMUM_KEYS} keys."},
    "NewKey": object_of(
        {"key": ref("Key"), "secret": text("The secret, which is shown only once.")}
    ),
}
