"""Which calls a client repeats, and when a lazy client is made."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from dataconnectors.aws.clients import TOTAL_ATTEMPTS, Clients

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> list[bytes]:
        return [self._content]


def answer(status: int, code: str) -> Callable[..., AWSResponse]:
    body = f'{{"__type":"com.amazonaws.dynamodb.v20120810#{code}"}}'.encode()
    return lambda **_: AWSResponse("https://aws", status, HTTPHeaders(), _Body(body))


def fail(error: Exception) -> Callable[..., AWSResponse]:
    def raises(**_: Any) -> AWSResponse:
        raise error

    return raises


@pytest.mark.parametrize(
    ("happens", "sent"),
    [
        (fail(ReadTimeoutError(endpoint_url="https://aws")), 1),
        (answer(500, "InternalServerError"), 1),
        (fail(ConnectTimeoutError(endpoint_url="https://aws")), TOTAL_ATTEMPTS),
        (answer(400, "ThrottlingException"), TOTAL_ATTEMPTS),
    ],
)
def test_an_operation_that_may_have_been_done_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[..., Any], sent: int
) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    client = Clients().get("dynamodb", never_repeated=("UpdateItem",))
    calls: list[str] = []

    def before_send(request: Any, **_: Any) -> Any:
        calls.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        return happens()

    client.meta.events.register("before-send.dynamodb", before_send)
    with pytest.raises((ClientError, BotoCoreError)):
        client.update_item(TableName="t", Key=KEY)
    assert calls == ["UpdateItem"] * sent
    calls.clear()
    with pytest.raises((ClientError, BotoCoreError)):
        client.get_item(TableName="t", Key=KEY)
    assert calls == ["GetItem"] * TOTAL_ATTEMPTS


def test_threads_share_the_client_that_the_first_one_makes() -> None:
    client = Clients().lazy("sqs")
    barrier = Barrier(8)

    def meta(_: int) -> Any:
        barrier.wait(timeout=10)
        return client.meta

    with ThreadPoolExecutor(8) as threads:
        (first, *others) = threads.map(meta, range(8))
    assert first.service_model.service_name == "sqs"
    assert all(other is first for other in others)
