"""Which permissions a call of AWS takes: action, resource, and the condition keys that it sets.

The rules are those of AWS's Service Authorization Reference. Names that differ from run to run are
replaced by examples, so that the same calls are equal.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

REGION, ACCOUNT = "us-east-1", "123456789012"
"""Where the tests' stack is: see tests/conftest.py and moto."""

QUEUE_ID = "0123456789abcdefghij"
MAPPING_ID = "00000000-0000-4000-8000-000000000000"
ANY = "x"
"""Examples: of a connector's queue, of an event source mapping, and of a part of a name."""

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:notices"
"""The topic of the parameter, whatever it is called in a test."""

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-4333-8444-555555555555"
"""The stack's key. Tests name it by an alias, and a ciphertext names it by itself."""

Given = Mapping[str, Any]
"""The parameters of a call."""

Context = tuple[tuple[str, tuple[str, ...]], ...]
"""The values of each condition key of a request."""


class Permission(NamedTuple):
    """What IAM decides about."""

    action: str
    resource: str
    context: Context = ()

    @classmethod
    def of(cls, action: str, resource: str, context: Iterable[tuple[str, Iterable[str]]]) -> Self:
        """A permission whose context came as lists, from JSON or from another process."""
        return cls(action, resource, tuple((key, tuple(values)) for key, values in context))

    def is_implied_by(self, other: Self) -> bool:
        """Whether who may do the other thing may do this: the same, with some of its values.

        A policy asks of all values of a key that they are among the allowed ones.
        """
        values, others = dict(self.context), dict(other.context)
        return (
            self[:2] == other[:2]
            and values.keys() == others.keys()
            and all(set(values[key]) <= set(others[key]) for key in values)
        )

    def __str__(self) -> str:
        conditions = [f"{key}={','.join(values)}" for key, values in self.context]
        return " ".join([self.action, self.resource, *conditions])


class UnknownCallError(Exception):
    """A function makes a call of which this module does not know what it takes."""


def permissions(service: str, operation: str, given: Given) -> Iterator[Permission]:
    """What a call takes, such as SendMessageBatch of "sqs"."""
    rule = _RULES.get(f"{service}:{operation}")
    if rule is None:
        raise UnknownCallError(
            f"{service}:{operation} is a new call: say in {__name__} which permissions it takes"
        )
    return iter(rule(f"{service}:{operation}", given))


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def mapping(mapping_id: str) -> str:
    """The ARN of an event source mapping."""
    return arn("lambda", f"event-source-mapping:{mapping_id}")


def connector_queue() -> str:
    """The ARN of the queue of a connector of the tests' stack."""
    return arn("sqs", f"{os.environ['STACK_NAME']}-c-{QUEUE_ID}")


# --- DynamoDB -----------------------------------------------------------------------------------

_PARTITION = re.compile(r"\s*(#?\w+)\s*=\s*(:\w+)")
_KIND = re.compile(r"^([A-Z]+#).*", re.DOTALL)


def _leading_keys(partitions: Iterable[str]) -> Context:
    """The condition key with the partitions that a call names, one of each kind."""
    kinds = {_KIND.sub(rf"\g<1>{ANY}", partition) for partition in partitions}
    return (("dynamodb:LeadingKeys", tuple(sorted(kinds))),)


def _table(name: str, index: str = "") -> str:
    return arn("dynamodb", f"table/{name}" + (f"/index/{index}" if index else ""))


def _partition_of(given: Given) -> str:
    """The partition of an operation on one item."""
    key = given.get("Key") or given["Item"]
    partition: str = key["pk"]["S"]
    return partition


def _item(action: str, given: Given) -> Iterator[Permission]:
    yield Permission(action, _table(given["TableName"]), _leading_keys([_partition_of(given)]))


ATTRIBUTES = "dynamodb:Attributes"

_KEYWORDS = {"ADD", "AND", "BETWEEN", "DELETE", "IN", "NOT", "OR", "REMOVE", "SET"}
_BUCKET = re.compile(r"b\d+")
"""Attempt counts have an attribute for each latency, and which ones a test writes is chance."""

_NAME = re.compile(r"(?<![:#.\w])(#?[A-Za-z_]\w*)\b(?!\()")


def _update(action: str, given: Given) -> Iterator[Permission]:
    """As `_item`, once for each attribute that the call names: any of them may occur together.

    IAM does not tell attributes that are read, as in conditions, from those that are written.
    """
    for permission in _item(action, given):
        for attribute in sorted(_attributes(given)):
            yield permission._replace(context=((ATTRIBUTES, (attribute,)), *permission.context))


def _attributes(given: Given) -> set[str]:
    names = given.get("ExpressionAttributeNames", {})
    expressions = [given["UpdateExpression"], given.get("ConditionExpression", "")]
    found = {name for text in expressions for name in _NAME.findall(text)} - _KEYWORDS
    named = {names.get(name, name) for name in found} | set(given["Key"])
    return {_BUCKET.sub("b0", name) for name in named}


def _query(action: str, given: Given) -> Iterator[Permission]:
    match = _PARTITION.match(given["KeyConditionExpression"])
    assert match is not None, given["KeyConditionExpression"]
    partition = given["ExpressionAttributeValues"][match[2]]["S"]
    table = _table(given["TableName"], given.get("IndexName", ""))
    yield Permission(action, table, _leading_keys([partition]))


def _batch_get(action: str, given: Given) -> Iterator[Permission]:
    for table, request in given["RequestItems"].items():
        partitions = [key["pk"]["S"] for key in request["Keys"]]
        yield Permission(action, _table(table), _leading_keys(partitions))


def _batch_write(action: str, given: Given) -> Iterator[Permission]:
    for table, requests in given["RequestItems"].items():
        writes = [write for request in requests for write in request.values()]
        yield Permission(action, _table(table), _leading_keys(map(_partition_of, writes)))


_OF_TRANSACTION = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def _transaction(_action: str, given: Given) -> Iterator[Permission]:
    """A transaction takes what its parts take, and nothing for itself."""
    for part in given["TransactItems"]:
        for kind, operation in part.items():
            rule = _update if kind == "Update" else _item
            yield from rule(f"dynamodb:{_OF_TRANSACTION[kind]}", operation)


# --- SQS ----------------------------------------------------------------------------------------


def _queue_arn(name: str) -> str:
    """The ARN of a queue; a connector's queue is as good as any other one."""
    ours = rf"{re.escape(os.environ['STACK_NAME'])}-c-[a-z0-9]+"
    return connector_queue() if re.fullmatch(ours, name) else arn("sqs", name)


def _queue(action: str, given: Given) -> Iterator[Permission]:
    name = given.get("QueueName") or given["QueueUrl"].rpartition("/")[2]
    # AWS: the operations on up to ten messages take the permission of the one on a single message.
    yield Permission(action.removesuffix("Batch"), _queue_arn(name))


def _create_queue(action: str, given: Given) -> Iterator[Permission]:
    tags = _request_tags(given.get("tags", {}))
    yield Permission(action, _queue_arn(given["QueueName"]), tags)
    if tags:
        yield Permission("sqs:TagQueue", _queue_arn(given["QueueName"]), tags)


def _request_tags(tags: Mapping[str, str]) -> Context:
    """The condition keys of the tags that a call sets, if it sets any."""
    if not tags:
        return ()
    values = {f"aws:RequestTag/{key}": (_name(value),) for key, value in tags.items()}
    return tuple(sorted({**values, "aws:TagKeys": tuple(sorted(tags))}.items()))


def _unscoped(action: str, _given: Given) -> Iterator[Permission]:
    yield Permission(action, "*")


# --- Lambda -------------------------------------------------------------------------------------

_OF_FUNCTION = "lambda:FunctionArn"


def _create_mapping(action: str, given: Given) -> Iterator[Permission]:
    tags = _request_tags(given.get("Tags", {}))
    yield Permission(action, "*", ((_OF_FUNCTION, (given["FunctionName"],)), *tags))
    if tags:
        yield Permission("lambda:TagResource", mapping(MAPPING_ID), tags)


def _mapping(action: str, _given: Given) -> Iterator[Permission]:
    """An existing mapping is the sender's. One that is gone has no function any more."""
    yield Permission(action, mapping(MAPPING_ID), ((_OF_FUNCTION, (os.environ["SENDER_ARN"],)),))
    yield Permission(action, mapping(MAPPING_ID))


def _tags_of_mapping(action: str, given: Given) -> Iterator[Permission]:
    kind = given["Resource"].rpartition(":")[0].rpartition(":")[2]
    assert kind == "event-source-mapping", given["Resource"]
    yield Permission(action, mapping(MAPPING_ID), _request_tags(given.get("Tags", {})))


def _invoke(_action: str, given: Given) -> Iterator[Permission]:
    yield Permission("lambda:InvokeFunction", given["FunctionName"])


# --- KMS, EventBridge, SNS ----------------------------------------------------------------------


def _name(text: str) -> str:
    """A resource name with examples for its ids: `projects/x/dataconnectors/x`."""
    parts = text.split("/")
    return "/".join(ANY if place % 2 else part for place, part in enumerate(parts))


def _cipher(action: str, given: Given) -> Iterator[Permission]:
    context = given.get("EncryptionContext", {})
    values = {f"kms:EncryptionContext:{key}": (_name(text),) for key, text in context.items()}
    keys = {"kms:EncryptionContextKeys": tuple(sorted(context))} if context else {}
    yield Permission(action, KEY, tuple(sorted({**values, **keys}.items())))


def _publish(action: str, _given: Given) -> Iterator[Permission]:
    yield Permission(action, TOPIC)


def _put_events(action: str, given: Given) -> Iterator[Permission]:
    for entry in given["Entries"]:
        bus = arn("events", f"event-bus/{entry.get('EventBusName', 'default')}")
        what = (
            ("events:detail-type", (entry["DetailType"],)),
            ("events:source", (entry["Source"],)),
        )
        yield Permission(action, bus, what)


_RULES: Mapping[str, Callable[[str, Given], Iterable[Permission]]] = {
    "cloudwatch:GetMetricData": _unscoped,
    "dynamodb:BatchGetItem": _batch_get,
    "dynamodb:BatchWriteItem": _batch_write,
    "dynamodb:DeleteItem": _item,
    "dynamodb:GetItem": _item,
    "dynamodb:PutItem": _item,
    "dynamodb:Query": _query,
    "dynamodb:TransactGetItems": _transaction,
    "dynamodb:TransactWriteItems": _transaction,
    "dynamodb:UpdateItem": _update,
    "events:PutEvents": _put_events,
    "kms:Decrypt": _cipher,
    "kms:Encrypt": _cipher,
    "lambda:CreateEventSourceMapping": _create_mapping,
    "lambda:DeleteEventSourceMapping": _mapping,
    "lambda:GetEventSourceMapping": _mapping,
    "lambda:Invoke": _invoke,
    "lambda:ListEventSourceMappings": _unscoped,
    "lambda:ListTags": _tags_of_mapping,
    "lambda:TagResource": _tags_of_mapping,
    "lambda:UpdateEventSourceMapping": _mapping,
    "sns:Publish": _publish,
    "sqs:ChangeMessageVisibility": _queue,
    "sqs:ChangeMessageVisibilityBatch": _queue,
    "sqs:CreateQueue": _create_queue,
    "sqs:DeleteMessage": _queue,
    "sqs:DeleteMessageBatch": _queue,
    "sqs:DeleteQueue": _queue,
    "sqs:GetQueueAttributes": _queue,
    "sqs:GetQueueUrl": _queue,
    "sqs:ListQueueTags": _queue,
    "sqs:ListQueues": _unscoped,
    "sqs:ReceiveMessage": _queue,
    "sqs:SendMessage": _queue,
    "sqs:SendMessageBatch": _queue,
    "sqs:SetQueueAttributes": _queue,
    "sqs:TagQueue": _queue,
}
