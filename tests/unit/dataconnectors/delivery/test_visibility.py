"""How the wait before the next attempt is set as a visibility timeout in SQS."""

from typing import Any

import pytest

from dataconnectors.delivery.visibility import (
    QueueVisibility,
    VisibilityChange,
    longest_wait,
    queue_url,
)
from tests.support.sqs_visibility import Sqs

ARN = "arn:aws-cn:sqs:cn-north-1:111122223333:dc-c-abc"


def postponements(count: int) -> list[VisibilityChange]:
    return [VisibilityChange(f"m{number}", f"r{number}", number) for number in range(count)]


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (10, 1), (11, 2), (25, 3)])
def test_one_call_changes_ten_messages(count: int, calls: int) -> None:
    sqs = Sqs()
    assert QueueVisibility(sqs).change(ARN, postponements(count)) == {}
    assert len(sqs.calls) == calls
    assert sqs.visibility == {f"r{number}": number for number in range(count)}


def test_messages_that_sqs_refuses_in_a_successful_answer_are_returned() -> None:
    sqs = Sqs(refused={"r11": "ReceiptHandleIsInvalid", "r3": "InternalError"})
    refused = QueueVisibility(sqs).change(ARN, postponements(12))
    assert refused == {"m3": "InternalError", "m11": "ReceiptHandleIsInvalid"}


@pytest.mark.parametrize(
    ("endpoint", "arn", "expected"),
    [
        (
            "https://sqs.cn-north-1.amazonaws.com.cn",
            ARN,
            "https://sqs.cn-north-1.amazonaws.com.cn/111122223333/dc-c-abc",
        ),
        (
            "http://127.0.0.1:4566",
            "arn:aws:sqs:us-east-1:000000000000:dc-c-x",
            "http://127.0.0.1:4566/000000000000/dc-c-x",
        ),
    ],
)
def test_the_queues_url_comes_from_the_endpoint_in_use(
    endpoint: str, arn: str, expected: str
) -> None:
    assert queue_url(endpoint, arn) == expected


@pytest.mark.parametrize(
    ("age", "expected"), [(0, 43_195), (43_000.5, 194), (43_199, 0), (50_000, 0)]
)
def test_no_message_is_invisible_for_more_than_twelve_hours(age: float, expected: Any) -> None:
    assert longest_wait(age) == expected
