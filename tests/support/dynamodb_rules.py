"""Refuses requests that DynamoDB refuses and moto accepts.

Otherwise tests would pass a request that AWS answers with an error, which our API turns into a 503.
They would also pass a scan, which none of our functions may make.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

LONGEST_PK = 2048
LONGEST_SK = 1024
"""AWS: the most bytes of a partition key and of a sort key."""

_BETWEEN = re.compile(r"sk BETWEEN (:\w+) AND (:\w+)")
_EVENT = "provide-client-params.dynamodb"


def keep(client: Any) -> Callable[[], None]:
    """Let a client refuse what AWS refuses; returns a function that ends that."""
    client.meta.events.register(_EVENT, _check)
    return lambda: client.meta.events.unregister(_EVENT, _check)


def _check(params: Mapping[str, Any], model: Any, **_: object) -> None:
    if model.name in ("Scan", "ExecuteStatement"):
        raise _refusal(model.name, "reads a whole table", "AccessDeniedException")
    for key in _keys(params):
        for name, longest in (("pk", LONGEST_PK), ("sk", LONGEST_SK)):
            size = _size(key[name]["S"], model.name)
            if not 1 <= size <= longest:
                raise _refusal(model.name, f"size of {name} is {size}")
    for text in _texts(params):
        _size(text, model.name)
    between = _BETWEEN.search(params.get("KeyConditionExpression", ""))
    if between is None:
        return
    values = params["ExpressionAttributeValues"]
    low, high = (values[name]["S"].encode() for name in between.groups())
    if low > high:
        raise _refusal(model.name, "BETWEEN requires its upper bound to be at least its lower one")
    start = params.get("ExclusiveStartKey")
    if start is not None and not low <= start["sk"]["S"].encode() <= high:
        raise _refusal(model.name, "the starting key is outside of the query's boundaries")


def _keys(value: Any) -> Iterator[Any]:
    """Every key and every item in a request, at any depth."""
    if isinstance(value, dict):
        if "pk" in value and "sk" in value:
            yield value
        for child in value.values():
            yield from _keys(child)
    elif isinstance(value, list):
        for child in value:
            yield from _keys(child)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield key
            yield from _texts(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _texts(child)


def _size(text: str, operation: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise _refusal(operation, "a text has no UTF-8", "SerializationException") from None


def _refusal(operation: str, text: str, code: str = "ValidationException") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": text}}, operation)
