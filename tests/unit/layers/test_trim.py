"""The layer's reduced botocore sends the same requests as the complete one."""

import shutil
from functools import cache
from pathlib import Path
from typing import Any

import botocore
import botocore.loaders
import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

import trim

DATA = Path(botocore.__file__).parent / "data"
PACKAGE = Path(__file__).parents[3] / "layers/core/dataconnectors"

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("dynamodb", "get_item", {"TableName": "t", "Key": KEY, "ConsistentRead": True}),
    ("dynamodb", "batch_get_item", {"RequestItems": {"t": {"Keys": [KEY]}}}),
    (
        "dynamodb",
        "transact_write_items",
        {"TransactItems": [{"Put": {"TableName": "t", "Item": KEY}}], "ClientRequestToken": "x"},
    ),
    ("dynamodb", "query", {"TableName": "t", "KeyConditionExpression": "pk = :pk"}),
    ("sqs", "create_queue", {"QueueName": "q", "Attributes": {"A": "1"}, "tags": {"a": "b"}}),
    (
        "sqs",
        "send_message_batch",
        {"QueueUrl": "https://q", "Entries": [{"Id": "1", "MessageBody": "m"}]},
    ),
    (
        "sqs",
        "change_message_visibility_batch",
        {
            "QueueUrl": "https://q",
            "Entries": [{"Id": "1", "ReceiptHandle": "r", "VisibilityTimeout": 8}],
        },
    ),
    ("kms", "encrypt", {"KeyId": "k", "Plaintext": b"p", "EncryptionContext": {"name": "n"}}),
    ("kms", "decrypt", {"CiphertextBlob": b"c", "EncryptionContext": {"name": "n"}}),
    (
        "lambda",
        "create_event_source_mapping",
        {"FunctionName": "f", "EventSourceArn": "arn:aws:sqs:us-east-1:1:q"},
    ),
    ("lambda", "list_event_source_mappings", {"FunctionName": "f", "MaxItems": 100}),
]
REGIONS = ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"]


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("botocore") / "data"
    copy.mkdir()
    for path in DATA.iterdir():
        if path.is_file():
            shutil.copy(path, copy)
        elif path.name in (*trim.SERVICES, "s3"):
            shutil.copytree(path, copy / path.name)
    trim.trim(copy, PACKAGE)
    return copy


@cache
def session_over(data: Path) -> botocore.session.Session:
    """A session that has read nothing but the files below `data`. It keeps what it has read."""
    session = botocore.session.get_session()
    loader = botocore.loaders.Loader([str(data)], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    return session


def request(data: Path, region: str, service: str, method: str, **call: Any) -> Any:
    """The request that a call would send, without its signature and time."""
    client = session_over(data).create_client(
        service, region, aws_access_key_id="a", aws_secret_access_key="b"
    )
    sent = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() in ("content-type", "x-amz-target")
        }
        sent.append((request.method, request.url, headers, request.body))
        return AWSResponse(request.url, 400, HTTPHeaders(), None)

    events: Any = client.meta.events  # its stubs know of no handler that answers
    events.register("before-send", keep)
    with pytest.raises((client.exceptions.ClientError, AttributeError)):
        getattr(client, method)(**call)
    return sent[0]


@pytest.mark.parametrize("region", REGIONS)
def test_each_call_sends_the_same_request_as_with_the_complete_data(
    trimmed: Path, region: str
) -> None:
    for service, method, call in CALLS:
        assert request(trimmed, region, service, method, **call) == request(
            DATA, region, service, method, **call
        ), method


def test_services_and_operations_that_are_not_called_are_removed(trimmed: Path) -> None:
    assert {path.name for path in trimmed.iterdir() if path.is_dir()} == set(trim.SERVICES)
    (model,) = trimmed.glob("sqs/*/service-2.json")
    operations = trim.read(model)["operations"]
    assert "SendMessageBatch" in operations
    assert "AddPermission" not in operations
    assert "documentation" not in model.read_text()


def test_the_build_finds_every_method_that_the_package_calls() -> None:
    called = trim.calls(PACKAGE)
    assert {method for _, method, _ in CALLS} - called == set()


def test_handlers_make_no_calls_to_aws_themselves() -> None:
    """The build looks for operations in the package only. One that a handler calls would be missing
    from the layer."""
    operations = {
        trim.method_name(operation)
        for service in trim.SERVICES
        for path in (DATA / service).glob("*/service-2.json.gz")
        for operation in trim.read(path)["operations"]
    }
    handlers = trim.calls(PACKAGE.parents[2] / "functions")
    assert handlers & operations <= trim.calls(PACKAGE)
