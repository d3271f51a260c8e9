"""What a deployer is shown of dead letters, and how they are sent back to their queues."""

import json
import sys
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from dataconnectors.delivery.dead_letters import DeadLetter, DeadLetterQueue
from dataconnectors.delivery.received import ReceivedMessage
from ops import dead_letters

TEMPLATE = json.dumps(
    {
        "Resources": {"DeadLetterQueue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {"DeadLetterQueueUrl": {"Value": {"Ref": "DeadLetterQueue"}}},
    }
)


class Stack:
    """A stack with a dead-letter queue, and the queue of one connector."""

    def __init__(self) -> None:
        boto3.client("cloudformation").create_stack(StackName="dc", TemplateBody=TEMPLATE)
        self.sqs = boto3.client("sqs")
        (self.dead_letters,) = self.sqs.list_queues()["QueueUrls"]
        self.origin = self.sqs.create_queue(QueueName="dc-c-abc")["QueueUrl"]

    def add(self, text: str, queue: str = "dc-c-abc") -> None:
        """Put a dead letter into the queue, as the sender does."""
        message = ReceivedMessage(
            "m", "h", f"arn:aws:sqs:us-east-1:123456789012:{queue}", 2, 5.0, 5.0, text
        )
        name = self.dead_letters.rpartition("/")[2]
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        assert DeadLetterQueue(self.sqs, arn).put([DeadLetter(message, "it is not ours")])

    def bodies(self, url: str) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return sorted(message["Body"] for message in answer.get("Messages", []))


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    # Listed messages are visible again at once, and polls do not wait.
    monkeypatch.setattr(dead_letters, "HELD_SECONDS", 0)
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    with mock_aws():
        yield Stack()


def run(monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr(sys, "argv", ["dead_letters", "--region", "us-east-1", *options])
    return dead_letters.main()


def test_listing_dead_letters_shows_their_reasons_and_changes_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.add("one")
    assert run(monkeypatch, "--stack", "dc") == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["reason"] == "it is not ours"
    assert line["queue"] == "arn:aws:sqs:us-east-1:123456789012:dc-c-abc"
    assert (line["messageId"], line["receiveCount"], line["body"]) == ("m", "2", "one")
    assert (stack.bodies(stack.dead_letters), stack.bodies(stack.origin)) == (["one"], [])


def test_a_dead_letter_that_is_sent_back_moves_to_its_queue(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in ("one", "two", "three"):
        stack.add(text)
    assert run(monkeypatch, "--stack", "dc", "--send-back") == 0
    assert stack.bodies(stack.origin) == ["one", "three", "two"]
    assert stack.bodies(stack.dead_letters) == []


def test_a_dead_letter_that_cannot_be_sent_back_stays_with_the_reason_shown(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.add("gone", queue="dc-c-gone")
    stack.add("x" * 1024 * 1024)
    assert run(monkeypatch, "--stack", "dc", "--send-back") == 1
    reasons = {json.loads(line)["stays"] for line in capsys.readouterr().out.splitlines()}
    assert "its body was cut" in reasons
    assert any(reason.startswith("dc-c-gone: ") for reason in reasons)
    assert len(stack.bodies(stack.dead_letters)) == 2


def test_another_stack_is_refused(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--stack", "other") == 1
    assert "other is not a stack of Data Connectors" in capsys.readouterr().err
