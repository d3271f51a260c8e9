"""Makes moto's transactions fast, by copying only the items that they name.

moto copies the whole table for each action, to restore it when the transaction fails. In a table of
a few thousand items, a transaction of fifty actions takes seconds.
"""

import copy
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

_moto = DynamoDBBackend.transact_write_items


def install() -> None:
    """Replace moto's transactions in this process."""
    setattr(Table, "__deepcopy__", lambda table, _memo: table)  # noqa: B010  # it has none to replace
    setattr(DynamoDBBackend, "transact_write_items", _transact)  # noqa: B010  # with one of ours


def _transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    before = [
        (rows, key, copy.deepcopy(rows.get(key))) for rows, key in _named(backend, transact_items)
    ]
    try:
        _moto(backend, transact_items)
    except Exception:
        for rows, key, item in before:
            if item is None:
                rows.pop(key, None)
            else:
                rows[key] = item
        raise


def _named(
    backend: DynamoDBBackend, actions: list[dict[str, Any]]
) -> Iterator[tuple[dict[DynamoType, Any], DynamoType]]:
    """The rows of each action's partition, and its sort key. Our table has both kinds of keys."""
    for action in actions:
        (operation,) = action.values()
        table = backend.tables.get(operation["TableName"])
        key = operation.get("Key") or operation.get("Item") or {}
        if table is not None and table.range_key_attr in key:
            rows: Any = table.items[DynamoType(key[table.hash_key_attr])]
            yield rows, DynamoType(key[table.range_key_attr])
