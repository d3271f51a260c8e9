"""What a dead letter holds, within SQS's limits, and which dead letters SQS confirms."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from dataconnectors.delivery.dead_letters import MAXIMUM_BYTES, DeadLetter, DeadLetterQueue
from dataconnectors.delivery.received import ReceivedMessage

ARN = "arn:aws:sqs:us-east-1:123456789012:dc-test-dead-letters"


def dead_letter(
    message_id: str, text: str = "not ours", reason: str = "it is not JSON"
) -> DeadLetter:
    queue = "arn:aws:sqs:us-east-1:123456789012:dc-c-abc"
    return DeadLetter(
        ReceivedMessage(message_id, "handle", queue, 3, 1_790_000_000.25, 0.0, text), reason
    )


class Sqs:
    """Accepts messages within AWS's limits, except the entries whose ids are in `refuses`."""

    def __init__(self, *, refuses: tuple[str, ...] = (), silent: bool = False) -> None:
        self.meta = SimpleNamespace(endpoint_url="https://sqs.us-east-1.amazonaws.com")
        self.calls: list[list[dict[str, Any]]] = []
        self._refuses = refuses
        self._silent = silent

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        assert QueueUrl == "https://sqs.us-east-1.amazonaws.com/123456789012/dc-test-dead-letters"
        assert 1 <= len(Entries) <= 10
        assert len({entry["Id"] for entry in Entries}) == len(Entries)
        assert sum(map(size, Entries)) <= 1024 * 1024
        self.calls.append(Entries)
        taken = [entry for entry in Entries if entry["Id"] not in self._refuses]
        failed = [entry for entry in Entries if entry["Id"] in self._refuses]
        answer = {
            "Successful": [] if self._silent else [{"Id": entry["Id"]} for entry in taken],
            "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed],
        }
        return {name: entries for name, entries in answer.items() if entries}


def size(entry: dict[str, Any]) -> int:
    """An entry's bytes, as AWS counts them."""
    return len(entry["MessageBody"].encode()) + sum(
        len((name + attribute["DataType"] + attribute["StringValue"]).encode())
        for name, attribute in entry["MessageAttributes"].items()
    )


def test_a_dead_letter_has_the_messages_text_and_where_it_came_from() -> None:
    with mock_aws():
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="dc-test-dead-letters")["QueueUrl"]
        assert DeadLetterQueue(sqs, ARN).put([dead_letter("m1", "käse ❄ \U0001f9c0")]) == {"m1"}
        (message,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
        assert message["Body"] == "käse ❄ \U0001f9c0"
        attributes = message["MessageAttributes"]
        assert {name: value["StringValue"] for name, value in attributes.items()} == {
            "reason": "it is not JSON",
            "queue": "arn:aws:sqs:us-east-1:123456789012:dc-c-abc",
            "messageId": "m1",
            "receiveCount": "3",
            "sentAt": "1790000000250",
        }


def test_one_call_takes_ten_dead_letters() -> None:
    sqs = Sqs()
    dead_letters = [dead_letter(f"m{number}") for number in range(11)]
    assert DeadLetterQueue(sqs, ARN).put(dead_letters) == {f"m{number}" for number in range(11)}
    assert [len(call) for call in sqs.calls] == [10, 1]


def test_one_call_has_at_most_one_mebibyte() -> None:
    sqs = Sqs()
    dead_letters = [dead_letter(f"m{number}", "x" * 400_000) for number in range(5)]
    assert len(DeadLetterQueue(sqs, ARN).put(dead_letters)) == 5
    assert [len(call) for call in sqs.calls] == [2, 2, 1]


@pytest.mark.parametrize("character", ["x", "ü", "❄", "\U0001f9c0"])
def test_a_body_without_room_for_the_reason_is_cut_and_says_so(character: str) -> None:
    sqs = Sqs()
    text = character * (MAXIMUM_BYTES // len(character.encode()))
    assert DeadLetterQueue(sqs, ARN).put([dead_letter("m1", text)]) == {"m1"}
    ((entry,),) = sqs.calls
    assert text.startswith(entry["MessageBody"])
    assert entry["MessageAttributes"]["bytes"]["StringValue"] == str(len(text.encode()))
    assert MAXIMUM_BYTES - 4 <= size(entry) <= MAXIMUM_BYTES


def test_a_body_that_leaves_room_for_the_reason_is_not_cut() -> None:
    sqs = Sqs()
    DeadLetterQueue(sqs, ARN).put([dead_letter("m1", "x" * (MAXIMUM_BYTES - 300))])
    ((entry,),) = sqs.calls
    assert "bytes" not in entry["MessageAttributes"]


def test_a_lone_surrogate_in_a_text_does_not_stop_the_other_dead_letters() -> None:
    assert DeadLetterQueue(Sqs(), ARN).put([dead_letter("m1", "\ud800"), dead_letter("m2")]) == {
        "m1",
        "m2",
    }


def test_dead_letters_that_sqs_refuses_or_does_not_name_are_not_confirmed() -> None:
    dead_letters = [dead_letter("m0"), dead_letter("m1"), dead_letter("m2")]
    assert DeadLetterQueue(Sqs(refuses=("1",)), ARN).put(dead_letters) == {"m0", "m2"}
    assert DeadLetterQueue(Sqs(silent=True), ARN).put(dead_letters) == set()
