"""The models and moto behave alike, as AWS documents it. Each known difference is listed.

CONTRACT_ENDPOINT_URL adds a third run against an emulator of AWS at that URL.
"""

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.faults.models.dynamodb import DynamoDb, pages
from tests.faults.models.kms import Kms
from tests.faults.models.mappings import to_delete
from tests.faults.models.sqs import Sqs

EMULATOR = os.environ.get("CONTRACT_ENDPOINT_URL", "")
"""Without a path, such as http://127.0.0.1:4566."""

DIFFERENCES = {
    ("moto", "test_sqs_refuses_characters_entry_by_entry"): (
        "accepts every character; AWS: InvalidMessageContents outside of XML 1.0"
    ),
    ("moto", "test_sqs_deletes_nothing_by_an_old_handle"): (
        "deletes; AWS: succeeds, and the message may stay"
    ),
    ("moto", "test_sqs_changes_no_timeout_of_a_visible_message"): (
        "accepts the change; AWS: MessageNotInflight"
    ),
    ("moto", "test_sqs_counts_twelve_hours_from_the_first_receive"): (
        "counts from the time of sending; AWS: from the first receive"
    ),
    ("moto", "test_sqs_blocks_a_deleted_queues_name"): (
        "makes the queue; AWS: QueueDeletedRecently for 60 seconds"
    ),
    ("moto", "test_dynamodb_refuses_batches_that_are_too_large"): (
        "writes 26 items; AWS: ValidationException"
    ),
    ("emulator", "test_sqs_deletes_nothing_by_an_old_handle"): (
        "ReceiptHandleIsInvalid; AWS: succeeds, and the message may stay"
    ),
    ("emulator", "test_sqs_changes_no_timeout_of_a_visible_message"): (
        "accepts the change; AWS: MessageNotInflight"
    ),
    ("emulator", "test_sqs_refuses_a_timeout_of_more_than_twelve_hours"): (
        "accepts 43,201 s; AWS: InvalidParameterValue"
    ),
    ("emulator", "test_sqs_blocks_a_deleted_queues_name"): (
        "makes the queue; AWS: QueueDeletedRecently for 60 seconds"
    ),
}
"""Who differs in which test, and what AWS documents. The marks are strict: a test fails when its
difference is gone."""

Code = str


@dataclass
class Aws:
    """Clients, a table with `pk` and `sk`, a key, and a clock that `sleep` advances."""

    name: str
    sqs: Any
    dynamodb: Any
    kms: Any
    table: str
    key: str
    sleep: Callable[[float], object]

    def queue(self, **attributes: str) -> str:
        """A new queue's URL."""
        name = f"contract-{uuid.uuid4().hex}"
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def receive(self, url: str, **options: Any) -> list[Any]:
        """Up to ten messages."""
        options = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"]} | options
        received: list[Any] = self.sqs.receive_message(QueueUrl=url, **options).get("Messages", [])
        return received

    def put(self, pk: str, sk: str, **attributes: Any) -> None:
        """Put an item."""
        self.dynamodb.put_item(TableName=self.table, Item=item(pk, sk, **attributes))

    def get(self, pk: str, sk: str) -> Any:
        """An item, or None."""
        answer = self.dynamodb.get_item(TableName=self.table, Key=item(pk, sk), ConsistentRead=True)
        return answer.get("Item")


def models() -> Iterator[Aws]:
    elapsed = [1_790_000_000.0]

    def sleep(seconds: float) -> None:
        elapsed[0] += seconds

    clock = lambda: elapsed[0]  # noqa: E731
    yield Aws("models", Sqs(clock), DynamoDb(clock, "table"), Kms(), "table", "key", sleep)


def real(name: str, endpoint_url: str | None = None) -> Iterator[Aws]:
    dynamodb = boto3.client("dynamodb", endpoint_url=endpoint_url)
    table = f"contract-{uuid.uuid4().hex}"
    dynamodb.create_table(
        TableName=table,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    kms = boto3.client("kms", endpoint_url=endpoint_url)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    yield Aws(
        name, boto3.client("sqs", endpoint_url=endpoint_url), dynamodb, kms, table, key, time.sleep
    )
    dynamodb.delete_table(TableName=table)


@pytest.fixture(params=["models", "moto", *(["emulator"] if EMULATOR else [])])
def aws(request: pytest.FixtureRequest) -> Iterator[Aws]:
    name = request.param
    difference = DIFFERENCES.get((name, request.node.originalname))
    if difference:
        request.applymarker(pytest.mark.xfail(reason=difference, strict=True))
    if name == "models":
        yield from models()
    elif name == "moto":
        with mock_aws():
            yield from real(name)
    else:
        yield from real(name, endpoint_url=EMULATOR)


def item(pk: str, sk: str, **attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}} | attributes


def refused(call: Callable[..., Any], **parameters: Any) -> Code:
    """The error code with which a call is refused."""
    with pytest.raises(ClientError) as refusal:
        call(**parameters)
    return str(refusal.value.response["Error"]["Code"]).rpartition(".")[2]


def codes(answer: Any) -> dict[str, Code]:
    """The failures of a batch by entry."""
    return {entry["Id"]: entry["Code"].rpartition(".")[2] for entry in answer.get("Failed", [])}


def change(aws: Aws, url: str, handle: str, seconds: int) -> dict[str, Code]:
    """Change one message's visibility timeout in a batch; the failures."""
    entry = {"Id": "0", "ReceiptHandle": handle, "VisibilityTimeout": seconds}
    return codes(aws.sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry]))


# --- SQS ---------------------------------------------------------------------------------------


def test_sqs_hides_received_messages_and_counts_receives(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="1")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (first,) = aws.receive(url)
    assert aws.receive(url) == []
    aws.sleep(1.1)
    (second,) = aws.receive(url)
    assert [message["Attributes"]["ApproximateReceiveCount"] for message in (first, second)] == [
        "1",
        "2",
    ]
    assert first["MessageId"] == second["MessageId"]
    assert first["ReceiptHandle"] != second["ReceiptHandle"]
    assert second["Body"] == "a"
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert first["Attributes"][name] == second["Attributes"][name]
        assert len(first["Attributes"][name]) == 13  # milliseconds


def test_sqs_counts_a_changed_timeout_from_the_call(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="100")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = aws.receive(url)
    assert change(aws, url, message["ReceiptHandle"], 1) == {}
    assert aws.receive(url) == []
    aws.sleep(1.1)
    (again,) = aws.receive(url)
    assert change(aws, url, again["ReceiptHandle"], 0) == {}
    assert len(aws.receive(url)) == 1


def test_sqs_leaves_out_what_a_queue_lacks_and_removes_an_empty_policy(aws: Aws) -> None:
    url, target = aws.queue(), aws.queue()

    def shown() -> dict[str, str]:
        names = ["DelaySeconds", "RedrivePolicy"]
        answer = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        found: dict[str, str] = answer["Attributes"]
        return found

    assert shown() == {"DelaySeconds": "0"}
    arn = aws.sqs.get_queue_attributes(QueueUrl=target, AttributeNames=["QueueArn"])
    policy = {"deadLetterTargetArn": arn["Attributes"]["QueueArn"], "maxReceiveCount": 3}
    aws.sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    assert json.loads(shown()["RedrivePolicy"]) == policy
    aws.sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"DelaySeconds": "0", "RedrivePolicy": ""}
    )
    assert shown() == {"DelaySeconds": "0"}


def test_sqs_refuses_characters_entry_by_entry(aws: Aws) -> None:
    url = aws.queue()
    entries = [{"Id": "a", "MessageBody": "good"}, {"Id": "b", "MessageBody": "bad \x00"}]
    answer = aws.sqs.send_message_batch(QueueUrl=url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert codes(answer) == {"b": "InvalidMessageContents"}
    assert [message["Body"] for message in aws.receive(url)] == ["good"]


def test_sqs_deletes_nothing_by_an_old_handle(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="0")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (old,), _ = aws.receive(url), aws.receive(url)
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=old["ReceiptHandle"])
    assert len(aws.receive(url)) == 1


def test_sqs_deletes_a_message_by_its_latest_handle(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="0")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = aws.receive(url, VisibilityTimeout=30)
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    (attributes,) = aws.sqs.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"].values()
    assert attributes == "0"
    assert change(aws, url, message["ReceiptHandle"], 10) != {}


def test_sqs_changes_no_timeout_of_a_visible_message(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="0")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = aws.receive(url)
    assert change(aws, url, message["ReceiptHandle"], 10) == {"0": "MessageNotInflight"}


def test_sqs_refuses_a_timeout_of_more_than_twelve_hours(aws: Aws) -> None:
    url = aws.queue()
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = aws.receive(url)
    assert change(aws, url, message["ReceiptHandle"], 43_201) == {"0": "InvalidParameterValue"}


def test_sqs_counts_twelve_hours_from_the_first_receive(aws: Aws) -> None:
    url = aws.queue()
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    aws.sleep(1.1)
    (message,) = aws.receive(url)
    assert change(aws, url, message["ReceiptHandle"], 43_200) == {}


def test_sqs_refuses_batches_as_a_whole(aws: Aws) -> None:
    url = aws.queue()

    def send(*entries: tuple[str, str]) -> Code:
        batch = [{"Id": name, "MessageBody": body} for name, body in entries]
        return refused(aws.sqs.send_message_batch, QueueUrl=url, Entries=batch)

    assert send() == "EmptyBatchRequest"
    assert send(*[(str(n), "a") for n in range(11)]) == "TooManyEntriesInBatchRequest"
    assert send(("a", "a"), ("a", "b")) == "BatchEntryIdsNotDistinct"
    assert send(("a", "x" * 600_000), ("b", "x" * 600_000)) == "BatchRequestTooLong"
    assert aws.receive(url) == []


def test_sqs_returns_an_existing_queue(aws: Aws) -> None:
    url = aws.queue(VisibilityTimeout="7")
    name = url.rpartition("/")[2]
    make = aws.sqs.create_queue
    assert make(QueueName=name, Attributes={"VisibilityTimeout": "7"})["QueueUrl"] == url
    other = {"VisibilityTimeout": "8"}
    assert refused(make, QueueName=name, Attributes=other) in (
        "QueueNameExists",
        "QueueAlreadyExists",
    )
    assert aws.sqs.get_queue_url(QueueName=name)["QueueUrl"] == url


def test_sqs_reports_a_missing_queue(aws: Aws) -> None:
    url = aws.queue() + "-not"
    entries = [{"Id": "0", "MessageBody": "a"}]
    code = refused(aws.sqs.send_message_batch, QueueUrl=url, Entries=entries)
    assert code in ("NonExistentQueue", "QueueDoesNotExist")


def test_sqs_blocks_a_deleted_queues_name(aws: Aws) -> None:
    url = aws.queue()
    aws.sqs.delete_queue(QueueUrl=url)
    name = url.rpartition("/")[2]
    assert refused(aws.sqs.create_queue, QueueName=name) == "QueueDeletedRecently"


# --- DynamoDB ----------------------------------------------------------------------------------


def test_dynamodb_writes_only_if_the_condition_holds(aws: Aws) -> None:
    put = aws.dynamodb.put_item
    new = {"TableName": aws.table, "ConditionExpression": "attribute_not_exists(pk)"}
    put(**new, Item=item("p", "a", n={"N": "1"}))
    code = "ConditionalCheckFailedException"
    assert refused(put, **new, Item=item("p", "a")) == code
    older = {
        "TableName": aws.table,
        "ConditionExpression": "attribute_not_exists(pk) OR n <= :n",
    }
    values = {":n": {"N": "0.5"}}
    assert refused(put, **older, Item=item("p", "a"), ExpressionAttributeValues=values) == code
    put(**older, Item=item("p", "a", n={"N": "10"}), ExpressionAttributeValues={":n": {"N": "9"}})
    assert aws.get("p", "a") == item("p", "a", n={"N": "10"})


def test_dynamodb_writes_all_of_a_transaction_or_nothing(aws: Aws) -> None:
    aws.put("p", "a", n={"N": "1"})

    def actions(condition: str) -> list[Any]:
        return [
            {"Put": {"TableName": aws.table, "Item": item("p", "b")}},
            {
                "Update": {
                    "TableName": aws.table,
                    "Key": item("p", "a"),
                    "UpdateExpression": "ADD n :n, m :n",
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": {":n": {"N": "2"}},
                }
            },
        ]

    with pytest.raises(ClientError) as refusal:
        aws.dynamodb.transact_write_items(TransactItems=actions("attribute_not_exists(pk)"))
    reasons = [reason["Code"] for reason in refusal.value.response["CancellationReasons"]]
    assert reasons == ["None", "ConditionalCheckFailed"]
    assert aws.get("p", "b") is None
    aws.dynamodb.transact_write_items(TransactItems=actions("attribute_exists(pk)"))
    assert aws.get("p", "b") == item("p", "b")
    assert aws.get("p", "a") == item("p", "a", n={"N": "3"}, m={"N": "2"})


def test_dynamodb_refuses_two_actions_on_one_item(aws: Aws) -> None:
    put = {"Put": {"TableName": aws.table, "Item": item("p", "a")}}
    code = refused(aws.dynamodb.transact_write_items, TransactItems=[put, put])
    assert code == "ValidationException"


def test_dynamodb_updates_or_creates_an_item(aws: Aws) -> None:
    aws.dynamodb.update_item(
        TableName=aws.table,
        Key=item("p", "a"),
        UpdateExpression="SET x = :x, #y = :y ADD n :n",
        ExpressionAttributeNames={"#y": "type"},
        ExpressionAttributeValues={":x": {"S": "x"}, ":y": {"S": "y"}, ":n": {"N": "1"}},
    )
    assert aws.get("p", "a") == item("p", "a", x={"S": "x"}, type={"S": "y"}, n={"N": "1"})
    aws.dynamodb.update_item(
        TableName=aws.table,
        Key=item("p", "a"),
        UpdateExpression="ADD n :n SET x = if_not_exists(x, :z), z = if_not_exists(z, :z)",
        ExpressionAttributeValues={":z": {"S": "z"}, ":n": {"N": "2"}},
    )
    assert aws.get("p", "a") == item(
        "p", "a", x={"S": "x"}, type={"S": "y"}, z={"S": "z"}, n={"N": "3"}
    )
    aws.dynamodb.delete_item(TableName=aws.table, Key=item("p", "a"))
    aws.dynamodb.delete_item(TableName=aws.table, Key=item("p", "a"))
    assert aws.get("p", "a") is None


def test_dynamodb_queries_in_order_and_page_by_page(aws: Aws) -> None:
    for number in range(12):
        aws.put("p", f"a#{number:02d}", padding={"S": "x" * 100})
    aws.put("p", "b#0")
    aws.put("q", "a#0")

    def found(condition: str, more: dict[str, Any], **options: Any) -> list[str]:
        values = {":pk": {"S": "p"}} | {name: {"S": text} for name, text in more.items()}
        query = {
            "TableName": aws.table,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        read = pages(aws.dynamodb.query, **query, **options)
        return [entry["sk"]["S"] for page in read for entry in page["Items"]]

    every = [f"a#{number:02d}" for number in range(12)]
    assert found("begins_with(sk, :a)", {":a": "a#"}) == every
    assert found("begins_with(sk, :a)", {":a": "a#"}, Limit=5) == every
    between = {":low": "a#03", ":high": "a#06"}
    assert found("sk BETWEEN :low AND :high", between) == every[3:7]
    newest = found("begins_with(sk, :a)", {":a": "a#"}, Limit=5, ScanIndexForward=False)
    assert newest == every[::-1]
    assert found("begins_with(sk, :a)", {":a": "c"}) == []


def test_dynamodb_filters_and_counts_what_a_query_has_read(aws: Aws) -> None:
    for number in range(12):
        aws.put("p", f"{number:02d}", kind={"S": "abc"[number % 3]})
    query = {
        "TableName": aws.table,
        "KeyConditionExpression": "pk = :pk AND sk BETWEEN :low AND :high",
        "FilterExpression": "kind IN (:a, :b)",
        "ExpressionAttributeValues": {
            name: {"S": text}
            for name, text in (
                (":pk", "p"),
                (":low", "02"),
                (":high", "10"),
                (":a", "a"),
                (":b", "b"),
            )
        },
        "ConsistentRead": True,
    }
    first = aws.dynamodb.query(**query, Limit=4)  # of 02 to 05, where c, a, b, c are
    assert [entry["sk"]["S"] for entry in first["Items"]] == ["03", "04"]
    assert first["LastEvaluatedKey"] == item("p", "05")
    # A Query may begin after an item that is gone meanwhile.
    aws.dynamodb.delete_item(TableName=aws.table, Key=item("p", "05"))
    start = {"ExclusiveStartKey": first["LastEvaluatedKey"]}
    assert aws.dynamodb.query(**query, **start, Limit=3)["Count"] == 2  # of 06, 07 and 08
    counted = pages(aws.dynamodb.query, **query, Select="COUNT")
    assert sum(page["Count"] for page in counted) == 6
    assert "Items" not in aws.dynamodb.query(**query, Select="COUNT")


def test_dynamodb_returns_the_existing_items_of_a_batch(aws: Aws) -> None:
    aws.put("p", "a")
    aws.put("p", "b")
    keys = [item("p", name) for name in "abc"]
    request = {aws.table: {"Keys": keys, "ConsistentRead": True}}
    answer = aws.dynamodb.batch_get_item(RequestItems=request)
    assert sorted(entry["sk"]["S"] for entry in answer["Responses"][aws.table]) == ["a", "b"]
    assert answer["UnprocessedKeys"] == {}


def test_dynamodb_refuses_batches_that_are_too_large(aws: Aws) -> None:
    keys = [item("p", str(number)) for number in range(101)]
    code = refused(aws.dynamodb.batch_get_item, RequestItems={aws.table: {"Keys": keys}})
    assert code == "ValidationException"
    puts = [{"PutRequest": {"Item": key}} for key in keys[:26]]
    code = refused(aws.dynamodb.batch_write_item, RequestItems={aws.table: puts})
    assert code == "ValidationException"


def test_dynamodb_writes_a_batch(aws: Aws) -> None:
    puts = [{"PutRequest": {"Item": item("p", str(number))}} for number in range(25)]
    answer = aws.dynamodb.batch_write_item(RequestItems={aws.table: puts})
    assert answer["UnprocessedItems"] == {}
    assert aws.get("p", "24") == item("p", "24")


# --- KMS ---------------------------------------------------------------------------------------


def test_kms_decrypts_only_with_the_context_of_the_encryption(aws: Aws) -> None:
    seal = {"KeyId": aws.key, "Plaintext": b"secret", "EncryptionContext": {"name": "a"}}
    first, second = (aws.kms.encrypt(**seal)["CiphertextBlob"] for _ in range(2))
    assert first != second
    opened = aws.kms.decrypt(CiphertextBlob=first, EncryptionContext={"name": "a"})
    assert opened["Plaintext"] == b"secret"
    code = refused(aws.kms.decrypt, CiphertextBlob=first, EncryptionContext={"name": "b"})
    assert code == "InvalidCiphertextException"


# --- behaviour that neither moto nor an emulator can show
# ------------------------------------------


def test_a_queue_deletes_messages_that_are_too_old() -> None:
    (aws,) = models()
    url = aws.queue(MessageRetentionPeriod="60")
    aws.sqs.send_message(QueueUrl=url, MessageBody="a")
    aws.sleep(59)
    assert len(aws.receive(url, VisibilityTimeout=0)) == 1
    aws.sleep(1)
    assert aws.receive(url) == []


def test_a_queue_returns_no_message_at_its_limit_of_messages_in_flight() -> None:
    (aws,) = models()
    url = aws.queue()
    aws.sqs.queues[url.rpartition("/")[2]].in_flight_limit = 1
    for body in "ab":
        aws.sqs.send_message(QueueUrl=url, MessageBody=body)
    assert len(aws.receive(url)) == 1
    assert aws.receive(url, WaitTimeSeconds=1) == []
    assert refused(aws.receive, url=url) == "OverLimit"


def test_an_eventually_consistent_read_is_behind() -> None:
    (aws,) = models()
    aws.put("p", "a", n={"N": "1"})
    aws.sleep(10)
    aws.put("p", "a", n={"N": "2"})
    stale = aws.dynamodb.get_item(TableName=aws.table, Key=item("p", "a"))["Item"]
    assert stale["n"] == {"N": "1"}
    assert aws.get("p", "a")["n"] == {"N": "2"}
    aws.sleep(1)
    assert aws.dynamodb.get_item(TableName=aws.table, Key=item("p", "a"))["Item"] != stale


@pytest.mark.parametrize(
    ("answer", "deleted"),
    [
        (None, "abc"),
        ({}, "abc"),
        ({"batchItemFailures": []}, "abc"),
        ({"batchItemFailures": None}, "abc"),
        ({"failures": [{"itemIdentifier": "a"}]}, "abc"),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, "bc"),
        ({"batchItemFailures": [{"itemIdentifier": name} for name in "abc"]}, ""),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, None),
        ({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "x"}]}, None),
        ({"batchItemFailures": [{"itemId": "a"}]}, None),
        ({"batchItemFailures": "a"}, None),
        ("text", None),
    ],
)
def test_a_poller_deletes_the_messages_that_the_answer_does_not_report_as_failed(
    answer: Any, deleted: str | None
) -> None:
    assert to_delete(answer, list("abc")) == (None if deleted is None else list(deleted))
