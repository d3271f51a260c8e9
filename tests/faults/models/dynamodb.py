"""One DynamoDB table with conditions, transactions, pages, and eventually consistent reads."""

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from types import MappingProxyType, SimpleNamespace
from typing import Any

from tests.faults.models.errors import UnmodelledError, refusal

BATCH_GET_KEYS = 100
BATCH_WRITE_ITEMS = 25
TRANSACTION_ACTIONS = 100
"""AWS: the limits of one BatchGetItem, BatchWriteItem and TransactWriteItems."""

Item = dict[str, Any]
Key = tuple[str, str]
Values = Mapping[str, Any]
Condition = Callable[[Item, Mapping[str, str], Values], bool]

_TOKEN = re.compile(r"\s*([(),]|<>|<=|>=|=|<|>|[#:]?\w+)")
_PARTITION = re.compile(r"pk = (:\w+)")
_BETWEEN_CHANGES = re.compile(r",(?![^(]*\))")  # not inside of a function
_CLAUSE = re.compile(r"\b(SET|ADD|REMOVE)\b")

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class DynamoDb:
    """A table with the keys `pk` and `sk`, and one index.

    `lag` is how far, in seconds of `clock`, a read that is not strongly consistent is behind.
    `page_size` is in items; AWS's pages are 1 MiB. `written` is called with each changed item, and
    with None for a deleted one. Items whose partition begins with one of `unread` are not kept, as
    if they had expired. Of partitions that begin with a key of `newest`, only so many items are
    kept, those that sort last: all of history would fill the memory.
    """

    name = "dynamodb"

    def __init__(
        self,
        clock: Callable[[], float],
        table: str,
        *,
        index: tuple[str, str] = ("byLifecycle", "lifecycle"),
        lag: float = 1.0,
        page_size: int = 4,
        written: Callable[[Key, Item | None], None] = lambda key, item: None,
        unread: tuple[str, ...] = (),
        newest: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        # The table may register its reader of raw answers. It is never called, because the model
        # gives no raw answers.
        self.meta = SimpleNamespace(events=SimpleNamespace(register=lambda event, handler: None))
        self._clock = clock
        self._table = table
        self._index, self._index_key = index
        self._lag = lag
        self._page_size = page_size
        self._written = written
        self._unread = unread
        self._newest = newest
        self._items: dict[Key, Item] = {}
        self._sorted: dict[str, list[str]] = {}
        self._indexed: set[Key] = set()
        self._before: dict[Key, tuple[float, Item | None]] = {}

    # --- reads ---------------------------------------------------------------------------------

    def get_item(
        self, *, TableName: str, Key: Item, ConsistentRead: bool = False
    ) -> dict[str, Any]:
        """One item."""
        self._check_table(TableName, "GetItem")
        item = self._read(_key(Key), consistent=ConsistentRead)
        return {} if item is None else {"Item": dict(item)}

    def batch_get_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """Up to 100 items, in no order."""
        ((table, request),) = RequestItems.items()
        self._check_table(table, "BatchGetItem")
        keys = [_key(key) for key in request["Keys"]]
        if not 1 <= len(keys) <= BATCH_GET_KEYS or len(set(keys)) < len(keys):
            raise refusal("ValidationException", "BatchGetItem", f"{len(keys)} keys")
        found = [
            self._read(key, consistent=request.get("ConsistentRead", False))
            for key in reversed(keys)
        ]
        items = [dict(item) for item in found if item is not None]
        return {"Responses": {table: items}, "UnprocessedKeys": {}}

    def query(
        self,
        *,
        TableName: str,
        KeyConditionExpression: str,
        ExpressionAttributeValues: Values,
        ExpressionAttributeNames: Mapping[str, str] | None = None,
        IndexName: str = "",
        ConsistentRead: bool = False,
        ExclusiveStartKey: Item | None = None,
        ScanIndexForward: bool = True,
        Limit: int = 0,
        FilterExpression: str = "",
        Select: str = "",
    ) -> dict[str, Any]:
        """One page of a partition in the order of its sort keys, or of the index, which is
        behind. A page has as many items before the filter as `Limit` says."""
        self._check_table(TableName, "Query")
        holds = _compiled(KeyConditionExpression)
        passes = _compiled(FilterExpression) if FilterExpression else _everything
        names = ExpressionAttributeNames or {}
        if IndexName:
            if IndexName != self._index or ConsistentRead:
                raise refusal("ValidationException", "Query", IndexName)
            keys: Sequence[Any] = sorted(self._indexed)
            key_of: Callable[[Any], Key] = tuple
        else:
            partition = _PARTITION.match(KeyConditionExpression)
            assert partition is not None, KeyConditionExpression
            pk = ExpressionAttributeValues[partition[1]]["S"]
            keys = self._sorted.get(pk, [])
            key_of = partial(_in_partition, pk)
        positions = range(len(keys))
        if ExclusiveStartKey is not None:
            # The item of the key may be gone.
            after = _key(ExclusiveStartKey)
            bound = after if IndexName else after[1]
            if ScanIndexForward:
                positions = range(bisect_right(keys, bound), len(keys))
            else:
                positions = range(bisect_left(keys, bound))
        if not ScanIndexForward:
            positions = positions[::-1]
        page: list[Item] = []
        read = 0
        last = None
        for position in positions:
            item = self._read(key_of(keys[position]), consistent=ConsistentRead)
            if item is None or not holds(item, names, ExpressionAttributeValues):
                continue
            read += 1
            if passes(item, names, ExpressionAttributeValues):
                page.append(dict(item))
            if read == (Limit or self._page_size) and position != positions[-1]:
                last = {"pk": item["pk"], "sk": item["sk"]}
                break
        answer = {"Count": len(page)} if Select == "COUNT" else {"Items": page, "Count": len(page)}
        return answer if last is None else answer | {"LastEvaluatedKey": last}

    # --- writes --------------------------------------------------------------------------------

    def put_item(self, *, TableName: str, Item: Item, **condition: Any) -> dict[str, Any]:
        """Put an item."""
        return self._write_one("PutItem", {"TableName": TableName, "Item": Item, **condition})

    def delete_item(self, *, TableName: str, Key: Item, **condition: Any) -> dict[str, Any]:
        """Delete an item. Nothing happens when it does not exist."""
        return self._write_one("DeleteItem", {"TableName": TableName, "Key": Key, **condition})

    def update_item(self, *, TableName: str, Key: Item, **change: Any) -> dict[str, Any]:
        """Change an item, or create it."""
        return self._write_one("UpdateItem", {"TableName": TableName, "Key": Key, **change})

    def batch_write_item(self, *, RequestItems: dict[str, Any]) -> dict[str, Any]:
        """Up to 25 puts and deletes."""
        ((table, requests),) = RequestItems.items()
        self._check_table(table, "BatchWriteItem")
        actions = [next(iter(request.items())) for request in requests]
        keys = [_key(action.get("Key") or action["Item"]) for _, action in actions]
        if not 1 <= len(keys) <= BATCH_WRITE_ITEMS or len(set(keys)) < len(keys):
            raise refusal("ValidationException", "BatchWriteItem", f"{len(keys)} requests")
        for (kind, action), key in zip(actions, keys, strict=True):
            self._apply(kind.removesuffix("Request"), key, action)
        return {"UnprocessedItems": {}}

    def transact_write_items(self, *, TransactItems: list[dict[str, Any]]) -> dict[str, Any]:
        """Do all actions, or none of them and raise a reason for each."""
        operation = "TransactWriteItems"
        if not 1 <= len(TransactItems) <= TRANSACTION_ACTIONS:
            raise refusal("ValidationException", operation, f"{len(TransactItems)} actions")
        actions = [next(iter(item.items())) for item in TransactItems]
        keys = [_key(action.get("Key") or action["Item"]) for _, action in actions]
        if len(set(keys)) < len(keys):
            raise refusal("ValidationException", operation, "two actions on one item")
        reasons = []
        for (_, action), key in zip(actions, keys, strict=True):
            self._check_table(action["TableName"], operation)
            allowed = self._allowed(key, action)
            reasons.append({"Code": "None" if allowed else "ConditionalCheckFailed"})
        if any(reason["Code"] != "None" for reason in reasons):
            raise refusal("TransactionCanceledException", operation, CancellationReasons=reasons)
        for (kind, action), key in zip(actions, keys, strict=True):
            self._apply(kind, key, action)
        return {}

    def _write_one(self, operation: str, action: dict[str, Any]) -> dict[str, Any]:
        self._check_table(action["TableName"], operation)
        key = _key(action.get("Key") or action["Item"])
        if not self._allowed(key, action):
            raise refusal("ConditionalCheckFailedException", operation)
        self._apply(operation.removesuffix("Item"), key, action)
        return {}

    def _allowed(self, key: Key, action: dict[str, Any]) -> bool:
        condition = action.get("ConditionExpression")
        return not condition or _compiled(condition)(
            self._items.get(key, {}),
            action.get("ExpressionAttributeNames", {}),
            action.get("ExpressionAttributeValues", {}),
        )

    def _apply(self, kind: str, key: Key, action: dict[str, Any]) -> None:
        match kind:
            case "Put":
                self._store(key, dict(action["Item"]))
            case "Delete":
                self._store(key, None)
            case "Update":
                item = dict(self._items.get(key, action["Key"]))
                _update(item, action)
                self._store(key, item)
            case "ConditionCheck":
                pass
            case _:
                raise UnmodelledError(f"the model has no action {kind!r}")

    def _store(self, key: Key, item: Item | None) -> None:
        if self._unread and key[0].startswith(self._unread):
            self._written(key, item)
            return
        old = self._items.get(key)
        self._before[key] = (self._clock(), old)
        if item is None:
            if old is None:
                return
            del self._items[key]
            self._indexed.discard(key)
            self._sorted[key[0]].remove(key[1])
        else:
            self._items[key] = item
            if self._index_key in item:
                self._indexed.add(key)
            if old is None:
                insort(self._sorted.setdefault(key[0], []), key[1])
        self._written(key, item)
        self._forget(key[0])

    def _forget(self, partition: str) -> None:
        """Let the items of a partition expire that are too many."""
        for prefix, kept in self._newest.items():
            sort_keys = self._sorted.get(partition, [])
            if partition.startswith(prefix) and len(sort_keys) > kept:
                first = partition, sort_keys[0]
                self._store(first, None)
                del self._before[first]

    # --- helpers -------------------------------------------------------------------------------

    def _read(self, key: Key, *, consistent: bool) -> Item | None:
        if not consistent and key in self._before:
            changed_at, before = self._before[key]
            if self._clock() - changed_at < self._lag:
                return before
        return self._items.get(key)

    def _check_table(self, table: str, operation: str) -> None:
        if table != self._table:
            raise refusal("ResourceNotFoundException", operation, table)


def pages(query: Callable[..., dict[str, Any]], **parameters: Any) -> Iterator[dict[str, Any]]:
    """The pages that botocore's paginator gives. Each page is a call."""
    start: dict[str, Any] = {}
    while True:
        page = query(**parameters, **start)
        yield page
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def _everything(item: Item, names: Mapping[str, str], values: Values) -> bool:
    return True


def _in_partition(pk: str, sk: str) -> Key:
    return pk, sk


def _key(item: Item) -> Key:
    return item["pk"]["S"], item["sk"]["S"]


@cache
def _compiled(expression: str) -> Condition:
    """A condition expression as a function of an item, names and values."""
    tokens = _TOKEN.findall(expression)
    assert "".join(tokens) == "".join(expression.split()), expression
    condition = _either(tokens)
    if tokens:
        raise UnmodelledError(f"the model does not evaluate {expression!r} from {tokens[0]!r}")
    return condition


def _either(tokens: list[str]) -> Condition:
    conditions = [_both(tokens)]
    while tokens[:1] == ["OR"]:
        tokens.pop(0)
        conditions.append(_both(tokens))
    if len(conditions) == 1:
        return conditions[0]
    return lambda item, names, values: any(holds(item, names, values) for holds in conditions)


def _both(tokens: list[str]) -> Condition:
    conditions = [_term(tokens)]
    while tokens[:1] == ["AND"]:
        tokens.pop(0)
        conditions.append(_term(tokens))
    if len(conditions) == 1:
        return conditions[0]
    return lambda item, names, values: all(holds(item, names, values) for holds in conditions)


def _term(tokens: list[str]) -> Condition:
    first = tokens.pop(0)
    if first == "(":
        inner = _either(tokens)
        _expect(tokens, ")")
        return inner
    if first in ("attribute_exists", "attribute_not_exists", "begins_with"):
        _expect(tokens, "(")
        name = tokens.pop(0)
        if first == "begins_with":
            _expect(tokens, ",")
            prefix = tokens.pop(0)
            _expect(tokens, ")")
            return lambda item, names, values: _text(item, names, name).startswith(
                values[prefix]["S"]
            )
        _expect(tokens, ")")
        wanted = first == "attribute_exists"
        return lambda item, names, values: (names.get(name, name) in item) == wanted
    operator = tokens.pop(0)
    if operator == "IN":
        _expect(tokens, "(")
        among = [tokens.pop(0)]
        while tokens.pop(0) == ",":
            among.append(tokens.pop(0))
        return lambda item, names, values: any(
            item.get(names.get(first, first)) == values[name] for name in among
        )
    if operator == "BETWEEN":
        low = tokens.pop(0)
        _expect(tokens, "AND")
        high = tokens.pop(0)
        return lambda item, names, values: (
            values[low]["S"] <= _text(item, names, first) <= values[high]["S"]
        )
    compare, operand = _COMPARISONS[operator], tokens.pop(0)

    def holds(item: Item, names: Mapping[str, str], values: Values) -> bool:
        stored = item.get(names.get(first, first))
        return stored is not None and compare(_plain(stored), _plain(values[operand]))

    return holds


def _expect(tokens: list[str], token: str) -> None:
    if tokens.pop(0) != token:
        raise UnmodelledError(f"the model expects {token!r} before {tokens}")


def _text(item: Item, names: Mapping[str, str], name: str) -> str:
    return str(item.get(names.get(name, name), {"S": ""})["S"])


def _plain(value: Item) -> Any:
    ((kind, content),) = value.items()
    return float(content) if kind == "N" else content


def _update(item: Item, action: dict[str, Any]) -> None:
    names = action.get("ExpressionAttributeNames", {})
    values = action.get("ExpressionAttributeValues", {})
    _, *parts = _CLAUSE.split(action["UpdateExpression"])
    for clause, body in zip(parts[::2], parts[1::2], strict=True):
        for change in _BETWEEN_CHANGES.split(body):
            name, *operands = change.replace("=", " ").split()
            name = names.get(name, name)
            if clause == "SET" and operands[0] == f"if_not_exists({name},":
                operands = [operands[1].removesuffix(")")]
                if name in item:
                    continue
            if clause == "REMOVE":
                item.pop(name, None)
            elif len(operands) != 1 or operands[0] not in values:
                raise UnmodelledError(f"the model does not evaluate {change!r}")
            elif clause == "SET":
                item[name] = values[operands[0]]
            else:
                before = int(item.get(name, {"N": "0"})["N"])
                item[name] = {"N": str(before + int(values[operands[0]]["N"]))}
